"""The JSON of chats, messages and shares, and the bodies of their actions."""

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import UserBriefSerializer
from chats.models import MESSAGE_CHARACTERS, Chat, ChatShare, Message

CHAT_FIELDS = [
    "id",
    "workspace",
    "user",
    "name",
    "status",
    "ai_provider",
    "ai_model",
    "agent_framework",
    "system_prompt",
    "temperature",
    "max_tokens",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "stream",
    "model_parameters",
    "is_shared",
    "is_public",
    "shareable_link_id",
    "knowledge_bases",
    "created_at",
    "updated_at",
]


class ChatSerializer(serializers.ModelSerializer):
    """A chat and its model settings."""

    model_parameters = serializers.DictField(required=False)

    class Meta:
        model = Chat
        fields = CHAT_FIELDS
        read_only_fields = [
            "workspace",
            "user",
            "is_shared",
            "is_public",
            "shareable_link_id",
            "knowledge_bases",
        ]


class MessageSerializer(serializers.ModelSerializer):
    """A message."""

    class Meta:
        model = Message
        fields = [
            "id",
            "session",
            "user",
            "parent_message",
            "sequence_number",
            "role",
            "content",
            "tool_calls",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class PublicChatSerializer(serializers.ModelSerializer):
    """What a public link shows: the conversation, but nobody's ids or settings."""

    messages = serializers.SerializerMethodField()

    class Meta:
        model = Chat
        fields = ["name", "created_at", "messages"]

    def get_messages(self, chat) -> list[dict]:
        """Roles and texts in order."""
        return list(chat.messages.values("role", "content", "created_at"))


class NewMessageSerializer(serializers.Serializer):
    """A message the user sends; only users write, the assistant answers by itself."""

    role = serializers.ChoiceField(choices=[Message.Role.USER.value], default=Message.Role.USER.value)
    content = serializers.CharField(max_length=MESSAGE_CHARACTERS, trim_whitespace=False)
    stream = serializers.BooleanField(default=False)


class RegenerateSerializer(serializers.Serializer):
    """Which question to answer again, perhaps reworded: the last one unless told otherwise."""

    message_id = serializers.UUIDField(required=False)
    content = serializers.CharField(max_length=MESSAGE_CHARACTERS, required=False, trim_whitespace=False)
    stream = serializers.BooleanField(default=False)

    def validate(self, attrs):
        """Find the question."""
        questions = self.context["chat"].messages.filter(role=Message.Role.USER)
        if "message_id" in attrs:
            questions = questions.filter(pk=attrs["message_id"])
        attrs["question"] = questions.last()
        if attrs["question"] is None:
            raise serializers.ValidationError({"message_id": ["There is no such user message in this chat."]})
        return attrs


class ChatShareSerializer(serializers.ModelSerializer):
    """Who takes part in a chat."""

    user = UserBriefSerializer(read_only=True)

    class Meta:
        model = ChatShare
        fields = ["id", "chat", "user", "created_at"]
        read_only_fields = fields


class ParticipantSerializer(serializers.Serializer):
    """Names a member of the workspace by e-mail or by id."""

    email = serializers.EmailField(required=False)
    user_id = serializers.IntegerField(required=False)

    def validate(self, attrs):
        """Exactly one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either email or user_id.")
        return attrs

    def find(self) -> User:
        """The member, or 404."""
        data = self.validated_data
        lookup = {"email": data["email"]} if "email" in data else {"pk": data["user_id"]}
        members = User.objects.filter(workspace_memberships__workspace=self.context["view"].workspace)
        return get_object_or_404(members, **lookup)


class KnowledgeBaseChoiceSerializer(serializers.Serializer):
    """Names one or several knowledge bases."""

    knowledge_base_id = serializers.UUIDField(required=False)
    knowledge_base_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_empty=False
    )

    def validate(self, attrs):
        """Collect the ids, and find them among what the caller can see."""
        chosen = {*attrs.get("knowledge_base_ids", [])}
        if "knowledge_base_id" in attrs:
            chosen.add(attrs["knowledge_base_id"])
        if not chosen:
            raise serializers.ValidationError({"knowledge_base_ids": ["This field is required."]})
        view = self.context["view"]
        found = view.workspace.knowledge_bases.visible_to(view.request.user).filter(pk__in=chosen)
        if len(found) != len(chosen):
            raise serializers.ValidationError({"knowledge_base_ids": ["Unknown knowledge base."]})
        return {"knowledge_bases": found}
