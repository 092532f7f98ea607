"""A tiny, deterministic stand-in for the Django backend: the two views of signing in, and the one of signing out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIEnvironment

PASSWORD = "correct horse"
USERS: Mapping[str, dict[str, object]] = {
    "ada@example.com": {"id": 1, "email": "ada@example.com", "name": "Ada Lovelace"},
    "zoe@example.com": {"id": 2, "email": "zoe@example.com", "name": "Zoë Müller-大橋 🦊"},
    "two@example.com": {"id": 3, "email": "two@example.com", "name": "Two Chunks"},
    "three@example.com": {"id": "2b0f8a3e-6f0a-4c5e-9f52-2d1c7b7f9a10", "email": "three@example.com", "name": "Three"},
    "denied@example.com": {"id": 5, "email": "denied@example.com", "name": "Mallory"},
    "divert@example.com": {"id": 6, "email": "divert@example.com", "name": "New Here"},
    "nameless@example.com": {"id": 7, "email": "nameless@example.com"},
}
PASSWORDS = {"zoe@example.com": "pässwörd✓"}
REFRESH_LENGTHS = {"two@example.com": 2_700, "three@example.com": 6_000}


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def access_token_of(email: str) -> str:
    """A token that names its owner, so that ``users/me`` needs no memory."""
    return "access." + email.replace("@", "-at-")


def refresh_token_of(email: str) -> str:
    return "refresh." + email.replace("@", "-at-") + "x" * REFRESH_LENGTHS.get(email, 100)


def reply(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """What Django answers; ``headers`` in lower case."""
    if method == "POST" and path == "/auth/jwt/create/":
        return _create(json.loads(body))
    if method == "GET" and path == "/auth/users/me/":
        return _me(headers.get("authorization", ""))
    if method == "POST" and path == "/auth/jwt/blacklist/":
        return _json(200, {})
    return _html(404, "Not Found")


def _create(document: dict[str, str]) -> Reply:
    email, password = document.get("email", ""), document.get("password", "")
    special = {
        "throttled@example.com": Reply(429, [("Retry-After", "90")], b'{"detail":"Request was throttled."}'),
        "broken@example.com": _html(500, "Server Error"),
        "html@example.com": _html(200, "Welcome"),
        "moved@example.com": Reply(301, [("Location", "/auth/jwt/create")], b""),
        "tokenless@example.com": _json(200, {"detail": "ok"}),
        "field@example.com": _json(400, {"email": ["Enter a valid email address."]}),
    }
    if email in special:
        return special[email]
    if email not in USERS or password != PASSWORDS.get(email, PASSWORD):
        return _json(401, {"detail": "No active account found with the given credentials"})
    return _json(200, {"refresh": refresh_token_of(email), "access": access_token_of(email)})


def _me(authorization: str) -> Reply:
    scheme, _, token = authorization.partition(" ")
    email = token.removeprefix("access.").replace("-at-", "@")
    if scheme != "JWT" or email not in USERS:
        return _json(403, {"detail": "Authentication credentials were not provided."})
    return _json(200, USERS[email])


def _json(status: int, document: object) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(document).encode())


def _html(status: int, text: str) -> Reply:
    return Reply(status, [("Content-Type", "text/html")], f"<h1>{text}</h1>".encode())


def fake_django(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The same as a WSGI app."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = {"authorization": environ.get("HTTP_AUTHORIZATION", "")}
    answer = reply(environ["REQUEST_METHOD"], unquote(environ["PATH_INFO"]), headers, body)
    start_response(f"{answer.status} Status", answer.headers)
    return [answer.body]
