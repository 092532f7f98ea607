"""What a billing provider would do, done locally: the same request always gives the same ids."""

import hashlib

from django.conf import settings

from subscriptions.models import CheckoutSession, Customer, Price
from workspaces.models import Workspace


def customer_of(user) -> Customer:
    """The user's customer record, made when it is first needed."""
    customer, _ = Customer.objects.get_or_create(user=user, defaults={"customer_id": f"cus_local_{user.pk}"})
    return customer


def start_checkout(customer: Customer, workspace: Workspace, price: Price) -> CheckoutSession:
    """Begin a checkout, or return to the one that was begun for the same purchase."""
    purchase = f"{customer.customer_id}:{workspace.pk}:{price.price_id}"
    session, _ = CheckoutSession.objects.get_or_create(
        session_id=f"cs_local_{hashlib.sha256(purchase.encode()).hexdigest()[:32]}",
        defaults={"customer": customer, "workspace": workspace, "price": price},
    )
    return session


def portal_url(customer: Customer) -> str:
    """Where the customer would manage subscriptions: a page of the front end."""
    return f"{settings.FRONT_END_BASE_URL}/dashboard?customer={customer.customer_id}"
