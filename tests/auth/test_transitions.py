"""Session cookies that grow, shrink, arrive out of order or broken: the lines that the real library wrote for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.auth.browser import call, environ_of, header
from wsgiproxy_hs.auth import AuthApp, CredentialsProvider, Hooks, public_session
from wsgiproxy_hs.exceptions import Unauthorized
from wsgiproxy_hs.sessions import AccessToken, Renewing, Session, Sessions, TokenPair, unseal

VECTORS = json.loads((Path(__file__).parent.parent / "sessions/data/authjs-vectors.json").read_text())
TRANSITIONS: list[dict[str, Any]] = VECTORS["v5"]["transitions"]

BY_HOOK = {"callback-null", "callback-throws"}
"""What the original's jwt callback decides at every read, renewal decides here: these end when it refuses."""
SURVIVES = {"stale-extra", "whole-and-chunk"}
"""A stale chunk beside a good session costs nobody the session."""


def without_id(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The session as the original shows it by default."""
    document = public_session(claims)
    document["user"].pop("id", None)
    return document


class Rewriting(Sessions):
    """Writes the claims that the original's jwt callback made in this vector."""

    claims: Mapping[str, object] | None = None

    def write(self, claims: Mapping[str, object], cookie_header: str, *, expires: float | None = None) -> list[str]:
        return super().write(self.claims or claims, cookie_header, expires=expires)

    def access_token(self, session: Session, renewal: Renewing | None = None) -> AccessToken | None:
        """The vectors' sessions hold no tokens; with a renewal they do, as those of the original's callback did."""
        return AccessToken("a", pair=TokenPair("a", "r"), renewal=renewal) if renewal else None


def new_claims(row: dict[str, Any]) -> Mapping[str, object] | None:
    """The claims of the token that the vector's answer sets."""
    parts = {cookie["name"]: cookie["value"] for cookie in row["set_cookie"] if not cookie["cleared"]}
    if not parts:
        return None
    names = sorted(parts, key=lambda name: int(name.rpartition(".")[2]) if name != row["salt"] else 0)
    token = "".join(parts[name] for name in names)
    return unseal(token, secrets=[row["secret"]], cookie_name=row["salt"], now=row["now"])


class Refusing:
    """A renewal whose refresh token the upstream refused."""

    def is_fresh(self, pair: TokenPair, now: float) -> bool:
        return False

    def newest(self, pair: TokenPair) -> TokenPair:
        return pair

    def current(self, pair: TokenPair, *, is_dead: bool = False) -> TokenPair:
        raise Unauthorized


def answer_to(row: dict[str, Any]) -> Any:
    sessions = Rewriting(
        secrets=[row["secret"]], secure=False, max_age_seconds=row["max_age"], clock=lambda: row["now"]
    )
    sessions.claims = new_claims(row)
    app = AuthApp(
        public_url=row["origin"],
        base_path="/api/auth",
        secrets=[row["secret"]],
        sessions=sessions,
        providers=[CredentialsProvider(lambda credentials: None)],
        hooks=Hooks(session=without_id),
        session_max_age_seconds=row["max_age"],
        clock=lambda: row["now"],
        renewal=Refusing() if row["id"] in BY_HOOK else None,
    )
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in row["request_cookies"])}
    body = None if row["form"] is None else urlencode(row["form"]).encode()
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return call(app, environ_of(row["method"], "/api/auth" + row["path"], headers, body))


def shape_of(line: str) -> tuple[str, int, list[str]]:
    pair, _, attributes = line.partition("; ")
    name, _, value = pair.partition("=")
    return name, len(value), attributes.split("; ")


def test_all_vectors_are_here() -> None:
    """Nineteen transitions, of which two end better on purpose."""
    assert len(TRANSITIONS) == 19
    assert {row["id"] for row in TRANSITIONS} > BY_HOOK | SURVIVES


@pytest.mark.parametrize("row", [row for row in TRANSITIONS if row["id"] not in SURVIVES], ids=lambda row: row["id"])
def test_transitions(row: dict[str, Any]) -> None:
    """Status, body, Location, and each Set-Cookie line in its place, as the real library wrote them."""
    answer = answer_to(row)
    assert (answer.status, answer.body.decode(), header(answer, "location")) == (
        row["status"],
        row["body"],
        row["location"],
    )
    expected = [(cookie["name"], cookie["value_length"], cookie["attributes"]) for cookie in row["set_cookie"]]
    assert [shape_of(line) for line in answer.cookies] == expected


@pytest.mark.parametrize("row", [row for row in TRANSITIONS if row["id"] in SURVIVES], ids=lambda row: row["id"])
def test_a_stale_chunk_ends_no_session(row: dict[str, Any]) -> None:
    """Where the original signs the person out over a stale chunk, the session goes on and the chunk is removed."""
    answer = answer_to(row)
    assert json.loads(answer.body)["user"]["name"] == "Ada Lovelace"
    cleared = [shape_of(line)[0] for line in answer.cookies if "Max-Age=0" in line]
    assert cleared
    assert any(shape_of(line)[1] > 100 for line in answer.cookies)


BODIES = [row for row in VECTORS["v5"]["sessions"] if "default_session_body" in row]


class Unsealed:
    """A store whose session has these claims."""

    hidden_claims: frozenset[str] = frozenset()

    def __init__(self, claims: Mapping[str, object]) -> None:
        self.session = Session(claims)

    def read(self, cookie_header: str) -> Session | None:
        return self.session

    def write(self, claims: Mapping[str, object], cookie_header: str, *, expires: float | None = None) -> list[str]:
        return []

    def clear(self, cookie_header: str) -> list[str]:
        return []


def test_all_session_bodies_are_here() -> None:
    """Sixteen of the sessions come with the body that the real library shows of them."""
    assert len(BODIES) == 16


@pytest.mark.parametrize("row", BODIES, ids=lambda row: row["id"])
def test_default_session_bodies(row: dict[str, Any]) -> None:
    """The body of GET session holds, byte for byte, what the real library shows of the same claims."""
    max_age = int(row["payload"]["exp"] - row["now"])
    app = AuthApp(
        public_url="http://localhost:3000",
        base_path="",
        secrets=["x"],
        sessions=Unsealed(row["payload"]),
        providers=[CredentialsProvider(lambda credentials: None)],
        hooks=Hooks(session=without_id),
        session_max_age_seconds=max_age,
        clock=lambda: row["now"],
    )
    assert call(app, environ_of("GET", "/session", {}, None)).body.decode() == row["default_session_body"]
