"""A team and its members."""

from django.conf import settings
from django.db import models

from common.models import TimeStampedModel
from workspaces.models import Role, Workspace


class TeamQuerySet(models.QuerySet):
    """Creation of teams."""

    def create_for(self, owner, **fields) -> "Team":
        """Create a team together with its owner's membership."""
        team = self.create(owner=owner, **fields)
        team.memberships.create(user=owner, role=Role.OWNER)
        return team


class Team(TimeStampedModel):
    """A named group inside a workspace; every member of the workspace can see it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="teams")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_teams")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    def may_invite(self, user) -> bool:
        """The team's owner and admins, and the owner of the workspace, bring in new members."""
        if user.pk == self.workspace.owner_id:
            return True
        return self.memberships.filter(user=user, role__in=[Role.OWNER, Role.ADMIN]).exists()


class TeamMembership(TimeStampedModel):
    """One user's place in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="team_memberships"
    )
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_place_per_team")]
