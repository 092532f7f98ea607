"""The documented routes, in the order of their documentation, and nothing else.

Public paths are below the prefix (``/api``); with and without a slash at the end are both accepted. Columns:
methods, public path, upstream path or endpoint, access token, body. What a row leaves out has a quiet default.
"""

from __future__ import annotations

from typing import Final

from wsgiproxy_hs.auth import AuthApp
from wsgiproxy_hs.endpoints.contact import ContactEmail
from wsgiproxy_hs.endpoints.translate import Translate
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, OPTIONAL, RAW, REQUIRED, CrossSite, Route
from wsgiproxy_hs.routes.bodies import (
    Activation,
    Chat,
    Checkout,
    Contact,
    DocumentChange,
    DocumentIds,
    DocumentUpload,
    EmailOnly,
    Invitation,
    KnowledgeBase,
    KnowledgeBaseChange,
    Message,
    PasswordReset,
    Registration,
    Translation,
)

MiB: Final = 1_048_576

_WORKSPACE: Final = "/api/workspaces/{workspace_id}"
_CHAT: Final = _WORKSPACE + "/chats/{chat_id}"
_DOCUMENT: Final = _WORKSPACE + "/documents/{document_id}"
_KNOWLEDGE: Final = _WORKSPACE + "/knowledge-bases/{knowledge_base_id}"
_TEAM: Final = _WORKSPACE + "/teams/{team_id}"

# fmt: off
ROUTES: Final[tuple[Route, ...]] = (
    # Auth
    Route("GET, POST", "auth/{action...}", AuthApp, NONE, RAW, max_bytes=65_536, cross_site=CrossSite.OWN_TOKEN, throttle="sign-in"),
    Route("POST", "auth/register",               "/auth/users/",                        NONE, Registration, throttle="register"),
    Route("POST", "auth/activate-user",          "/auth/users/activation/",             NONE, Activation, throttle="activate"),
    Route("POST", "auth/resend-activation",      "/auth/users/resend_activation/",      NONE, EmailOnly, throttle="resend"),
    Route("POST", "auth/reset-password",         "/auth/users/reset_password/",         NONE, EmailOnly, throttle="reset"),
    Route("POST", "auth/password-reset-confirm", "/auth/users/reset_password_confirm/", NONE, PasswordReset, throttle="reset-confirm"),

    # Workspaces
    Route("GET, POST",   "workspaces",                            "/api/workspaces/",            REQUIRED, EMPTY_OR_OBJECT),
    Route("PUT, DELETE", "workspaces/{workspace_id}",             _WORKSPACE + "/",              REQUIRED, EMPTY_OR_OBJECT),
    Route("GET, POST",   "workspaces/{workspace_id}/invitations", _WORKSPACE + "/invitations/",  REQUIRED, Invitation),
    Route("POST",        "workspaces/{workspace_id}/leave",       _WORKSPACE + "/leave/",        REQUIRED, EMPTY_OR_OBJECT),

    # Chats
    Route("GET, POST",        "workspaces/{workspace_id}/chats",                                  _WORKSPACE + "/chats/",             REQUIRED, Chat),
    Route("GET, PUT, DELETE", "workspaces/{workspace_id}/chats/{chat_id}",                        _CHAT + "/",                        REQUIRED, Chat),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/messages",               _CHAT + "/messages/",               REQUIRED, Message, timeout_seconds=300),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/messages/regenerate",    _CHAT + "/messages/regenerate/",    REQUIRED, EMPTY_OR_OBJECT, timeout_seconds=300),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/toggle-public",          _CHAT + "/toggle-public/",          REQUIRED, EMPTY_OR_OBJECT),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/invite-user",            _CHAT + "/share/",                  REQUIRED, EMPTY_OR_OBJECT),
    Route("GET",              "workspaces/{workspace_id}/chats/{chat_id}/knowledge-bases",        _CHAT + "/knowledge-bases/",        REQUIRED),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/knowledge-bases/attach", _CHAT + "/knowledge-bases/attach/", REQUIRED, EMPTY_OR_OBJECT),
    Route("POST",             "workspaces/{workspace_id}/chats/{chat_id}/knowledge-bases/detach", _CHAT + "/knowledge-bases/detach/", REQUIRED, EMPTY_OR_OBJECT),

    # Documents
    Route("GET",              "workspaces/{workspace_id}/documents",                                 _WORKSPACE + "/documents/",          REQUIRED),
    Route("POST",             "workspaces/{workspace_id}/documents/upload",                          _WORKSPACE + "/documents/upload/",   REQUIRED, DocumentUpload),
    Route("POST",             "workspaces/{workspace_id}/documents/from-url",                        _WORKSPACE + "/documents/from-url/", REQUIRED, EMPTY_OR_OBJECT),
    Route("GET, PUT, DELETE", "workspaces/{workspace_id}/documents/{document_id}",                   _DOCUMENT + "/",                     REQUIRED, DocumentChange),
    Route("POST",             "workspaces/{workspace_id}/documents/{document_id}/confirm-upload",    _DOCUMENT + "/confirm-upload/",      REQUIRED, EMPTY_OR_OBJECT),
    Route("GET",              "workspaces/{workspace_id}/documents/{document_id}/download-url",      _DOCUMENT + "/download-url/",        REQUIRED, redirects=True),
    Route("GET",              "workspaces/{workspace_id}/documents/{document_id}/processing-status", _DOCUMENT + "/processing-status/",   REQUIRED),
    Route("POST",             "workspaces/{workspace_id}/documents/{document_id}/reprocess",         _DOCUMENT + "/reprocess/",           REQUIRED, EMPTY_OR_OBJECT),
    Route("GET",              "workspaces/{workspace_id}/documents/{document_id}/chunks",            _DOCUMENT + "/chunks/",              REQUIRED),
    Route("GET",              "workspaces/{workspace_id}/documents/{document_id}/content",           _DOCUMENT + "/content/",             REQUIRED, redirects=True),

    # Knowledge bases
    Route("GET, POST",        "workspaces/{workspace_id}/knowledge-bases",                                      _WORKSPACE + "/knowledge-bases/",  REQUIRED, KnowledgeBase),
    Route("GET, PUT, DELETE", "workspaces/{workspace_id}/knowledge-bases/{knowledge_base_id}",                  _KNOWLEDGE + "/",                  REQUIRED, KnowledgeBaseChange),
    Route("GET",              "workspaces/{workspace_id}/knowledge-bases/{knowledge_base_id}/documents",        _KNOWLEDGE + "/documents/",        REQUIRED),
    Route("POST",             "workspaces/{workspace_id}/knowledge-bases/{knowledge_base_id}/add-documents",    _KNOWLEDGE + "/add-documents/",    REQUIRED, DocumentIds),
    Route("POST",             "workspaces/{workspace_id}/knowledge-bases/{knowledge_base_id}/remove-documents", _KNOWLEDGE + "/remove-documents/", REQUIRED, DocumentIds),

    # Teams
    Route("POST",             "workspaces/{workspace_id}/teams",                                       _WORKSPACE + "/teams/",              REQUIRED, EMPTY_OR_OBJECT),
    Route("GET, PUT, DELETE", "workspaces/{workspace_id}/teams/{team_id}",                             _TEAM + "/",                         REQUIRED, EMPTY_OR_OBJECT),
    Route("GET, POST",        "workspaces/{workspace_id}/teams/{team_id}/invitations",                 _TEAM + "/invitations/",             REQUIRED, Invitation),
    Route("PUT, DELETE",      "workspaces/{workspace_id}/teams/{team_id}/memberships/{membership_id}", _TEAM + "/memberships/{membership_id}/", REQUIRED, EMPTY_OR_OBJECT),
    Route("POST",             "workspaces/{workspace_id}/teams/{team_id}/leave",                       _TEAM + "/leave/",                   REQUIRED, EMPTY_OR_OBJECT),

    # Subscriptions
    Route("POST", "subscriptions/checkout",           "/api/subscriptions/checkout/",             REQUIRED, Checkout),
    Route("POST", "subscriptions/create-portal-link", "/api/subscriptions/customer-portal/",      REQUIRED, EMPTY_OR_OBJECT),
    Route("GET",  "subscriptions/pricing",            "/api/subscriptions/subscribable-product/", OPTIONAL),
    Route("POST", "subscriptions/webhook",            "/api/subscriptions/webhook/",              NONE, RAW, request_headers=("Stripe-Signature",), cross_site=CrossSite.EXEMPT),

    # Utilities
    Route("POST", "transcribe-audio",                    "/api/transcribe-audio/", REQUIRED, RAW, max_bytes=25 * MiB, timeout_seconds=300, throttle="transcribe", path_setting="transcribe_path"),
    Route("POST", "send-contact-email",                  ContactEmail,             NONE,     Contact, throttle="contact"),
    Route("POST", "workspaces/{workspace_id}/translate", Translate,                REQUIRED, Translation, throttle="translate"),
)
# fmt: on
