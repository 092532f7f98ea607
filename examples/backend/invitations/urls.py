"""Routes of invitations."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from invitations.views import InvitationViewSet, TeamInvitationsView, WorkspaceInvitationsView

WORKSPACE = "workspaces/<uuid:workspace_id>"
TEAM = f"{WORKSPACE}/teams/<int:team_id>"

router = SimpleRouter(use_regex_path=False)
router.register("invitations", InvitationViewSet, basename="invitation")

urlpatterns = [
    path(f"{WORKSPACE}/invitations/", WorkspaceInvitationsView.as_view(), name="workspace-invitations"),
    path(f"{TEAM}/invitations/", TeamInvitationsView.as_view(), name="team-invitations"),
    *router.urls,
]
