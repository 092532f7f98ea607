"""A case for every row and method of the table: what to prepare, what to send.

``prepare`` makes what the request needs, directly at the backend, and returns the path parameters; it runs once for
asking Django directly and once for asking through the proxy, so that both find the same world.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.integration import servers

if TYPE_CHECKING:
    from tests.integration.conftest import Backend

Params = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One method of one row.

    :param document: the JSON body, or a function of the path parameters that gives it; ``None`` sends no body.
    :param raw: content type and bytes of a body that is not JSON.
    """

    method: str
    path: str
    prepare: Callable[[Backend], Params]
    document: Any = None
    raw: tuple[str, bytes] | None = None
    query: str = ""

    @property
    def id(self) -> str:
        return f"{self.method} {self.path}"


def nothing(backend: Backend) -> Params:
    return {}


def workspace(backend: Backend) -> Params:
    return {"workspace_id": backend.make("/api/workspaces/", {"name": "Engines"})["id"]}


def left_workspace(backend: Backend) -> Params:
    """A workspace of the other user that ours has joined, and so may leave."""
    return {"workspace_id": backend.joined_workspace()}


def chat(backend: Backend) -> Params:
    params = workspace(backend)
    made = backend.make(f"/api/workspaces/{params['workspace_id']}/chats/", CHAT)
    return {**params, "chat_id": made["id"]}


def chat_with_message(backend: Backend) -> Params:
    params = chat(backend)
    backend.make("/api/workspaces/{workspace_id}/chats/{chat_id}/messages/".format(**params), MESSAGE)
    return params


def chat_and_knowledge_base(backend: Backend) -> Params:
    params = chat(backend)
    return {**params, **_knowledge_base(backend, params["workspace_id"])}


def chat_with_knowledge_base(backend: Backend) -> Params:
    params = chat_and_knowledge_base(backend)
    path = "/api/workspaces/{workspace_id}/chats/{chat_id}/knowledge-bases/attach/".format(**params)
    backend.make(path, {"knowledge_base_ids": [params["knowledge_base_id"]]})
    return params


def document(backend: Backend) -> Params:
    """A document whose bytes are not uploaded yet."""
    params = workspace(backend)
    made = backend.make(f"/api/workspaces/{params['workspace_id']}/documents/upload/", UPLOAD)
    return {**params, "document_id": made["document_id"], "upload_url": made["upload_url"]}


def stored_document(backend: Backend) -> Params:
    params = document(backend)
    target = params["upload_url"].removeprefix(backend.url)
    answer = servers.ask(backend.url, "PUT", target, headers={"Content-Type": "text/plain"}, body=TEXT)
    assert answer.status in (200, 201, 204), answer
    return params


def ready_document(backend: Backend) -> Params:
    params = stored_document(backend)
    path = "/api/workspaces/{workspace_id}/documents/{document_id}/confirm-upload/".format(**params)
    answer = backend.ask("POST", path)
    assert answer.status in (200, 202), answer
    return params


def _knowledge_base(backend: Backend, workspace_id: str) -> Params:
    made = backend.make(f"/api/workspaces/{workspace_id}/knowledge-bases/", {"name": "Notes"})
    return {"knowledge_base_id": made["id"]}


def knowledge_base(backend: Backend) -> Params:
    params = workspace(backend)
    return {**params, **_knowledge_base(backend, params["workspace_id"])}


def knowledge_base_and_document(backend: Backend) -> Params:
    params = ready_document(backend)
    return {**params, **_knowledge_base(backend, params["workspace_id"])}


def knowledge_base_with_document(backend: Backend) -> Params:
    params = knowledge_base_and_document(backend)
    path = "/api/workspaces/{workspace_id}/knowledge-bases/{knowledge_base_id}/add-documents/".format(**params)
    backend.make(path, {"document_ids": [params["document_id"]]})
    return params


def team(backend: Backend) -> Params:
    params = workspace(backend)
    made = backend.make(f"/api/workspaces/{params['workspace_id']}/teams/", {"name": "Builders"})
    return {**params, "team_id": str(made["id"])}


def team_with_member(backend: Backend) -> Params:
    return backend.team_with_member()


def joined_team(backend: Backend) -> Params:
    return backend.joined_team()


def silence(seconds: float = 0.25, rate: int = 8000) -> bytes:
    """A real WAV file: a quiet tone."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        tone = (int(1000 * math.sin(i / 10)) for i in range(int(seconds * rate)))
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))
    return file.getvalue()


TEXT = b"# Notes\n\nThe engine weaves algebraic patterns.\n"
CHAT = {
    "name": "Loom", "ai_provider": "openai", "ai_model": "gpt-4o", "system_prompt": "", "temperature": 0.7,
    "agent_framework": "langgraph",
}  # fmt: skip
MESSAGE = {"role": "user", "content": "What does it weave?"}
UPLOAD = {"filename": "notes.txt", "content_type": "text/plain", "file_size": len(TEXT)}
INVITATION = {"email": "grace@example.com", "role": "member"}
BOUNDARY = "----wsgiproxy-boundary"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
).encode() + silence() + f"\r\n--{BOUNDARY}--\r\n".encode()  # fmt: skip

W = "workspaces/{workspace_id}"
C = W + "/chats/{chat_id}"
D = W + "/documents/{document_id}"
K = W + "/knowledge-bases/{knowledge_base_id}"
T = W + "/teams/{team_id}"

_numbers = iter(range(1, 1_000_000))


def registration(_: Params) -> dict[str, str]:
    password = "a long enough passphrase 1843"
    return {"email": f"new{next(_numbers)}@example.com", "password": password, "re_password": password, "name": "New"}


CASES = (
    Case("POST", "auth/register", nothing, registration),
    Case("POST", "auth/activate-user", nothing, {"uid": "MQ", "token": "not-a-token"}),
    Case("POST", "auth/resend-activation", nothing, {"email": "nobody@example.com"}),
    Case("POST", "auth/reset-password", nothing, {"email": "nobody@example.com"}),
    Case("POST", "auth/password-reset-confirm", nothing,
         {"uid": "MQ", "token": "no", "new_password": "another passphrase 9", "re_new_password": "another passphrase 9"}),
    Case("GET", "workspaces", nothing, query="?page=1&q=a+b%20c&q=&x=%7e"),
    Case("POST", "workspaces", nothing, {"name": "Looms"}),
    Case("PUT", W, workspace, {"name": "Renamed"}),
    Case("DELETE", W, workspace),
    Case("GET", W + "/invitations", workspace),
    Case("POST", W + "/invitations", workspace, INVITATION),
    Case("POST", W + "/leave", left_workspace),
    Case("GET", W + "/chats", chat),
    Case("POST", W + "/chats", workspace, CHAT),
    Case("GET", C, chat),
    Case("PUT", C, chat, {"name": "Renamed", "temperature": "1.25"}),
    Case("DELETE", C, chat),
    Case("POST", C + "/messages", chat, MESSAGE),
    Case("POST", C + "/messages/regenerate", chat_with_message),
    Case("POST", C + "/toggle-public", chat),
    Case("POST", C + "/invite-user", chat, {"email": "grace@example.com"}),
    Case("GET", C + "/knowledge-bases", chat_with_knowledge_base),
    Case("POST", C + "/knowledge-bases/attach", chat_and_knowledge_base,
         lambda p: {"knowledge_base_ids": [p["knowledge_base_id"]]}),
    Case("POST", C + "/knowledge-bases/detach", chat_with_knowledge_base,
         lambda p: {"knowledge_base_ids": [p["knowledge_base_id"]]}),
    Case("GET", W + "/documents", ready_document),
    Case("POST", W + "/documents/upload", workspace, UPLOAD),
    Case("POST", W + "/documents/from-url", workspace, {"url": "https://example.com/page"}),
    Case("GET", D, ready_document),
    Case("PUT", D, ready_document, {"name": "Renamed"}),
    Case("DELETE", D, ready_document),
    Case("POST", D + "/confirm-upload", stored_document),
    Case("GET", D + "/download-url", ready_document),
    Case("GET", D + "/processing-status", ready_document),
    Case("POST", D + "/reprocess", ready_document),
    Case("GET", D + "/chunks", ready_document),
    Case("GET", D + "/content", ready_document),
    Case("GET", W + "/knowledge-bases", knowledge_base),
    Case("POST", W + "/knowledge-bases", workspace, {"name": "Notes", "is_shared_with_workspace": True}),
    Case("GET", K, knowledge_base),
    Case("PUT", K, knowledge_base, {"description": "About looms"}),
    Case("DELETE", K, knowledge_base),
    Case("GET", K + "/documents", knowledge_base_with_document),
    Case("POST", K + "/add-documents", knowledge_base_and_document, lambda p: {"document_ids": [p["document_id"]]}),
    Case("POST", K + "/remove-documents", knowledge_base_with_document, lambda p: {"document_ids": [p["document_id"]]}),
    Case("POST", W + "/teams", workspace, {"name": "Builders"}),
    Case("GET", T, team),
    Case("PUT", T, team, {"name": "Weavers"}),
    Case("DELETE", T, team),
    Case("GET", T + "/invitations", team),
    Case("POST", T + "/invitations", team, INVITATION),
    Case("PUT", T + "/memberships/{membership_id}", team_with_member, {"role": "member"}),
    Case("DELETE", T + "/memberships/{membership_id}", team_with_member),
    Case("POST", T + "/leave", joined_team),
    Case("POST", "subscriptions/checkout", workspace,
         lambda p: {"price_id": "price_demo_basic_month", "workspace_id": p["workspace_id"]}),
    Case("POST", "subscriptions/create-portal-link", nothing),
    Case("GET", "subscriptions/pricing", nothing),
    Case("POST", "transcribe-audio", nothing, raw=(f"multipart/form-data; boundary={BOUNDARY}", MULTIPART)),
)  # fmt: skip
"""Every row that ends at the upstream, but the webhook, whose signature has tests of its own."""
