"""An invitation: an e-mail address that may join a workspace or a team."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.fields import LowercaseEmailField
from common.models import TimeStampedModel
from teams.models import Team
from workspaces.models import Role, Workspace


class InvitationQuerySet(models.QuerySet):
    """Invitations by who they concern."""

    def received_by(self, user) -> "InvitationQuerySet":
        """Invitations of this user, also those sent before the account existed."""
        return self.filter(Q(invitee=user) | Q(invitee=None, email=user.email))

    def visible_to(self, user) -> "InvitationQuerySet":
        """Received and sent invitations."""
        return (self.received_by(user) | self.filter(inviter=user)).distinct()


class Invitation(TimeStampedModel):
    """Exactly one of ``workspace`` and ``team`` is set."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations", null=True)
    team = models.ForeignKey(Team, models.CASCADE, related_name="invitations", null=True)
    inviter = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sent_invitations")
    invitee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="received_invitations", null=True
    )
    email = LowercaseEmailField()
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER)
    is_accepted = models.BooleanField(default=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(workspace=None, team__isnull=False) | Q(workspace__isnull=False, team=None),
                name="invitation_into_one_group",
            )
        ]

    @property
    def group(self) -> Workspace | Team:
        """What the invitation leads into."""
        return self.team or self.workspace

    def is_for(self, user) -> bool:
        """Whether this user may accept it."""
        return self.invitee_id == user.pk or (self.invitee_id is None and self.email == user.email)

    def accept(self, user) -> None:
        """Make the user a member; a team's new member joins its workspace as well."""
        if self.team:
            self.team.workspace.memberships.get_or_create(user=user)
        self.group.memberships.get_or_create(user=user, defaults={"role": self.role})
        self.invitee = user
        self.is_accepted = True
        self.save()
