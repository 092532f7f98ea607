"""Endpoints of teams and their memberships."""

from django.shortcuts import get_object_or_404
from rest_framework import mixins, permissions, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from common.mixins import PartialUpdateMixin
from common.permissions import CreatorOrWorkspaceOwner
from teams.models import Team
from teams.serializers import TeamMembershipSerializer, TeamSerializer
from workspaces.models import Role
from workspaces.scope import WorkspaceScopedMixin


class TeamViewSet(WorkspaceScopedMixin, PartialUpdateMixin, ModelViewSet):
    """The teams of a workspace."""

    serializer_class = TeamSerializer
    permission_classes = [permissions.IsAuthenticated, CreatorOrWorkspaceOwner]
    creator_field = "owner"
    lookup_value_converter = "int"

    def get_queryset(self):
        """All teams of the workspace."""
        teams = Team.objects.filter(workspace=self.workspace)
        return teams.select_related("workspace").prefetch_related("memberships__user")

    @action(detail=True, methods=["post"], permission_classes=[permissions.IsAuthenticated])
    def leave(self, request, workspace_id=None, pk=None):
        """Give up the membership."""
        team = self.get_object()
        if team.owner_id == request.user.pk:
            raise ValidationError({"detail": "The owner cannot leave the team; delete it instead."})
        removed, _ = team.memberships.filter(user=request.user).delete()
        if not removed:
            raise ValidationError({"detail": "You are not a member of this team."})
        return Response(status=status.HTTP_204_NO_CONTENT)


class TeamMembershipViewSet(
    WorkspaceScopedMixin, PartialUpdateMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Changing a member's role and removing a member, by the team's or the workspace's owner."""

    serializer_class = TeamMembershipSerializer
    lookup_value_converter = "int"

    def get_queryset(self):
        """The members of the team in the URL, once the caller may manage them."""
        teams = Team.objects.filter(workspace=self.workspace)
        team = get_object_or_404(teams, pk=self.kwargs["team_id"])
        if self.request.user.pk not in {team.owner_id, self.workspace.owner_id}:
            self.permission_denied(self.request, message=CreatorOrWorkspaceOwner.message)
        return team.memberships.select_related("user")

    def perform_update(self, serializer):
        """Keep the owner's role, then save."""
        self._refuse_owner(serializer.instance)
        serializer.save()

    def perform_destroy(self, instance):
        """Keep the owner's membership, then delete."""
        self._refuse_owner(instance)
        instance.delete()

    @staticmethod
    def _refuse_owner(membership):
        """A team without its owner could not be managed any more."""
        if membership.role == Role.OWNER:
            raise ValidationError({"detail": "The owner's membership cannot be changed."})
