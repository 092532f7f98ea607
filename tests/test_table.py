"""The documented routes: the table is held against the documentation, row by row."""

from __future__ import annotations

import re

import pytest

from wsgiproxy_hs.auth import AuthApp
from wsgiproxy_hs.endpoints.contact import ContactEmail
from wsgiproxy_hs.endpoints.translate import Translate
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, OPTIONAL, RAW, REQUIRED, CrossSite, RouteTable, bodies
from wsgiproxy_hs.table import ROUTES

WS = "workspaces/[id]"
API_WS = "/api/workspaces/{ws}"

# (route, methods, backend endpoint) as documented, in the order of the documentation; `...` stands for what the
# section's other rows begin with.
DOCUMENTED = [
    # Auth
    ("auth/[...nextauth]", "GET, POST", "NextAuth.js handler"),
    ("auth/register", "POST", "/auth/users/"),
    ("auth/activate-user", "POST", "/auth/users/activation/"),
    ("auth/resend-activation", "POST", "/auth/users/resend_activation/"),
    ("auth/reset-password", "POST", "/auth/users/reset_password/"),
    ("auth/password-reset-confirm", "POST", "/auth/users/reset_password_confirm/"),
    # Workspaces
    ("workspaces", "GET, POST", "/api/workspaces/"),
    ("workspaces/[id]", "PUT, DELETE", "/api/workspaces/{id}/"),
    ("workspaces/[id]/invitations", "GET, POST", "/api/workspaces/{id}/invitations/"),
    ("workspaces/[id]/leave", "POST", "/api/workspaces/{id}/leave/"),
    # Chats
    (f"{WS}/chats", "GET, POST", f"{API_WS}/chats/"),
    (f"{WS}/chats/[chatId]", "GET, PUT, DELETE", f"{API_WS}/chats/{{id}}/"),
    (f"{WS}/chats/[chatId]/messages", "POST", f"{API_WS}/chats/{{id}}/messages/"),
    (f"{WS}/chats/[chatId]/messages/regenerate", "POST", f"{API_WS}/chats/{{id}}/messages/regenerate/"),
    (f"{WS}/chats/[chatId]/toggle-public", "POST", f"{API_WS}/chats/{{id}}/toggle-public/"),
    (f"{WS}/chats/[chatId]/invite-user", "POST", f"{API_WS}/chats/{{id}}/share/"),
    (f"{WS}/chats/[chatId]/knowledge-bases", "GET", f"{API_WS}/chats/{{id}}/knowledge-bases/"),
    (f"{WS}/chats/[chatId]/knowledge-bases/attach", "POST", f"{API_WS}/chats/{{id}}/knowledge-bases/attach/"),
    (f"{WS}/chats/[chatId]/knowledge-bases/detach", "POST", f"{API_WS}/chats/{{id}}/knowledge-bases/detach/"),
    # Documents
    (f"{WS}/documents", "GET", f"{API_WS}/documents/"),
    (f"{WS}/documents/upload", "POST", f"{API_WS}/documents/upload/"),
    (f"{WS}/documents/from-url", "POST", f"{API_WS}/documents/from-url/"),
    (f"{WS}/documents/[docId]", "GET, PUT, DELETE", f"{API_WS}/documents/{{id}}/"),
    (f"{WS}/documents/[docId]/confirm-upload", "POST", f"{API_WS}/documents/{{id}}/confirm-upload/"),
    (f"{WS}/documents/[docId]/download-url", "GET", f"{API_WS}/documents/{{id}}/download-url/"),
    (f"{WS}/documents/[docId]/processing-status", "GET", f"{API_WS}/documents/{{id}}/processing-status/"),
    (f"{WS}/documents/[docId]/reprocess", "POST", f"{API_WS}/documents/{{id}}/reprocess/"),
    (f"{WS}/documents/[docId]/chunks", "GET", f"{API_WS}/documents/{{id}}/chunks/"),
    (f"{WS}/documents/[docId]/content", "GET", f"{API_WS}/documents/{{id}}/content/"),
    # Knowledge bases
    (f"{WS}/knowledge-bases", "GET, POST", f"{API_WS}/knowledge-bases/"),
    (f"{WS}/knowledge-bases/[kbId]", "GET, PUT, DELETE", f"{API_WS}/knowledge-bases/{{id}}/"),
    (f"{WS}/knowledge-bases/[kbId]/documents", "GET", f"{API_WS}/knowledge-bases/{{id}}/documents/"),
    (f"{WS}/knowledge-bases/[kbId]/add-documents", "POST", f"{API_WS}/knowledge-bases/{{id}}/add-documents/"),
    (f"{WS}/knowledge-bases/[kbId]/remove-documents", "POST", f"{API_WS}/knowledge-bases/{{id}}/remove-documents/"),
    # Teams
    (f"{WS}/teams", "POST", f"{API_WS}/teams/"),
    (f"{WS}/teams/[teamId]", "GET, PUT, DELETE", f"{API_WS}/teams/{{id}}/"),
    (f"{WS}/teams/[teamId]/invitations", "GET, POST", f"{API_WS}/teams/{{id}}/invitations/"),
    (f"{WS}/teams/[teamId]/memberships/[id]", "PUT, DELETE", f"{API_WS}/teams/{{id}}/memberships/{{id}}/"),
    (f"{WS}/teams/[teamId]/leave", "POST", f"{API_WS}/teams/{{id}}/leave/"),
    # Subscriptions
    ("subscriptions/checkout", "POST", "/api/subscriptions/checkout/"),
    ("subscriptions/create-portal-link", "POST", "/api/subscriptions/customer-portal/"),
    ("subscriptions/pricing", "GET", "/api/subscriptions/subscribable-product/"),
    ("subscriptions/webhook", "POST", "/api/subscriptions/webhook/"),
    # Utilities
    ("transcribe-audio", "POST", "backend Whisper endpoint"),
    ("send-contact-email", "POST", "SendGrid"),
    (f"{WS}/translate", "POST", "AI provider"),
]
ANSWERED_ELSEWHERE = {
    "NextAuth.js handler": AuthApp,
    "backend Whisper endpoint": "/api/transcribe-audio/",
    "SendGrid": ContactEmail,
    "AI provider": Translate,
}
PUBLIC = {
    *(path for path, _, _ in DOCUMENTED if path.startswith("auth/")),
    "subscriptions/webhook",
    "send-contact-email",
}
BODIES = {
    "auth/register": bodies.Registration,
    "auth/activate-user": bodies.Activation,
    "auth/resend-activation": bodies.EmailOnly,
    "auth/reset-password": bodies.EmailOnly,
    "auth/password-reset-confirm": bodies.PasswordReset,
    "workspaces/[id]/invitations": bodies.Invitation,
    f"{WS}/teams/[teamId]/invitations": bodies.Invitation,
    f"{WS}/chats": bodies.Chat,
    f"{WS}/chats/[chatId]": bodies.Chat,
    f"{WS}/chats/[chatId]/messages": bodies.Message,
    f"{WS}/documents/upload": bodies.DocumentUpload,
    f"{WS}/documents/[docId]": bodies.DocumentChange,
    f"{WS}/knowledge-bases": bodies.KnowledgeBase,
    f"{WS}/knowledge-bases/[kbId]": bodies.KnowledgeBaseChange,
    f"{WS}/knowledge-bases/[kbId]/add-documents": bodies.DocumentIds,
    f"{WS}/knowledge-bases/[kbId]/remove-documents": bodies.DocumentIds,
    "subscriptions/checkout": bodies.Checkout,
    "send-contact-email": bodies.Contact,
    f"{WS}/translate": bodies.Translation,
    "auth/[...nextauth]": RAW,
    "subscriptions/webhook": RAW,
    "transcribe-audio": RAW,
}
ROWS = list(zip(DOCUMENTED, ROUTES, strict=False))
IDS = [path for path, _, _ in DOCUMENTED]


def blanked(path):
    """Parameters under any name in any notation: all become ``{}``, a catch-all ``{...}``."""
    return re.sub(r"\[\w+\]|\{\w+\}", "{}", re.sub(r"\[\.\.\.\w+\]|\{\w+\.\.\.\}", "{...}", path))


def test_no_row_is_missing_and_none_is_invented():
    """The table has exactly the documented paths, in the documented order."""
    assert [blanked(route.path) for route in ROUTES] == [blanked(path) for path, _, _ in DOCUMENTED]


@pytest.mark.parametrize(("documented", "route"), ROWS, ids=IDS)
def test_methods_and_upstream_path_are_the_documented_ones(documented, route):
    """Each row has its methods, and leads where the documentation says."""
    _, methods, backend = documented
    assert route.methods == methods
    if backend in ANSWERED_ELSEWHERE:
        assert route.to == ANSWERED_ELSEWHERE[backend]
    else:
        assert blanked(route.to) == blanked(backend)


@pytest.mark.parametrize(("documented", "route"), ROWS, ids=IDS)
def test_the_token_column_is_as_documented(documented, route):
    """Sign-in, the webhook and the contact form need no session, prices know it when there is one, the rest needs it."""
    expected = NONE if documented[0] in PUBLIC else OPTIONAL if documented[0] == "subscriptions/pricing" else REQUIRED
    assert route.token is expected


@pytest.mark.parametrize(("documented", "route"), ROWS, ids=IDS)
def test_the_body_column_is_as_documented(documented, route):
    """A documented body has its model, bytes are left alone where they must be, the rest is an object or nothing."""
    takes = {"POST", "PUT", "PATCH"} & set(route.method_names)
    assert route.body is (BODIES.get(documented[0], EMPTY_OR_OBJECT) if takes else None)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if isinstance(route.to, str)], ids=lambda route: route.path
)
def test_upstream_paths_end_in_a_slash_and_keep_every_parameter_in_its_order(route):
    """A missing slash would be a redirect that loses the body (F122), a lost parameter another resource."""
    assert route.to.endswith("/")
    assert not route.to.endswith("//")
    assert route.template.names == route.upstream.names


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_no_unsafe_row_goes_unchecked(route):
    """Every row that changes something is held against other sites, but for the signed webhook and sign-in (F147)."""
    expected = {"subscriptions/webhook": CrossSite.EXEMPT, "auth/{action...}": CrossSite.OWN_TOKEN}
    assert route.cross_site is expected.get(route.path, CrossSite.CHECKED)
    if route.cross_site is not CrossSite.CHECKED:
        assert route.token is NONE, "what is not checked must not act for a session"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_rare_columns_are_rare(route):
    """Redirects, further headers and raw errors are exceptions that are named here."""
    redirecting = route.path.endswith(("/download-url", "/content"))
    assert route.redirects is redirecting
    assert route.request_headers == (("Stripe-Signature",) if route.path == "subscriptions/webhook" else ())
    assert route.reshape_errors
    assert not route.delete_body


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_row_is_found_with_and_without_a_slash(route, slash):
    """The browser code writes both, and neither is redirected (F123)."""
    path = "/api/" + re.sub(r"\{\w+(\.\.\.)?\}", "7", route.path) + slash
    for method in route.method_names:
        found, params = RouteTable(ROUTES).match(method, path)
        assert found is route
        assert set(params) == set(route.template.names)
