"""Local copies of what Stripe knows, and the checkouts started from here."""

from django.conf import settings
from django.db import models

from common.models import TimeStampedModel
from workspaces.models import Workspace


class Product(TimeStampedModel):
    """Something one can subscribe to."""

    product_id = models.CharField(max_length=256, unique=True)
    active = models.BooleanField(default=True)
    name = models.CharField(max_length=256)
    description = models.CharField(max_length=1024, blank=True)
    features = models.JSONField(default=list)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Price(TimeStampedModel):
    """What a product costs, and how often; ``freq`` reads like ``month_1``."""

    price_id = models.CharField(max_length=256, unique=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="prices")
    active = models.BooleanField(default=True)
    unit_amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    freq = models.CharField(max_length=64)

    class Meta:
        ordering = ["product__name", "unit_amount", "id"]

    def __str__(self) -> str:
        return self.price_id


class Customer(TimeStampedModel):
    """A user's id at Stripe."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="customer")
    customer_id = models.CharField(max_length=256, unique=True)


class Subscription(TimeStampedModel):
    """A customer's subscription, usually for one workspace."""

    # The states in which the subscriber may use what was bought.
    GRANTING = ["active", "trialing", "past_due"]

    subscription_id = models.CharField(max_length=256, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscriptions")
    workspace = models.OneToOneField(
        Workspace, on_delete=models.SET_NULL, related_name="subscription", null=True
    )
    price = models.ForeignKey(Price, on_delete=models.CASCADE, related_name="subscriptions")
    status = models.CharField(max_length=32)
    current_period_end = models.DateTimeField(null=True)
    cancel_at_period_end = models.BooleanField(default=False)


class CheckoutSession(TimeStampedModel):
    """A checkout somebody began; without a network it stays here."""

    session_id = models.CharField(max_length=256, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="checkout_sessions")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="checkout_sessions")
    price = models.ForeignKey(Price, on_delete=models.CASCADE, related_name="checkout_sessions")
