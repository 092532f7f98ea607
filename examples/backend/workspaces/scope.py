"""The workspace a request is about."""

from django.shortcuts import get_object_or_404

from workspaces.models import Workspace


class WorkspaceScopedMixin:
    """Puts the workspace named in the URL on the view, before anything else happens.

    Who is no member gets a 404 for every route below the workspace, whatever the rest of the path says.
    """

    def initial(self, request, *args, **kwargs):
        """Look the workspace up once the caller is known."""
        super().initial(request, *args, **kwargs)
        visible = Workspace.objects.visible_to(request.user).select_related("owner")
        self.workspace = get_object_or_404(visible, pk=kwargs["workspace_id"])
