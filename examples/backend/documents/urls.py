"""Routes of documents."""

from rest_framework.routers import SimpleRouter

from documents.views import DocumentViewSet

router = SimpleRouter(use_regex_path=False)
router.register("workspaces/<uuid:workspace_id>/documents", DocumentViewSet, basename="document")

urlpatterns = router.urls
