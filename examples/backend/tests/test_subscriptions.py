"""Subscriptions and Stripe's webhook."""

import json

import stripe

from subscriptions.models import Customer, Price, Product, Subscription
from tests.base import BackendTestCase

ROOT = "/api/subscriptions"


def send(client, kind: str, data: dict, secret: str = "whsec_test"):
    """An event as Stripe would deliver it, signed by Stripe's own library."""
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": data}}
    payload = json.dumps(event, indent=2)
    signature = stripe.WebhookSignature.generate_signature_header(payload, secret)
    headers = {"Stripe-Signature": signature}
    return client.post(f"{ROOT}/webhook/", payload, content_type="application/json", headers=headers)


class SubscriptionTestCase(BackendTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.product = Product.objects.create(product_id="prod_1", name="Team", features=["chat"])
        cls.price = Price.objects.create(
            price_id="price_1", product=cls.product, unit_amount="29.00", currency="usd", freq="month_1"
        )


class CheckoutTest(SubscriptionTestCase):
    def checkout(self, client, **fields):
        body = {"price_id": "price_1", "workspace_id": str(self.workspace.pk), **fields}
        return client.post(f"{ROOT}/checkout/", body)

    def test_a_checkout_has_a_session(self):
        """The same purchase leads to the same session."""
        first, second = self.checkout(self.as_ada), self.checkout(self.as_ada)
        self.assertEqual((first.status_code, list(first.json())), (201, ["session_id"]))
        self.assertEqual(first.json(), second.json())

    def test_only_owners_buy(self):
        """A member is refused; to others the workspace is unknown."""
        self.assertEqual(self.checkout(self.as_grace).status_code, 403)
        response = self.checkout(self.as_eve)
        self.assertEqual((response.status_code, list(response.json())), (400, ["workspace_id"]))

    def test_only_active_prices_are_sold(self):
        """Unknown and inactive prices are refused by field."""
        Price.objects.create(
            price_id="old", product=self.product, unit_amount=1, currency="usd", freq="month_1", active=False
        )
        for price_id in ("old", "unknown", None):
            response = self.checkout(self.as_ada, price_id=price_id)
            self.assertEqual((response.status_code, list(response.json())), (400, ["price_id"]))

    def test_the_portal_has_an_address(self):
        """The portal's address is told without any body in the request."""
        response = self.as_ada.post(f"{ROOT}/customer-portal/")
        self.assertEqual((response.status_code, list(response.json())), (200, ["url"]))


class PricingTest(SubscriptionTestCase):
    def prices(self, client):
        return [price["price_id"] for price in client.get(f"{ROOT}/subscribable-product/").json()]

    def test_prices_are_public(self):
        """Prices come with their product, and amounts are strings."""
        (price,) = self.client.get(f"{ROOT}/subscribable-product/").json()
        self.assertEqual((price["unit_amount"], price["freq"]), ("29.00", "month_1"))
        self.assertEqual((price["product"]["name"], price["product"]["features"]), ("Team", ["chat"]))

    def test_what_one_has_is_not_offered(self):
        """A subscriber does not see the product again, until the subscription has ended."""
        customer = Customer.objects.create(user=self.ada, customer_id="cus_1")
        subscription = Subscription.objects.create(
            subscription_id="sub_1", customer=customer, price=self.price, status="past_due"
        )
        self.assertEqual(self.prices(self.as_ada), [])
        self.assertEqual(self.prices(self.client), ["price_1"])
        subscription.status = "canceled"
        subscription.save()
        self.assertEqual(self.prices(self.as_ada), ["price_1"])


class WebhookTest(SubscriptionTestCase):
    def test_only_stripe_is_believed(self):
        """A wrong or missing signature is refused with 400, and nothing changes."""
        forged = send(self.client, "product.updated", {"id": "prod_1", "name": "Evil"}, "whsec_other")
        unsigned = self.client.post(f"{ROOT}/webhook/", {}, format="json")
        for response in (forged, unsigned):
            self.assertEqual((response.status_code, list(response.json())), (400, ["detail"]))
        self.product.refresh_from_db()
        self.assertEqual(self.product.name, "Team")

    def test_products_and_prices_follow_stripe(self):
        """Created, updated and deleted products and prices show in the local tables."""
        price = {"id": "price_2", "product": "prod_2", "active": True, "unit_amount": 999, "currency": "eur"}
        price["recurring"] = {"interval": "year", "interval_count": 1}
        product = {"id": "prod_2", "name": "Solo", "active": True, "metadata": {"features": "chat teams"}}
        self.assertEqual(send(self.client, "price.created", price).json()["handled"], True)
        self.assertEqual(send(self.client, "product.created", product).status_code, 200)
        stored = Price.objects.get(price_id="price_2")
        self.assertEqual(
            (str(stored.unit_amount), stored.freq, stored.product.name), ("9.99", "year_1", "Solo")
        )
        self.assertEqual(stored.product.features, ["chat", "teams"])
        send(self.client, "price.deleted", price)
        send(self.client, "product.deleted", product)
        stored = Price.objects.get(price_id="price_2")
        self.assertEqual((stored.active, stored.product.active), (False, False))

    def test_subscriptions_follow_stripe(self):
        """A subscription appears on its workspace, and its end is recorded."""
        Customer.objects.create(user=self.ada, customer_id="cus_1")
        data = {
            "id": "sub_1",
            "customer": "cus_1",
            "status": "trialing",
            "metadata": {"workspace_id": str(self.workspace.pk)},
            "items": {"data": [{"price": {"id": "price_1"}, "current_period_end": 1_800_000_000}]},
        }
        send(self.client, "customer.subscription.created", data)
        shown = self.as_ada.get(f"{self.root}/").json()["subscription"]
        self.assertEqual((shown["status"], shown["product_name"]), ("trialing", "Team"))
        self.assertEqual(shown["current_period_end"], "2027-01-15T08:00:00Z")
        send(self.client, "customer.subscription.created", {**data, "id": "sub_2", "metadata": {}})
        send(self.client, "customer.subscription.deleted", data)
        self.assertEqual(Subscription.objects.get(subscription_id="sub_1").status, "canceled")

    def test_strangers_and_other_events_are_ignored(self):
        """Unknown customers and event types are acknowledged without effect."""
        items = {"data": [{"price": {"id": "price_1"}}]}
        stranger = {"id": "sub_9", "customer": "cus_9", "status": "active", "items": items}
        send(self.client, "customer.subscription.updated", stranger)
        self.assertFalse(Subscription.objects.exists())
        for kind in ("invoice.paid", "product.archived"):
            self.assertEqual(send(self.client, kind, {}).json(), {"received": True, "handled": False})
