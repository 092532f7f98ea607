"""Routes of teams."""

from rest_framework.routers import SimpleRouter

from teams.views import TeamMembershipViewSet, TeamViewSet

TEAMS = "workspaces/<uuid:workspace_id>/teams"

router = SimpleRouter(use_regex_path=False)
router.register(TEAMS, TeamViewSet, basename="team")
router.register(f"{TEAMS}/<int:team_id>/memberships", TeamMembershipViewSet, basename="team-membership")

urlpatterns = router.urls
