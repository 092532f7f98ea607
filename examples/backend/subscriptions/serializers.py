"""The JSON of prices, and the body of a checkout."""

from rest_framework import serializers

from subscriptions.models import Price, Product
from workspaces.models import Workspace


class ProductSerializer(serializers.ModelSerializer):
    """A product as shown on a pricing page."""

    class Meta:
        model = Product
        fields = ["product_id", "name", "description", "features", "active"]
        read_only_fields = fields


class PriceSerializer(serializers.ModelSerializer):
    """A price with its product."""

    product = ProductSerializer(read_only=True)

    class Meta:
        model = Price
        fields = ["price_id", "unit_amount", "currency", "freq", "active", "product"]
        read_only_fields = fields


class CheckoutSerializer(serializers.Serializer):
    """What to buy, and for which workspace."""

    price_id = serializers.SlugRelatedField(
        slug_field="price_id", queryset=Price.objects.filter(active=True, product__active=True)
    )
    workspace_id = serializers.UUIDField()

    def validate_workspace_id(self, value):
        """A workspace of the caller's; whether the caller may buy for it is the view's question."""
        workspace = Workspace.objects.visible_to(self.context["request"].user).filter(pk=value).first()
        if workspace is None:
            raise serializers.ValidationError("Unknown workspace.")
        return workspace
