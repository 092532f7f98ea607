"""Applying Stripe's events to the local tables.

Stripe may deliver an event twice, so each handler writes the state the event describes instead of a change.
"""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

from subscriptions.models import Customer, Price, Product, Subscription
from workspaces.models import Workspace

VERBS = {"created", "updated", "deleted"}


def apply(event: dict) -> bool:
    """Update the tables; says whether the event was of a kind that is handled."""
    kind, _, verb = event["type"].rpartition(".")
    handler = HANDLERS.get(kind)
    if handler is None or verb not in VERBS:
        return False
    handler(event["data"]["object"], deleted=verb == "deleted")
    return True


def store_product(data: dict, deleted: bool) -> None:
    """A deleted product stays, inactive: subscriptions may refer to it."""
    metadata = data.get("metadata") or {}
    Product.objects.update_or_create(
        product_id=data["id"],
        defaults={
            "active": bool(data.get("active")) and not deleted,
            "name": data.get("name") or data["id"],
            "description": data.get("description") or "",
            "features": metadata.get("features", "").split(),
        },
    )


def store_price(data: dict, deleted: bool) -> None:
    """A price may arrive before its product, which is then a placeholder until its own event comes."""
    product_id = data["product"]
    product, _ = Product.objects.get_or_create(
        product_id=product_id, defaults={"name": product_id, "active": False}
    )
    Price.objects.update_or_create(
        price_id=data["id"],
        defaults={
            "product": product,
            "active": bool(data.get("active")) and not deleted,
            "unit_amount": Decimal(data.get("unit_amount") or 0) / 100,
            "currency": data["currency"],
            "freq": _frequency(data.get("recurring")),
        },
    )


def store_subscription(data: dict, deleted: bool) -> None:
    """Subscriptions of customers or prices that are not known here are somebody else's."""
    item = data["items"]["data"][0]
    customer = Customer.objects.filter(customer_id=data["customer"]).first()
    price = Price.objects.filter(price_id=item["price"]["id"]).first()
    if customer is None or price is None:
        return
    workspace = _workspace(data.get("metadata") or {}, customer)
    Subscription.objects.filter(workspace=workspace).exclude(subscription_id=data["id"]).update(
        workspace=None
    )
    Subscription.objects.update_or_create(
        subscription_id=data["id"],
        defaults={
            "customer": customer,
            "price": price,
            "workspace": workspace,
            "status": "canceled" if deleted else data["status"],
            "current_period_end": _moment(data.get("current_period_end") or item.get("current_period_end")),
            "cancel_at_period_end": bool(data.get("cancel_at_period_end")),
        },
    )


def _frequency(recurring: dict | None) -> str:
    """``month_1`` for a monthly price."""
    return f"{recurring['interval']}_{recurring['interval_count']}" if recurring else "one_time"


def _moment(seconds: int | None) -> datetime | None:
    """Stripe counts in seconds."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _workspace(metadata: dict, customer: Customer) -> Workspace | None:
    """The customer's workspace that the checkout wrote into the metadata."""
    try:
        workspace_id = uuid.UUID(metadata.get("workspace_id", ""))
    except ValueError:
        return None
    return customer.user.owned_workspaces.filter(pk=workspace_id).first()


HANDLERS = {
    "product": store_product,
    "price": store_price,
    "customer.subscription": store_subscription,
}
