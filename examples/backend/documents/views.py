"""Endpoints of documents."""

from django.http import FileResponse
from rest_framework import mixins, permissions, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from common.mixins import PartialUpdateMixin
from common.permissions import CreatorOrWorkspaceOwner
from documents.ingestion import ingest
from documents.models import Document
from documents.serializers import (
    DocumentChunkSerializer,
    DocumentSerializer,
    FromURLSerializer,
    ProcessingStatusSerializer,
    UploadSerializer,
)
from storage import store
from storage.presign import Permission, presigned_url
from workspaces.scope import WorkspaceScopedMixin


class DocumentViewSet(
    WorkspaceScopedMixin,
    PartialUpdateMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """The documents of a workspace: every member reads them."""

    serializer_class = DocumentSerializer
    permission_classes = [permissions.IsAuthenticated, CreatorOrWorkspaceOwner]
    creator_field = "uploaded_by"
    lookup_value_converter = "uuid"

    def get_queryset(self):
        """All documents of the workspace."""
        return Document.objects.filter(workspace=self.workspace).select_related("workspace")

    def _create(self, serializer_class):
        """A new document from the request's body."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.save()

    @action(detail=False, methods=["post"])
    def upload(self, request, workspace_id=None):
        """Record a file and say where its bytes go."""
        document = self._create(UploadSerializer)
        # The type is checked at the store only when the client declared one.
        declared = document.mime_type if request.data.get("content_type") else ""
        permission = Permission("PUT", document.s3_key, declared, document.file_size)
        url = presigned_url(permission, request)
        body = {"document_id": document.pk, "upload_url": url, "s3_key": document.s3_key}
        return Response(body, status=status.HTTP_201_CREATED)

    @action(detail=False, methods=["post"], url_path="from-url")
    def from_url(self, request, workspace_id=None):
        """Record a web page or a video."""
        document = self._create(FromURLSerializer)
        return Response(self.get_serializer(document).data, status=status.HTTP_201_CREATED)

    @action(detail=True, methods=["post"], url_path="confirm-upload")
    def confirm_upload(self, request, workspace_id=None, pk=None):
        """Ingest the bytes which the client says it has stored."""
        document = self.get_object()
        if not store.exists(document.s3_key):
            raise ValidationError({"detail": "No bytes have been uploaded for this document."})
        ingest(document)
        return Response({"task_id": document.task_id}, status=status.HTTP_202_ACCEPTED)

    @action(detail=True, methods=["post"])
    def reprocess(self, request, workspace_id=None, pk=None):
        """Ingest the stored bytes again."""
        return self.confirm_upload(request, workspace_id, pk)

    @action(detail=True, url_path="processing-status")
    def processing_status(self, request, workspace_id=None, pk=None):
        """How far the ingestion is."""
        return Response(ProcessingStatusSerializer(self.get_object()).data)

    @action(detail=True)
    def chunks(self, request, workspace_id=None, pk=None):
        """What the document was split into."""
        return Response(DocumentChunkSerializer(self.get_object().chunks.all(), many=True).data)

    @action(detail=True)
    def content(self, request, workspace_id=None, pk=None):
        """The original bytes."""
        document = self._stored_document()
        return FileResponse(
            store.open_object(document.s3_key),
            content_type=document.mime_type,
            filename=document.original_filename,
        )

    @action(detail=True, url_path="download-url")
    def download_url(self, request, workspace_id=None, pk=None):
        """A presigned URL of the original bytes."""
        document = self._stored_document()
        permission = Permission(
            "GET", document.s3_key, document.mime_type, filename=document.original_filename
        )
        return Response({"download_url": presigned_url(permission, request)})

    def _stored_document(self):
        """The document, provided its bytes have arrived."""
        document = self.get_object()
        if not store.exists(document.s3_key):
            raise NotFound("No bytes are stored for this document.")
        return document
