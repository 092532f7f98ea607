"""Endpoints of subscriptions."""

import json

import stripe
from django.conf import settings
from rest_framework import permissions, status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from subscriptions import billing, stripe_events
from subscriptions.models import Price, Product, Subscription
from subscriptions.serializers import CheckoutSerializer, PriceSerializer


class SubscribableProductView(ListAPIView):
    """What can be bought; public, but a signed-in user is not offered what is already subscribed to."""

    permission_classes = [permissions.AllowAny]
    serializer_class = PriceSerializer

    def get_queryset(self):
        """Active prices of active products."""
        prices = Price.objects.filter(active=True, product__active=True).select_related("product")
        if self.request.user.is_anonymous:
            return prices
        owned = Product.objects.filter(
            prices__subscriptions__customer__user=self.request.user,
            prices__subscriptions__status__in=Subscription.GRANTING,
        )
        return prices.exclude(product__in=owned)


class CheckoutView(APIView):
    """Begins a checkout for a workspace which the caller owns."""

    def post(self, request):
        """Answer with the id of the session."""
        serializer = CheckoutSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        workspace = serializer.validated_data["workspace_id"]
        if workspace.owner_id != request.user.pk:
            raise PermissionDenied("Only the owner of the workspace may subscribe for it.")
        customer = billing.customer_of(request.user)
        session = billing.start_checkout(customer, workspace, serializer.validated_data["price_id"])
        return Response({"session_id": session.session_id}, status=status.HTTP_201_CREATED)


class CustomerPortalView(APIView):
    """Where subscriptions are managed."""

    def post(self, request):
        """Answer with the address."""
        return Response({"url": billing.portal_url(billing.customer_of(request.user))})


class WebhookView(APIView):
    """Stripe's events. Stripe has no account here: its signature over the raw body is what counts."""

    authentication_classes = []
    permission_classes = [permissions.AllowAny]

    def post(self, request):
        """Verify, then apply."""
        payload = request.body
        signature = request.headers.get("Stripe-Signature")
        try:
            stripe.Webhook.construct_event(payload, signature, settings.STRIPE_WEBHOOK_SECRET)
        except (ValueError, stripe.SignatureVerificationError):
            raise ValidationError({"detail": "The payload or its signature is not valid."}) from None
        handled = stripe_events.apply(json.loads(payload))
        return Response({"received": True, "handled": handled})
