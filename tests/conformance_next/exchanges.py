"""The exchanges: each is sent to the documented route handler and to ours, and must come to the same.

``status`` is what ours must answer, so that two equal failures are not taken for success. ``variant`` picks one of the two
ways to answer that the page shows: ``api`` turns errors into ``{"error": ...}``, ``plain`` passes Django's document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.integration import rows
from tests.integration.conftest import Backend

UNKNOWN: Final = "7a9c1c1e-0000-4000-8000-000000000001"
BIG: Final = 9007199254740993


@dataclass(frozen=True)
class Exchange:
    """One request.

    :param document: the JSON body, or a function of the path parameters; ``None`` sends none.
    :param body: the body's very bytes, instead.
    :param code: of our error document. :param fields: those that it must name.
    :param number: an integer that must arrive as it is.
    """

    name: str
    method: str
    path: str
    status: int
    prepare: Callable[[Backend], rows.Params] = rows.nothing
    document: Any = None
    body: bytes | None = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    session: Literal["signed_in", "nobody", "crossed", "broken"] = "signed_in"
    variant: Literal["api", "plain"] = "api"
    code: str = "upstream-status"
    fields: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()
    number: int | None = None
    deviations: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether each side needs objects of its own."""
        return self.method not in ("GET", "HEAD", "OPTIONS")


def unknown_workspace(_: Backend) -> rows.Params:
    return {"workspace_id": UNKNOWN, "chat_id": UNKNOWN, "document_id": UNKNOWN}


def workspace_of_nobody(_: Backend) -> rows.Params:
    """An id that is none."""
    return {"workspace_id": "not-an-id"}


def foreign_workspace(backend: Backend) -> rows.Params:
    """A workspace that the other user owns, and ours has joined."""
    return {"workspace_id": backend.joined_workspace()}


def same_email(_: rows.Params) -> dict[str, str]:
    return {**rows.registration({}), "email": "grace@example.com"}


def other_password(_: rows.Params) -> dict[str, str]:
    return {**rows.registration({}), "re_password": "another passphrase 9"}


W, C, D = rows.W, rows.C, rows.D
ERROR: Final = ("error-members",)
FIELDS: Final = ("field-map", "error-members")
PLAIN_ERROR: Final = ("one-error-shape", "error-members")
METHOD: Final = ("method-document",)
BIG_CHAT: Final = {**rows.CHAT, "model_parameters": {"seed": BIG}}
EXPONENT_CHAT: Final = b'{"name":"Loom","ai_provider":"openai","ai_model":"gpt-4o","temperature":7e-1}'
TEXT_PLAIN: Final = {"Content-Type": "text/plain;charset=UTF-8"}
ELSEWHERE: Final = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
BAD_UPLOAD: Final = {**rows.UPLOAD, "filename": "notes.exe"}

# fmt: off
EXCHANGES: Final[tuple[Exchange, ...]] = (
    # Success, as documented.
    Exchange("list", "GET", "workspaces", 200),
    Exchange("list", "GET", "workspaces", 200, variant="plain"),
    Exchange("create", "POST", "workspaces", 201, document={"name": "Looms"}),
    Exchange("create", "POST", "workspaces", 201, document={"name": "Looms"}, variant="plain"),
    Exchange("create, all kinds of letters", "POST", "workspaces", 201, document={"name": "Wäbe 大橋 🦊 \u2028 \"\\"}),
    Exchange("create, as browsers send text", "POST", "workspaces", 201, document={"name": "Looms"}, headers=TEXT_PLAIN),
    Exchange("change", "PUT", W, 200, rows.workspace, {"name": "Renamed"}),
    Exchange("empty list", "GET", W + "/chats", 200, rows.workspace),
    Exchange("list", "GET", W + "/chats", 200, rows.chat),
    Exchange("list", "GET", W + "/chats", 200, rows.chat, variant="plain"),
    Exchange("create", "POST", W + "/chats", 201, rows.workspace, rows.CHAT),
    Exchange("create", "POST", W + "/chats", 201, rows.workspace, rows.CHAT, variant="plain"),
    Exchange("create, a field more", "POST", W + "/chats", 201, rows.workspace, {**rows.CHAT, "colour": "blue"}),
    Exchange("create, a number with an exponent", "POST", W + "/chats", 201, rows.workspace, body=EXPONENT_CHAT),
    Exchange("create, white space around it", "POST", W + "/chats", 201, rows.workspace,
             body=b'\r\n { "name" : "Loom" , "ai_provider" : "openai" , "ai_model" : "gpt-4o" } \t\n'),
    Exchange("create, a number that JavaScript rounds", "POST", W + "/chats", 201, rows.workspace, BIG_CHAT, number=BIG,
             deviations=("exact-numbers",)),
    Exchange("read", "GET", C, 200, rows.chat),
    Exchange("change", "PUT", C, 200, rows.chat, {"name": "Renamed", "temperature": "1.25"}),
    Exchange("ask", "POST", C + "/messages", 201, rows.chat, rows.MESSAGE),
    Exchange("empty list", "GET", W + "/documents", 200, rows.workspace),
    Exchange("list", "GET", W + "/documents", 200, rows.ready_document),
    Exchange("announce", "POST", W + "/documents/upload", 201, rows.workspace, rows.UPLOAD),
    Exchange("register", "POST", "auth/register", 201, session="nobody", document=rows.registration),
    Exchange("register", "POST", "auth/register", 201, session="nobody", document=rows.registration, variant="plain"),
    Exchange("prices", "GET", "subscriptions/pricing", 200),
    Exchange("prices", "GET", "subscriptions/pricing", 200, session="nobody", deviations=("public-pricing",)),

    # Sessions.
    Exchange("the other one's session", "GET", "workspaces", 200, session="crossed"),
    Exchange("the other one's session", "POST", "workspaces", 201, session="crossed", document={"name": "Looms"}),
    Exchange("no session", "GET", "workspaces", 401, session="nobody", code="unauthorized", deviations=ERROR),
    Exchange("no session", "POST", "workspaces", 401, session="nobody", document={"name": "Looms"}, code="unauthorized",
             deviations=ERROR),
    Exchange("no session, malformed", "POST", "workspaces", 401, session="nobody", body=b"{", code="unauthorized",
             deviations=ERROR),
    Exchange("no session", "PUT", W, 401, rows.workspace, {"name": "x"}, session="nobody", code="unauthorized",
             deviations=ERROR),
    Exchange("no session", "DELETE", W, 401, rows.workspace, session="nobody", code="unauthorized", deviations=ERROR),
    Exchange("no session", "POST", "subscriptions/create-portal-link", 401, session="nobody", code="unauthorized",
             deviations=ERROR),
    Exchange("a broken session", "GET", "workspaces", 401, session="broken", code="unauthorized", deviations=ERROR),
    Exchange("a broken session", "GET", "workspaces", 401, session="broken", code="unauthorized", variant="plain",
             deviations=ERROR),
    Exchange("what the session shows", "GET", "auth/session", 200, deviations=("hidden-token", "image-null")),
    Exchange("what the session shows", "GET", "auth/session", 200, session="nobody"),
    Exchange("what the session shows", "GET", "auth/session", 200, session="broken"),

    # Errors with a detail.
    Exchange("unknown", "GET", W + "/chats", 404, unknown_workspace, deviations=ERROR),
    Exchange("unknown", "GET", W + "/chats", 404, unknown_workspace, variant="plain", deviations=PLAIN_ERROR),
    Exchange("unknown", "PUT", W, 404, unknown_workspace, {"name": "x"}, deviations=ERROR),
    Exchange("unknown", "DELETE", W, 404, unknown_workspace, deviations=ERROR),
    Exchange("unknown", "GET", C, 404, unknown_workspace, deviations=ERROR),
    Exchange("unknown", "POST", C + "/messages", 404, unknown_workspace, rows.MESSAGE, deviations=ERROR),
    Exchange("unknown", "GET", W + "/documents", 404, unknown_workspace, deviations=ERROR),
    Exchange("not the owner", "PUT", W, 403, foreign_workspace, {"name": "Mine"}, deviations=ERROR),
    Exchange("not the owner", "DELETE", W, 403, foreign_workspace, deviations=ERROR),
    Exchange("nothing uploaded", "POST", D + "/confirm-upload", 400, rows.document, {}, deviations=ERROR),
    Exchange("stale", "POST", "auth/activate-user", 400, session="nobody", document={"uid": "MQ", "token": "x"},
             fields=("token",), deviations=FIELDS),

    # Errors with messages by field.
    Exchange("no name", "POST", "workspaces", 400, document={}, fields=("name",), deviations=FIELDS),
    Exchange("no name", "POST", "workspaces", 400, document={}, variant="plain", deviations=PLAIN_ERROR),
    Exchange("empty name", "PUT", W, 400, rows.workspace, {"name": ""}, fields=("name",), deviations=FIELDS),
    Exchange("unknown kind of file", "POST", W + "/documents/upload", 400, rows.workspace, BAD_UPLOAD,
             fields=("filename",), deviations=FIELDS),
    Exchange("has an account", "POST", "auth/register", 400, session="nobody", document=same_email, fields=("email",),
             deviations=FIELDS),
    Exchange("has an account", "POST", "auth/register", 400, session="nobody", document=same_email, variant="plain",
             deviations=PLAIN_ERROR),
    Exchange("two passwords", "POST", "auth/register", 400, session="nobody", document=other_password,
             fields=("non_field_errors",), deviations=FIELDS),
    Exchange("too hot", "POST", W + "/chats", 400, rows.workspace, {**rows.CHAT, "temperature": 9}, code="body-invalid",
             fields=("temperature",), deviations=("checked-here",)),
    Exchange("no content", "POST", C + "/messages", 400, rows.chat, {"role": "user"}, code="body-invalid",
             fields=("content",), deviations=("checked-here",)),
    Exchange("no e-mail", "POST", "auth/reset-password", 400, session="nobody", document={}, code="body-invalid",
             fields=("email",), deviations=("checked-here",)),
    Exchange("a list", "POST", "workspaces", 400, document=["Looms"], code="body-invalid",
             fields=("non_field_errors",), deviations=("checked-here",)),

    # What the documented code stumbles over.
    Exchange("delete", "DELETE", W, 204, rows.workspace, deviations=("empty-204",)),
    Exchange("delete", "DELETE", C, 204, rows.chat, deviations=("empty-204",)),
    Exchange("reset", "POST", "auth/reset-password", 204, session="nobody", document={"email": "nobody@example.com"},
             deviations=("empty-204",)),
    Exchange("confirm without a body", "POST", D + "/confirm-upload", 202, rows.stored_document,
             deviations=("no-body-post",)),
    Exchange("portal without a body", "POST", "subscriptions/create-portal-link", 200, deviations=("no-body-post",)),
    Exchange("confirm", "POST", D + "/confirm-upload", 202, rows.stored_document, {}),
    Exchange("portal", "POST", "subscriptions/create-portal-link", 200, document={}),
    Exchange("malformed", "POST", "workspaces", 400, body=b'{"name": "Looms"', code="body-invalid",
             deviations=("malformed-json",)),
    Exchange("malformed", "POST", "auth/register", 400, session="nobody", body=b"email=a@example.com",
             code="body-invalid", deviations=("malformed-json",)),
    Exchange("malformed", "PUT", W, 400, rows.workspace, body=b"{'name': 'Looms'}", code="body-invalid",
             deviations=("malformed-json",)),
    Exchange("an id that is none", "GET", W + "/chats", 404, workspace_of_nobody, deviations=("error-is-no-json",)),
    Exchange("an id that is none", "PUT", W, 404, workspace_of_nobody, {"name": "x"}, deviations=("error-is-no-json",)),

    # Query strings and slashes at the end.
    Exchange("query", "GET", "workspaces", 200, query="?page=1&q=a+b%20c&q=&x=%7e", deviations=("query-passed",)),
    Exchange("query", "GET", W + "/chats", 200, rows.chat, query="?ordering=-created_at", deviations=("query-passed",)),
    Exchange("query", "POST", "workspaces", 201, document={"name": "Looms"}, query="?dry=1", deviations=("query-passed",)),
    Exchange("slash", "GET", "workspaces/", 200, deviations=("trailing-slash",)),
    Exchange("slash", "POST", "workspaces/", 201, document={"name": "Looms"}, deviations=("trailing-slash",)),
    Exchange("slash", "POST", W + "/documents/upload/", 201, rows.workspace, rows.UPLOAD, deviations=("trailing-slash",)),
    Exchange("slash, no session", "GET", "workspaces/", 401, session="nobody", code="unauthorized",
             deviations=("trailing-slash", "error-members")),
    Exchange("slash and query", "GET", "workspaces/", 200, query="?page=1", deviations=("trailing-slash", "query-passed")),

    # Methods and paths.
    Exchange("method", "PATCH", "workspaces", 405, document={"name": "x"}, code="method-not-allowed",
             allow=frozenset({"GET", "HEAD", "OPTIONS", "POST"}), deviations=(*METHOD, "method-allow")),
    Exchange("method", "DELETE", "auth/register", 405, session="nobody", code="method-not-allowed",
             allow=frozenset({"OPTIONS", "POST"}), deviations=(*METHOD, "method-allow")),
    Exchange("method", "GET", C + "/messages", 405, rows.chat, code="method-not-allowed",
             allow=frozenset({"OPTIONS", "POST"}), deviations=(*METHOD, "method-allow")),
    Exchange("head", "HEAD", "workspaces", 200, deviations=("asked-as-head",)),
    Exchange("head", "HEAD", W + "/chats", 401, rows.chat, session="nobody"),
    Exchange("options", "OPTIONS", "workspaces", 204),
    Exchange("options", "OPTIONS", "auth/register", 204),
    Exchange("no such path", "GET", "weather", 404, code="route-not-found", deviations=("unknown-path",)),
    Exchange("no such path", "POST", "workspaces/x/y/z", 404, document={}, code="route-not-found",
             deviations=("unknown-path",)),
    Exchange("a slash in an id", "GET", "workspaces/..%2F..%2Fauth%2Fusers%2Fme%2F%3F/chats", 400, code="path-refused",
             deviations=("path-checked",)),

    # Other sites.
    Exchange("another site", "POST", "workspaces", 403, document={"name": "Theirs"}, headers=ELSEWHERE,
             code="cross-site-refused", deviations=("other-site",)),
    Exchange("another site", "DELETE", W, 403, rows.workspace, headers=ELSEWHERE, code="cross-site-refused",
             deviations=("other-site",)),
)

WITHOUT_BACKEND: Final[tuple[Exchange, ...]] = (
    Exchange("without Django", "GET", "workspaces", 502, code="upstream-unreachable", deviations=("backend-down",)),
    Exchange("without Django", "POST", "workspaces", 502, document={"name": "x"}, code="upstream-unreachable",
             deviations=("backend-down",)),
    Exchange("without Django, no session", "GET", "workspaces", 401, session="nobody", code="unauthorized",
             deviations=ERROR),
)
# fmt: on
"""These are sent last, when Django has been stopped."""
