"""Endpoints of workspaces."""

from rest_framework import permissions, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from common.mixins import PartialUpdateMixin
from workspaces.models import Workspace
from workspaces.serializers import WorkspaceSerializer


class OwnerOrReadOnly(permissions.BasePermission):
    """Members read a workspace; its owner changes or deletes it."""

    message = "Only the owner of the workspace may do this."

    def has_object_permission(self, request, view, obj) -> bool:
        """Ownership, or a method that changes nothing."""
        return request.method in permissions.SAFE_METHODS or obj.owner_id == request.user.pk


class WorkspaceViewSet(PartialUpdateMixin, ModelViewSet):
    """The caller's workspaces."""

    serializer_class = WorkspaceSerializer
    permission_classes = [permissions.IsAuthenticated, OwnerOrReadOnly]
    lookup_value_converter = "uuid"

    def get_queryset(self):
        """Only workspaces the caller is a member of."""
        return (
            Workspace.objects.visible_to(self.request.user)
            .select_related("subscription__price__product")
            .prefetch_related("memberships__user")
        )

    @action(detail=True, methods=["post"], permission_classes=[permissions.IsAuthenticated])
    def leave(self, request, pk=None):
        """Give up the membership, and with it the memberships in the workspace's teams."""
        workspace = self.get_object()
        if workspace.owner_id == request.user.pk:
            raise ValidationError({"detail": "The owner cannot leave the workspace; delete it instead."})
        if request.user.owned_teams.filter(workspace=workspace).exists():
            raise ValidationError({"detail": "Delete the teams you own in this workspace first."})
        request.user.team_memberships.filter(team__workspace=workspace).delete()
        workspace.memberships.filter(user=request.user).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
