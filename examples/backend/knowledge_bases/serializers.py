"""The JSON of knowledge bases."""

from rest_framework import serializers

from knowledge_bases.models import KnowledgeBase


class KnowledgeBaseSerializer(serializers.ModelSerializer):
    """A knowledge base with the ids of its documents."""

    class Meta:
        model = KnowledgeBase
        fields = [
            "id",
            "workspace",
            "name",
            "description",
            "created_by",
            "is_shared_with_workspace",
            "documents",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["workspace", "created_by", "documents"]


class DocumentIdsSerializer(serializers.Serializer):
    """A choice of documents of the view's workspace."""

    document_ids = serializers.ListField(child=serializers.UUIDField(), allow_empty=False)

    def validate_document_ids(self, value):
        """Every id has to be a document of the workspace."""
        found = self.context["view"].workspace.documents.filter(pk__in=value)
        if len(found) != len(set(value)):
            raise serializers.ValidationError("Unknown document.")
        return found
