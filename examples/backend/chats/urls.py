"""Routes of chats and messages."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from chats.message_views import MessageViewSet
from chats.views import ChatViewSet, PublicChatView

CHATS = "workspaces/<uuid:workspace_id>/chats"

router = SimpleRouter(use_regex_path=False)
router.register(CHATS, ChatViewSet, basename="chat")
router.register(f"{CHATS}/<uuid:chat_id>/messages", MessageViewSet, basename="message")

urlpatterns = [
    path("chats/public/<uuid:shareable_link_id>/", PublicChatView.as_view(), name="public-chat"),
    *router.urls,
]
