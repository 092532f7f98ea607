"""The JSON of teams and their members."""

from rest_framework import serializers

from accounts.serializers import UserBriefSerializer
from teams.models import Team, TeamMembership
from workspaces.models import Role

GRANTABLE_ROLES = [Role.ADMIN.value, Role.MEMBER.value]


class TeamMembershipSerializer(serializers.ModelSerializer):
    """A member of a team; only the role can be changed, and ownership cannot be handed out."""

    user = UserBriefSerializer(read_only=True)
    role = serializers.ChoiceField(choices=GRANTABLE_ROLES)

    class Meta:
        model = TeamMembership
        fields = ["id", "team", "user", "role", "created_at", "updated_at"]
        read_only_fields = ["team"]

    def to_representation(self, instance):
        """Show the stored role, which may be ``owner``."""
        return {**super().to_representation(instance), "role": instance.role}


class TeamSerializer(serializers.ModelSerializer):
    """A team with its members."""

    members = TeamMembershipSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = Team
        fields = ["id", "workspace", "owner", "name", "description", "members", "created_at", "updated_at"]
        read_only_fields = ["workspace", "owner"]

    def create(self, validated_data):
        """The caller becomes the owner and the first member."""
        view = self.context["view"]
        return Team.objects.create_for(view.request.user, workspace=view.workspace, **validated_data)
