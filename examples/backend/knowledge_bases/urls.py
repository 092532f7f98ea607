"""Routes of knowledge bases."""

from rest_framework.routers import SimpleRouter

from knowledge_bases.views import KnowledgeBaseViewSet

router = SimpleRouter(use_regex_path=False)
router.register(
    "workspaces/<uuid:workspace_id>/knowledge-bases", KnowledgeBaseViewSet, basename="knowledge-base"
)

urlpatterns = router.urls
