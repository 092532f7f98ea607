"""The documented table of routes exists."""

import uuid

from django.test import SimpleTestCase
from django.urls import resolve

WORKSPACE = f"/api/workspaces/{uuid.uuid4()}/"
CHAT = f"{WORKSPACE}chats/{uuid.uuid4()}/"
DOCUMENT = f"{WORKSPACE}documents/{uuid.uuid4()}/"
KNOWLEDGE_BASE = f"{WORKSPACE}knowledge-bases/{uuid.uuid4()}/"
TEAM = f"{WORKSPACE}teams/1/"

ROUTES = {
    "/auth/users/": "POST",
    "/auth/users/activation/": "POST",
    "/auth/users/resend_activation/": "POST",
    "/auth/users/reset_password/": "POST",
    "/auth/users/reset_password_confirm/": "POST",
    "/auth/users/me/": "GET",
    "/auth/jwt/create/": "POST",
    "/auth/jwt/refresh/": "POST",
    "/auth/jwt/verify/": "POST",
    "/auth/jwt/blacklist/": "POST",
    "/api/workspaces/": "GET POST",
    WORKSPACE: "GET PUT DELETE",
    f"{WORKSPACE}invitations/": "GET POST",
    f"{WORKSPACE}leave/": "POST",
    "/api/invitations/": "GET",
    "/api/invitations/1/": "GET DELETE",
    "/api/invitations/1/accept/": "POST",
    f"{WORKSPACE}chats/": "GET POST",
    CHAT: "GET PUT DELETE",
    f"{CHAT}messages/": "GET POST",
    f"{CHAT}messages/regenerate/": "POST",
    f"{CHAT}messages/agent-task-status/{uuid.uuid4()}/": "GET",
    f"{CHAT}toggle-public/": "POST",
    f"{CHAT}share/": "POST",
    f"{CHAT}knowledge-bases/": "GET",
    f"{CHAT}knowledge-bases/attach/": "POST",
    f"{CHAT}knowledge-bases/detach/": "POST",
    f"{WORKSPACE}documents/": "GET",
    f"{WORKSPACE}documents/upload/": "POST",
    f"{WORKSPACE}documents/from-url/": "POST",
    DOCUMENT: "GET PUT DELETE",
    f"{DOCUMENT}confirm-upload/": "POST",
    f"{DOCUMENT}download-url/": "GET",
    f"{DOCUMENT}processing-status/": "GET",
    f"{DOCUMENT}reprocess/": "POST",
    f"{DOCUMENT}chunks/": "GET",
    f"{DOCUMENT}content/": "GET",
    f"{WORKSPACE}knowledge-bases/": "GET POST",
    KNOWLEDGE_BASE: "GET PUT DELETE",
    f"{KNOWLEDGE_BASE}documents/": "GET",
    f"{KNOWLEDGE_BASE}add-documents/": "POST",
    f"{KNOWLEDGE_BASE}remove-documents/": "POST",
    f"{WORKSPACE}teams/": "POST",
    TEAM: "GET PUT DELETE",
    f"{TEAM}invitations/": "GET POST",
    f"{TEAM}memberships/1/": "PUT DELETE",
    f"{TEAM}leave/": "POST",
    "/api/subscriptions/checkout/": "POST",
    "/api/subscriptions/customer-portal/": "POST",
    "/api/subscriptions/subscribable-product/": "GET",
    "/api/subscriptions/webhook/": "POST",
    "/api/transcribe-audio/": "POST",
}


def methods_of(path: str) -> set[str]:
    """The methods that the view behind a path knows."""
    view = resolve(path).func
    actions = getattr(view, "actions", None)
    names = actions or [name for name in view.view_class.http_method_names if hasattr(view.view_class, name)]
    return {name.upper() for name in names}


class RoutesTest(SimpleTestCase):
    def test_every_documented_path_and_method_exists(self):
        """Each path of the table resolves to a view that knows each of its methods."""
        for path, methods in ROUTES.items():
            with self.subTest(path):
                self.assertLessEqual(set(methods.split()), methods_of(path))
