"""Endpoints of chats: settings, sharing and attached knowledge bases."""

from rest_framework import permissions, status
from rest_framework.decorators import action
from rest_framework.generics import RetrieveAPIView
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from chats.models import Chat
from chats.serializers import (
    ChatSerializer,
    ChatShareSerializer,
    KnowledgeBaseChoiceSerializer,
    ParticipantSerializer,
    PublicChatSerializer,
)
from common.mixins import PartialUpdateMixin
from knowledge_bases.serializers import KnowledgeBaseSerializer
from workspaces.scope import WorkspaceScopedMixin


class ChatOwnerOrReadOnly(permissions.BasePermission):
    """Participants read a chat; who started it changes and shares it."""

    message = "Only the person who started this chat may do this."

    def has_object_permission(self, request, view, obj) -> bool:
        """Ownership, or a method that changes nothing."""
        return request.method in permissions.SAFE_METHODS or obj.user_id == request.user.pk


class ChatViewSet(WorkspaceScopedMixin, PartialUpdateMixin, ModelViewSet):
    """The chats of a workspace that the caller takes part in."""

    serializer_class = ChatSerializer
    permission_classes = [permissions.IsAuthenticated, ChatOwnerOrReadOnly]
    lookup_value_converter = "uuid"

    def get_queryset(self):
        """Own and shared chats."""
        chats = Chat.objects.filter(workspace=self.workspace).visible_to(self.request.user)
        return chats.prefetch_related("shares", "knowledge_bases")

    def perform_create(self, serializer):
        """The caller starts the chat."""
        serializer.save(workspace=self.workspace, user=self.request.user)

    @action(detail=True, methods=["post"], url_path="toggle-public")
    def toggle_public(self, request, workspace_id=None, pk=None):
        """Open the chat to everybody who has its link, or close it again."""
        chat = self.get_object()
        chat.is_public = not chat.is_public
        chat.save(update_fields=["is_public", "updated_at"])
        return Response(self.get_serializer(chat).data)

    @action(detail=True, methods=["post"])
    def share(self, request, workspace_id=None, pk=None):
        """Let another member take part; sharing twice changes nothing."""
        chat = self.get_object()
        share, is_new = chat.shares.get_or_create(user=self._participant())
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(ChatShareSerializer(share).data, status=code)

    @action(detail=True)
    def shares(self, request, workspace_id=None, pk=None):
        """Who takes part."""
        shares = self.get_object().shares.select_related("user")
        return Response(ChatShareSerializer(shares, many=True).data)

    @action(detail=True, methods=["post"], url_path="revoke-share")
    def revoke_share(self, request, workspace_id=None, pk=None):
        """Stop sharing with a member."""
        self.get_object().shares.filter(user=self._participant()).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, url_path="knowledge-bases")
    def knowledge_bases(self, request, workspace_id=None, pk=None):
        """What the assistant searches."""
        return self._attached(self.get_object())

    @action(detail=True, methods=["post"], url_path="knowledge-bases/attach")
    def attach(self, request, workspace_id=None, pk=None):
        """Let the assistant search more."""
        chat = self.get_object()
        chat.knowledge_bases.add(*self._validated(KnowledgeBaseChoiceSerializer)["knowledge_bases"])
        return self._attached(chat)

    @action(detail=True, methods=["post"], url_path="knowledge-bases/detach")
    def detach(self, request, workspace_id=None, pk=None):
        """Let the assistant search less."""
        chat = self.get_object()
        chat.knowledge_bases.remove(*self._validated(KnowledgeBaseChoiceSerializer)["knowledge_bases"])
        return self._attached(chat)

    def _attached(self, chat):
        """The attached knowledge bases, as the actions around them answer."""
        attached = chat.knowledge_bases.prefetch_related("documents").all()
        return Response(KnowledgeBaseSerializer(attached, many=True).data)

    def _participant(self):
        """The member named in the body."""
        serializer = ParticipantSerializer(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.find()

    def _validated(self, serializer_class):
        """The checked body."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class PublicChatView(RetrieveAPIView):
    """A public chat for everybody who has its link; no account needed, and none looked at."""

    authentication_classes = []
    permission_classes = [permissions.AllowAny]
    serializer_class = PublicChatSerializer
    queryset = Chat.objects.filter(is_public=True)
    lookup_field = "shareable_link_id"
