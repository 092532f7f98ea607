"""Endpoints of messages: history, asking, answering again, and waiting for an answer."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from chats import conversation
from chats.models import Chat
from chats.serializers import MessageSerializer, NewMessageSerializer, RegenerateSerializer
from chats.streaming import event_stream, wants_events
from workspaces.scope import WorkspaceScopedMixin


class MessageViewSet(
    WorkspaceScopedMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """The messages of one chat, for everybody who takes part in it."""

    serializer_class = MessageSerializer
    lookup_value_converter = "uuid"

    def initial(self, request, *args, **kwargs):
        """Find the chat, and let promised answers appear whose time has come."""
        super().initial(request, *args, **kwargs)
        visible = Chat.objects.filter(workspace=self.workspace).visible_to(request.user)
        self.chat = get_object_or_404(visible, pk=kwargs["chat_id"])
        conversation.finish_due_tasks(self.chat)

    def get_queryset(self):
        """The chat's messages in order."""
        return self.chat.messages.all()

    def create(self, request, *args, **kwargs):
        """Send a message and have it answered."""
        serializer = NewMessageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        question = conversation.ask(self.chat, request.user, body["content"])
        return self._answer(question, body["stream"], status.HTTP_201_CREATED)

    @action(detail=False, methods=["post"])
    def regenerate(self, request, *args, **kwargs):
        """Answer a question once more, forgetting what came after it."""
        serializer = RegenerateSerializer(data=request.data, context={"chat": self.chat})
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        conversation.rewind(body["question"], body.get("content"))
        return self._answer(body["question"], body["stream"], status.HTTP_200_OK)

    @action(detail=False, url_path="agent-task-status/<uuid:task_id>")
    def agent_task_status(self, request, task_id, **kwargs):
        """Whether a promised answer is there."""
        task = get_object_or_404(self.chat.tasks, pk=task_id)
        if not task.is_finished:
            return Response({"task_id": task.pk, "status": "processing"})
        return Response({"task_id": task.pk, "status": "completed", **self._exchange(task.question)})

    def _answer(self, question, asks_for_stream, code):
        """Answer as events, later, or at once, depending on client and settings."""
        if (asks_for_stream or self.chat.stream) and wants_events(self.request):
            conversation.answer(question)
            return event_stream(self._exchange(question))
        if settings.AGENT_ASYNC_ENABLED:
            task = conversation.answer_later(question)
            body = {"task_id": task.pk, "status": "processing"}
            return Response(body, status=status.HTTP_202_ACCEPTED)
        conversation.answer(question)
        return Response(self._exchange(question), status=code)

    def _exchange(self, question):
        """A question and its answers."""
        answers = question.answers.all()
        return {
            "user_message": MessageSerializer(question).data,
            "ai_messages": MessageSerializer(answers, many=True).data,
        }
