"""The JSON of an invitation."""

from rest_framework import serializers

from accounts.models import User
from invitations.models import Invitation
from teams.serializers import GRANTABLE_ROLES


class InvitationSerializer(serializers.ModelSerializer):
    """Created for the group (workspace or team) that the view puts into the context."""

    role = serializers.ChoiceField(choices=GRANTABLE_ROLES, default="member")

    class Meta:
        model = Invitation
        fields = [
            "id",
            "workspace",
            "team",
            "inviter",
            "invitee",
            "email",
            "role",
            "is_accepted",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["workspace", "team", "inviter", "invitee", "is_accepted"]

    def validate_email(self, value):
        """Refuse who is in already, and who has an open invitation."""
        email = value.lower()
        group = self.context["group"]
        if group.memberships.filter(user__email=email).exists():
            raise serializers.ValidationError("This person is already a member.")
        if group.invitations.filter(email=email, is_accepted=False).exists():
            raise serializers.ValidationError("This person has already been invited.")
        return email

    def create(self, validated_data):
        """Record who invites whom; the invitee stays empty until that account exists."""
        return self.context["group"].invitations.create(
            inviter=self.context["request"].user,
            invitee=User.objects.filter(email=validated_data["email"]).first(),
            **validated_data,
        )
