"""Object permissions that several apps share."""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class CreatorOrWorkspaceOwner(BasePermission):
    """Who may see an object may read it; only its creator or the workspace's owner may change it.

    The view names the object's creator field in ``creator_field``.
    """

    message = "Only its creator or the owner of the workspace may do this."

    def has_object_permission(self, request, view, obj) -> bool:
        """Compare ids, so that no further query is needed."""
        if request.method in SAFE_METHODS:
            return True
        return request.user.pk in {getattr(obj, f"{view.creator_field}_id"), obj.workspace.owner_id}
