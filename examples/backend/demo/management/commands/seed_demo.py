"""``manage.py seed_demo``: something to look at and to test against."""

import json

from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import User
from subscriptions.models import Price, Product
from workspaces.models import Workspace

PASSWORD = "correct horse battery staple"
WORKSPACE = "Analytical Engine"
PRODUCTS = {
    "prod_demo_basic": ("Basic", "For one person.", ["chat"], {"price_demo_basic_month": (9, "month_1")}),
    "prod_demo_team": (
        "Team",
        "For everybody.",
        ["chat", "documents", "teams"],
        {"price_demo_team_month": (29, "month_1"), "price_demo_team_year": (290, "year_1")},
    ),
}


class Command(BaseCommand):
    """Creates what is missing and leaves the rest alone, so that it may run at every start."""

    help = "Create two active users, a workspace they share, and a few prices; print their ids as JSON."

    def add_arguments(self, parser):
        """The first user's credentials; the second user has the same password."""
        parser.add_argument("--email", default="ada@example.com")
        parser.add_argument("--password", default=PASSWORD)

    @transaction.atomic
    def handle(self, *args, **options):
        """Seed, then tell."""
        owner = self._user(options["email"], "Ada Lovelace", options["password"])
        member = self._user("grace@example.com", "Grace Hopper", options["password"])
        workspace = owner.owned_workspaces.filter(name=WORKSPACE).first()
        if workspace is None:
            workspace = Workspace.objects.create_for(owner, name=WORKSPACE)
        workspace.memberships.get_or_create(user=member)
        summary = {
            "user": {"id": owner.pk, "email": owner.email},
            "second_user": {"id": member.pk, "email": member.email},
            "workspace": {"id": str(workspace.pk), "name": workspace.name},
            "prices": self._prices(),
        }
        self.stdout.write(json.dumps(summary, indent=2))

    @staticmethod
    def _user(email, name, password) -> User:
        """An existing user keeps name and password."""
        user = User.objects.filter(email=email).first()
        return user or User.objects.create_user(email, password, name=name)

    @staticmethod
    def _prices() -> list[str]:
        """The ids of the demo prices."""
        ids = []
        for product_id, (name, description, features, prices) in PRODUCTS.items():
            fields = {"name": name, "description": description, "features": features}
            product, _ = Product.objects.get_or_create(product_id=product_id, defaults=fields)
            for price_id, (amount, freq) in prices.items():
                fields = {"product": product, "unit_amount": amount, "currency": "usd", "freq": freq}
                Price.objects.get_or_create(price_id=price_id, defaults=fields)
                ids.append(price_id)
        return ids
