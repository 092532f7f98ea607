"""A document of a workspace, and the chunks it was split into."""

from django.conf import settings
from django.db import models

from common.models import TimeStampedModel, UUIDModel
from workspaces.models import Workspace


class Document(UUIDModel):
    """The record of a file or a web source; the bytes of a file are in the object store."""

    class Source(models.TextChoices):
        FILE = "file"
        WEB_URL = "web_url"
        YOUTUBE = "youtube"

    class Processing(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    # The vocabulary of a task queue, which is what clients poll for.
    TASK_STATUS = {
        Processing.PENDING: "PENDING",
        Processing.PROCESSING: "STARTED",
        Processing.READY: "SUCCESS",
        Processing.FAILED: "FAILURE",
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="documents")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="documents", null=True
    )
    name = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    source_type = models.CharField(max_length=20, choices=Source, default=Source.FILE)
    source_url = models.URLField(max_length=2048, blank=True)
    s3_key = models.CharField(max_length=1024, blank=True)
    original_filename = models.CharField(max_length=500, blank=True)
    file_type = models.CharField(max_length=20, blank=True)
    mime_type = models.CharField(max_length=100, blank=True)
    file_size = models.PositiveBigIntegerField(default=0)
    processing_status = models.CharField(max_length=20, choices=Processing, default=Processing.PENDING)
    processing_error = models.TextField(blank=True)
    embedding_model = models.CharField(max_length=100, blank=True)
    chunk_count = models.PositiveIntegerField(default=0)
    task_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def task_status(self) -> str:
        """The processing status as a task queue would name it."""
        return self.TASK_STATUS[self.processing_status]


class DocumentChunk(TimeStampedModel):
    """A passage of a document, small enough to be quoted."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    index = models.PositiveIntegerField()
    text = models.TextField()
    page_number = models.PositiveIntegerField(null=True)
    section_heading = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["document", "index"], name="one_chunk_per_index")]
