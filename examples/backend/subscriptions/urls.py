"""Routes of subscriptions."""

from django.urls import path

from subscriptions.views import CheckoutView, CustomerPortalView, SubscribableProductView, WebhookView

urlpatterns = [
    path("checkout/", CheckoutView.as_view(), name="checkout"),
    path("customer-portal/", CustomerPortalView.as_view(), name="customer-portal"),
    path("subscribable-product/", SubscribableProductView.as_view(), name="subscribable-product"),
    path("webhook/", WebhookView.as_view(), name="webhook"),
]
