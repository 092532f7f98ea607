"""A workspace, and who belongs to it."""

from django.conf import settings
from django.db import models

from common.models import TimeStampedModel, UUIDModel


class Role(models.TextChoices):
    """What a member of a workspace or a team is to it."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class WorkspaceQuerySet(models.QuerySet):
    """Workspaces by who may see them."""

    def visible_to(self, user) -> "WorkspaceQuerySet":
        """Only members see a workspace; to everybody else it does not exist."""
        return self.filter(memberships__user=user)

    def create_for(self, owner, **fields) -> "Workspace":
        """Create a workspace together with its owner's membership."""
        workspace = self.create(owner=owner, **fields)
        workspace.memberships.create(user=owner, role=Role.OWNER)
        return workspace


class Workspace(UUIDModel):
    """The place where members share chats, documents and teams."""

    name = models.CharField(max_length=255)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_workspaces"
    )

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name

    def may_invite(self, user) -> bool:
        """Owners and admins bring in new members."""
        return self.memberships.filter(user=user, role__in=[Role.OWNER, Role.ADMIN]).exists()


class WorkspaceMembership(TimeStampedModel):
    """One user's place in one workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="workspace_memberships"
    )
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_place_per_workspace")]
