"""A named collection of documents."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.models import UUIDModel
from documents.models import Document
from workspaces.models import Workspace


class KnowledgeBaseQuerySet(models.QuerySet):
    """Knowledge bases by who may see them."""

    def visible_to(self, user) -> "KnowledgeBaseQuerySet":
        """A user's own ones, and those shared with the whole workspace."""
        return self.filter(Q(created_by=user) | Q(is_shared_with_workspace=True))


class KnowledgeBase(UUIDModel):
    """Links documents; it neither copies nor owns them."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="knowledge_bases")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="knowledge_bases", null=True
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    is_shared_with_workspace = models.BooleanField(default=False)
    documents = models.ManyToManyField(Document, related_name="knowledge_bases")

    objects = KnowledgeBaseQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name
