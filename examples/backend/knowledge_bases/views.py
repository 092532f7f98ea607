"""Endpoints of knowledge bases."""

from rest_framework import permissions
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from common.mixins import PartialUpdateMixin
from common.permissions import CreatorOrWorkspaceOwner
from documents.serializers import DocumentSerializer
from knowledge_bases.models import KnowledgeBase
from knowledge_bases.serializers import DocumentIdsSerializer, KnowledgeBaseSerializer
from workspaces.scope import WorkspaceScopedMixin


class KnowledgeBaseViewSet(WorkspaceScopedMixin, PartialUpdateMixin, ModelViewSet):
    """The knowledge bases of a workspace that the caller can see."""

    serializer_class = KnowledgeBaseSerializer
    permission_classes = [permissions.IsAuthenticated, CreatorOrWorkspaceOwner]
    creator_field = "created_by"
    lookup_value_converter = "uuid"

    def get_queryset(self):
        """Own and shared ones."""
        visible = KnowledgeBase.objects.filter(workspace=self.workspace).visible_to(self.request.user)
        return visible.select_related("workspace").prefetch_related("documents")

    def perform_create(self, serializer):
        """The caller becomes the creator."""
        serializer.save(workspace=self.workspace, created_by=self.request.user)

    @action(detail=True)
    def documents(self, request, workspace_id=None, pk=None):
        """The documents inside."""
        return Response(DocumentSerializer(self.get_object().documents.all(), many=True).data)

    @action(detail=True, methods=["post"], url_path="add-documents")
    def add_documents(self, request, workspace_id=None, pk=None):
        """Link documents; linking one twice changes nothing."""
        knowledge_base = self.get_object()
        knowledge_base.documents.add(*self._chosen_documents())
        return self.retrieve(request)

    @action(detail=True, methods=["post"], url_path="remove-documents")
    def remove_documents(self, request, workspace_id=None, pk=None):
        """Unlink documents; they stay in the workspace."""
        knowledge_base = self.get_object()
        knowledge_base.documents.remove(*self._chosen_documents())
        return self.retrieve(request)

    def _chosen_documents(self):
        """The documents named in the body."""
        serializer = DocumentIdsSerializer(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data["document_ids"]
