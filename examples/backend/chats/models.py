"""Chats, their messages, who they are shared with, and answers that are still being worked on."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone

from common.models import TimeStampedModel, UUIDModel
from knowledge_bases.models import KnowledgeBase
from workspaces.models import Workspace

MESSAGE_CHARACTERS = 100_000


def decimal_between(low: int, high: int) -> models.DecimalField:
    """An optional model parameter with two decimal places."""
    limits = [MinValueValidator(Decimal(low)), MaxValueValidator(Decimal(high))]
    return models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True, validators=limits)


class ChatQuerySet(models.QuerySet):
    """Chats by who may take part."""

    def visible_to(self, user) -> "ChatQuerySet":
        """A user's own chats and those shared with the user."""
        return self.filter(Q(user=user) | Q(shares__user=user)).distinct()


class Chat(UUIDModel):
    """A conversation with its model settings; private until it is shared or made public."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        COMPLETED = "completed"
        ARCHIVED = "archived"

    class Provider(models.TextChoices):
        OPENAI = "openai"
        ANTHROPIC = "anthropic"
        GOOGLE = "google"
        GROQ = "groq"
        DEEPSEEK = "deepseek"

    class Framework(models.TextChoices):
        NONE = "none"
        LANGGRAPH = "langgraph"
        PYDANTIC_AI = "pydantic_ai"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="chats")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chats")
    name = models.CharField(max_length=255, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    ai_provider = models.CharField(max_length=20, choices=Provider, default=Provider.OPENAI)
    ai_model = models.CharField(max_length=100, default="echo")
    agent_framework = models.CharField(max_length=20, choices=Framework, default=Framework.LANGGRAPH)
    system_prompt = models.TextField(blank=True)
    temperature = decimal_between(0, 2)
    max_tokens = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    top_p = decimal_between(0, 1)
    frequency_penalty = decimal_between(-2, 2)
    presence_penalty = decimal_between(-2, 2)
    stream = models.BooleanField(default=False)
    model_parameters = models.JSONField(default=dict, blank=True)
    is_public = models.BooleanField(default=False)
    shareable_link_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    knowledge_bases = models.ManyToManyField(KnowledgeBase, related_name="chats")

    objects = ChatQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name or str(self.pk)

    @property
    def is_shared(self) -> bool:
        """Whether anybody else takes part; reads prefetched shares where there are some."""
        return bool(self.shares.all())

    def add_message(self, **fields) -> "Message":
        """Append a message; the database's write lock, taken when the request began, keeps numbers unique."""
        last = self.messages.aggregate(last=Max("sequence_number"))["last"] or 0
        return self.messages.create(sequence_number=last + 1, **fields)


class ChatShare(TimeStampedModel):
    """One more member who may read and write in a chat."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_shares")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["chat", "user"], name="one_share_per_user")]


class Message(UUIDModel):
    """One turn of a chat; an answer's parent is the message it answers."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"
        SYSTEM = "system"
        TOOL = "tool"

    session = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    parent_message = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="answers")
    sequence_number = models.PositiveIntegerField()
    role = models.CharField(max_length=20, choices=Role)
    content = models.TextField(max_length=MESSAGE_CHARACTERS)
    tool_calls = models.JSONField(default=list)
    # How often this message has been answered; lets a regenerated answer differ from the one before.
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sequence_number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "sequence_number"], name="one_message_per_number")
        ]


class AgentTask(UUIDModel):
    """An answer that is not there yet, in asynchronous mode."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="tasks")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tasks")
    due_at = models.DateTimeField()
    is_finished = models.BooleanField(default=False)

    @property
    def is_due(self) -> bool:
        """Whether the pretended work has taken long enough."""
        return not self.is_finished and timezone.now() >= self.due_at
