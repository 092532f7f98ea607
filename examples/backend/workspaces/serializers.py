"""The JSON of a workspace."""

from rest_framework import serializers

from accounts.serializers import UserBriefSerializer
from workspaces.models import Workspace, WorkspaceMembership


class WorkspaceMembershipSerializer(serializers.ModelSerializer):
    """A member as shown inside the workspace."""

    user = UserBriefSerializer(read_only=True)

    class Meta:
        model = WorkspaceMembership
        fields = ["id", "user", "role", "created_at", "updated_at"]
        read_only_fields = fields


class SubscriptionBriefSerializer(serializers.Serializer):
    """What a workspace's settings page needs of its subscription."""

    subscription_id = serializers.CharField()
    status = serializers.CharField()
    price_id = serializers.CharField(source="price.price_id")
    product_name = serializers.CharField(source="price.product.name")
    current_period_end = serializers.DateTimeField()
    cancel_at_period_end = serializers.BooleanField()


class WorkspaceSerializer(serializers.ModelSerializer):
    """A workspace with its members and its subscription, if it has one."""

    members = WorkspaceMembershipSerializer(source="memberships", many=True, read_only=True)
    subscription = SubscriptionBriefSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Workspace
        fields = ["id", "name", "owner", "members", "subscription", "created_at", "updated_at"]
        read_only_fields = ["owner"]

    def create(self, validated_data):
        """The caller becomes the owner and the first member."""
        return Workspace.objects.create_for(self.context["request"].user, **validated_data)
