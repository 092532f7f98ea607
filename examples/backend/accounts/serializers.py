"""How a user appears inside other objects."""

from rest_framework import serializers

from accounts.models import User


class UserBriefSerializer(serializers.ModelSerializer):
    """The part of a user which fellow members may see."""

    class Meta:
        model = User
        fields = ["id", "email", "name"]
        read_only_fields = fields
