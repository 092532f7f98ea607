"""The JSON of documents and chunks, and of the two ways to add a document."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import URLValidator
from rest_framework import serializers

from documents.filetypes import accepted_types, extension_of
from documents.models import Document, DocumentChunk

YOUTUBE_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"}
NOT_FETCHED = "Not fetched: this backend makes no network requests."


class DocumentSerializer(serializers.ModelSerializer):
    """A document; clients may rename and describe it, the rest is the server's."""

    class Meta:
        model = Document
        fields = [
            "id",
            "workspace",
            "uploaded_by",
            "name",
            "description",
            "source_type",
            "source_url",
            "s3_key",
            "original_filename",
            "file_type",
            "mime_type",
            "file_size",
            "processing_status",
            "processing_error",
            "embedding_model",
            "chunk_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [name for name in fields if name not in {"name", "description"}]


class DocumentChunkSerializer(serializers.ModelSerializer):
    """A chunk."""

    class Meta:
        model = DocumentChunk
        fields = ["id", "index", "text", "page_number", "section_heading", "metadata"]
        read_only_fields = fields


class ProcessingStatusSerializer(serializers.ModelSerializer):
    """What a client polls after an upload."""

    status = serializers.CharField(source="task_status")

    class Meta:
        model = Document
        fields = ["task_id", "status", "processing_status", "processing_error", "chunk_count"]
        read_only_fields = fields


class NewDocumentSerializer(serializers.Serializer):
    """What both ways of adding a document have in common."""

    name = serializers.CharField(max_length=500, required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    knowledge_base_ids = serializers.ListField(child=serializers.UUIDField(), required=False, default=list)

    def validate_knowledge_base_ids(self, value):
        """Only knowledge bases which the caller can see in this workspace."""
        view = self.context["view"]
        found = view.workspace.knowledge_bases.visible_to(view.request.user).filter(pk__in=value)
        if len(found) != len(set(value)):
            raise serializers.ValidationError("Unknown knowledge base.")
        return found

    def create(self, validated_data):
        """Store the record and put it into the knowledge bases."""
        view = self.context["view"]
        knowledge_bases = validated_data.pop("knowledge_base_ids")
        document = Document.objects.create(
            workspace=view.workspace, uploaded_by=view.request.user, **self.fields_of(validated_data)
        )
        document.knowledge_bases.set(knowledge_bases)
        return document

    def fields_of(self, validated_data) -> dict:
        """The model's fields for the accepted body."""
        raise NotImplementedError


class UploadSerializer(NewDocumentSerializer):
    """Announces a file; its bytes follow by a presigned URL."""

    filename = serializers.RegexField(r"^[^/\\\x00-\x1f\x7f]+$", max_length=500)
    content_type = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    file_size = serializers.IntegerField(min_value=1)

    def validate_filename(self, value):
        """Only the configured kinds of file."""
        if extension_of(value) not in settings.DOCUMENT_ALLOWED_EXTENSIONS:
            allowed = ", ".join(settings.DOCUMENT_ALLOWED_EXTENSIONS)
            raise serializers.ValidationError(f"This file type is not allowed. Allowed are: {allowed}.")
        return value

    def validate_file_size(self, value):
        """Only up to the configured size."""
        limit = settings.DOCUMENT_MAX_UPLOAD_SIZE
        if value > limit:
            raise serializers.ValidationError(f"At most {limit} bytes are allowed.")
        return value

    def validate(self, attrs):
        """The declared type has to go with the extension; browsers that know none send an empty one."""
        accepted = accepted_types(extension_of(attrs["filename"]))
        if attrs["content_type"] and attrs["content_type"].lower() not in accepted:
            raise serializers.ValidationError({"content_type": f"Expected one of: {', '.join(accepted)}."})
        return attrs

    def fields_of(self, validated_data) -> dict:
        """Fill in what follows from the name of the file."""
        filename = validated_data.pop("filename")
        extension = extension_of(filename)
        mime_type = validated_data.pop("content_type").lower() or accepted_types(extension)[0]
        own = {"original_filename": filename, "file_type": extension, "mime_type": mime_type}
        return {"name": filename, **validated_data, **own}

    def create(self, validated_data):
        """The key of the bytes contains the id, which exists only now."""
        document = super().create(validated_data)
        document.s3_key = f"documents/{document.workspace_id}/{document.pk}/{document.original_filename}"
        document.save(update_fields=["s3_key"])
        return document


class FromURLSerializer(NewDocumentSerializer):
    """Records a web page or a video; nothing is fetched."""

    url = serializers.CharField(max_length=2048, validators=[URLValidator(schemes=["http", "https"])])
    source_type = serializers.ChoiceField(
        choices=[Document.Source.WEB_URL.value, Document.Source.YOUTUBE.value], required=False
    )

    def fields_of(self, validated_data) -> dict:
        """Tell videos from pages by their host, unless the caller did."""
        url = validated_data.pop("url")
        is_video = urlsplit(url).hostname in YOUTUBE_HOSTS
        source_type = Document.Source.YOUTUBE if is_video else Document.Source.WEB_URL
        own = {"source_url": url, "processing_error": NOT_FETCHED}
        return {"name": url[:500], "source_type": source_type, **validated_data, **own}
