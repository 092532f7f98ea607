"""Endpoints of invitations: below a workspace, below a team, and for the invited person."""

from django.shortcuts import get_object_or_404
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import ListCreateAPIView
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from invitations.mail import send_invitation
from invitations.models import Invitation
from invitations.serializers import InvitationSerializer
from workspaces.scope import WorkspaceScopedMixin


class WorkspaceInvitationsView(WorkspaceScopedMixin, ListCreateAPIView):
    """Every member sees the invitations into a workspace; owner and admins send them."""

    serializer_class = InvitationSerializer

    def get_group(self):
        """The workspace or team to invite into."""
        return self.workspace

    def get_queryset(self):
        """All invitations into the group."""
        return self.get_group().invitations.all()

    def get_serializer_context(self):
        """Tell the serializer which group it is about."""
        return {**super().get_serializer_context(), "group": self.get_group()}

    def create(self, request, *args, **kwargs):
        """Check the right to invite before the body is looked at."""
        if not self.get_group().may_invite(request.user):
            raise PermissionDenied("Only the owner and admins may invite.")
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer):
        """Save, then tell the invited person."""
        send_invitation(serializer.save())


class TeamInvitationsView(WorkspaceInvitationsView):
    """The same for a team of the workspace."""

    def get_group(self):
        """The team named in the URL."""
        return get_object_or_404(self.workspace.teams, pk=self.kwargs["team_id"])


class InvitationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """The caller's own invitations; deleting one declines it, or withdraws it when it was sent."""

    serializer_class = InvitationSerializer
    lookup_value_converter = "int"

    def get_queryset(self):
        """A list shows what the caller received; a single one may also be sent by the caller."""
        invitations = Invitation.objects.select_related("workspace", "team__workspace", "inviter")
        if self.action == "list":
            return invitations.received_by(self.request.user)
        return invitations.visible_to(self.request.user)

    @action(detail=True, methods=["post"])
    def accept(self, request, pk=None):
        """Join what the invitation leads into."""
        invitation = self.get_object()
        if not invitation.is_for(request.user):
            raise PermissionDenied("This invitation is for somebody else.")
        if invitation.is_accepted:
            raise ValidationError({"detail": "This invitation has already been accepted."})
        invitation.accept(request.user)
        return Response(self.get_serializer(invitation).data)

    @action(detail=True, methods=["post"])
    def resend(self, request, pk=None):
        """Send the mail once more."""
        invitation = self.get_object()
        if invitation.inviter_id != request.user.pk or invitation.is_accepted:
            raise PermissionDenied("Only the inviter may resend an open invitation.")
        send_invitation(invitation)
        return Response(status=status.HTTP_204_NO_CONTENT)
