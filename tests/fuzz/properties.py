"""What holds for every input, as functions that raise ``AssertionError`` where it does not.

Shared by the tests, which try inputs made for them, and by the coverage-guided targets, which find their own.
"""

from __future__ import annotations

import json
import math
import re
import socket
import time
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from requests import PreparedRequest, Response
from urllib3.exceptions import HTTPError

from tests.differential import rule
from tests.differential.front import ROUTES
from tests.fuzz import whatwg
from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, access_token, make_sessions, session_cookie
from wsgiproxy_hs.auth.callback_urls import callback_url
from wsgiproxy_hs.exceptions import BodyError, RoutingError
from wsgiproxy_hs.routes import RouteTable
from wsgiproxy_hs.routes.strict_json import parse_json
from wsgiproxy_hs.sessions.authjs import unseal
from wsgiproxy_hs.sessions.cookies import cookies_as_sent, parse_cookies
from wsgiproxy_hs.sessions.nextauth import unseal_v4
from wsgiproxy_hs.sessions.signed import seal_signed, unseal_signed
from wsgiproxy_hs.sessions.unsealable import Unsealable
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.upstream.answers import Answer
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.connections import Connection
from wsgiproxy_hs.upstream.outgoing import Outgoing

TOKEN = access_token(expires_in=86_400)
SESSIONS = make_sessions()
COOKIE = session_cookie(TOKEN, expires_in=86_400)
CLAIMS = {"sub": "u1", "accessToken": "AT"}


# Cookies


def check_cookies(header: str) -> None:
    """The tokenizer is total: names are never empty, the cookies as sent come first, and reading a session is too."""
    sent, pairs = cookies_as_sent(header), parse_cookies(header)
    assert pairs[: len(sent)] == sent
    assert len(pairs) <= 2 * (header.count(";") + header.count(",") + 1)
    assert all(name and name == name.strip(" \t") and ";" not in name for name, _ in pairs)
    SESSIONS.read(header)
    SESSIONS.clear(header)
    SESSIONS.has_cookie(header)


def check_neighbours(before: str, after: str) -> None:
    """A session survives whatever stands beside it (F031 to F033)."""
    if "session-token" in before + after:
        return
    session = SESSIONS.read(f"{before};{COOKIE};{after}")
    assert session is not None
    assert session.claims["accessToken"] == TOKEN


# Sealed sessions

GOLDEN_SECRETS = ("test-secret-not-real",)
GOLDEN_NOW = 1_795_473_800.0
GOLDEN = {
    "authjs": (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoieDN3N0VhUjFTYlZUMWVWNUQtUFJ5aWxlSVM3Y3loQVdYdHoxVDR"
        "zWlhiVXAzX3FtMmUwT2tJUHV0cUhlb2R0Uk80cEhnZFlCT2VtbG9FcUV3S3lmOUEifQ..0Amvzlm5ZHD_fCl0m7glAw.f6ET7IpSxw7dLZWd"
        "SegW7NR_dQPcU5LOg-WOuk9d1mgEY3qYjvRaAl9LbgPCNvVOd3iCq5Wd4OmhjOO7mrH4HsxowBznvEyFtyfPXMGDLHv3R8Vx8G35UVufU__N"
        "BgfaZOknoOuCllQg2m3D1WTOqqdtH555lsXd-u5a0lJS4gyvgrvBgkA9FSIup47YYaYL.2G-dl2_0Mx_hCKVbsfn-pPnzpgUTZhW9UHTGjVS"
        "mchc"
    ),
    "next-auth": (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..8nvvKkykucobSjTB.0XW_BPokJBiSmkrmsBgrnTf57ozm9d5jR1PSzY-dmugFlhr16u"
        "a3P8dwbq_3z-6VgLNdDKPATO899b50oCyX2HNPYKrQgRiUa3XMXpdDxtXqstBusvcQPirZatU3LXjO9fRvaNJZYLvDJbslc9A.1DnubgLpHi"
        "Dtq7-rC9V5Gw"
    ),
    "signed": seal_signed(CLAIMS, secrets=GOLDEN_SECRETS, now=GOLDEN_NOW, max_age=3600, jti="j"),
}


def opened(kind: str, token: str) -> dict[str, object] | None:
    """The claims of a token; ``None`` when it is refused. No other exception than ``Unsealable`` is expected."""
    try:
        if kind == "authjs":
            name = "authjs.session-token"
            return unseal(token, secrets=GOLDEN_SECRETS, cookie_name=name, now=GOLDEN_NOW)
        reader = unseal_v4 if kind == "next-auth" else unseal_signed
        return reader(token, secrets=GOLDEN_SECRETS, now=GOLDEN_NOW)
    except Unsealable:
        return None


def check_token(kind: str, token: str) -> None:
    """Nobody but the holder of the secret makes a token: every text but the sealed one is refused."""
    assert (opened(kind, token) is not None) == (token == GOLDEN[kind])


# JSON


def check_json(body: bytes) -> None:
    """What is accepted, every parser reads alike; what is not is a 400 and no other exception (F060 to F066)."""
    try:
        document = parse_json(body)
    except BodyError:
        return
    assert not body.startswith(b"\xef\xbb\xbf")
    assert document == json.loads(body.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_never)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    assert "\0" not in text
    text.encode("utf-8")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    assert not any(isinstance(value, float) and not math.isfinite(value) for _, value in pairs)
    assert not any("\0" in text for pair in pairs for text in pair if isinstance(text, str))
    return dict(pairs)


def _never(name: str) -> None:
    raise AssertionError(name)


# Paths

TABLE = RouteTable(ROUTES, prefix="/api")


def check_path(method: str, path_info: str) -> None:
    """A path is refused, or it leads to a path that the table allows and that has one reading (F040 to F050)."""
    try:
        route, params = TABLE.match(method, path_info)
    except RoutingError:
        return
    rule.check_path(method, route.upstream_path(params))
    assert path_info.startswith("/api/")


# Request headers


class Recorder(FakeUpstream):
    """Keeps the bytes that would leave."""

    def __init__(self) -> None:
        super().__init__()
        self.data: list[bytes] = []

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        target = (request.url or "").removeprefix(UPSTREAM_URL)
        self.data.append(Outgoing(request.method or "", target, request.headers, request.body, "unused").data)
        return super().send(request, **options)


RECORDER = Recorder()
APP = create_app(
    Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]), routes=ROUTES, transport=RECORDER
)


def check_headers(environ: WSGIEnvironment, fields: Mapping[str, str]) -> None:
    """Whatever headers a client sends: what leaves is nothing, or one request without one of them too many.

    :param fields: as ``HTTP_...`` keys, with values as a server passes them: latin-1.
    """
    RECORDER.data.clear()
    RECORDER.sent.clear()
    environ.update(fields)
    environ["HTTP_AUTHORIZATION"] = "Bearer client-secret"
    environ["HTTP_COOKIE"] = COOKIE
    status: list[str] = []
    list(APP(environ, lambda line, headers, exc_info=None: status.append(line)))
    assert status
    assert not status[-1].startswith("500"), status
    for data in RECORDER.data:
        (request,) = rule.requests_in(data)
        names = set(request.fields)
        assert names <= rule.ALWAYS | rule.MAY, names
        assert request.fields["authorization"] == f"JWT {TOKEN}"
        assert b"client-secret" not in data
        assert b"session-token" not in data


# Callback URLs

ORIGIN = "https://app.example.com"
SITE = whatwg.parse(ORIGIN)


def check_callback(candidate: str) -> None:
    """Wherever a browser is told to go after signing in is a page of this site, and stays one when read again."""
    assert SITE is not None
    result = callback_url(candidate, ORIGIN)
    assert re.fullmatch(r"[!-\[\]-~]+", result), result
    url = whatwg.parse(result)
    assert url is not None
    assert (url.origin, url.credentials) == (SITE.origin, False), result
    relative = whatwg.parse(result, SITE)
    assert relative is not None
    assert relative.origin == SITE.origin
    again = whatwg.parse(url.path, SITE)  # what a script does that takes location.pathname for a URL
    assert again is not None
    assert again.origin == SITE.origin, result
    assert callback_url(result, ORIGIN) == result


# Answers of the upstream

CLOCKS = Clocks(connect=1, first_byte=2, idle=2, total=4)


def read_answer(data: bytes, method: str = "GET") -> tuple[Answer, bytes, bool]:
    """The answer in these bytes, its body, and whether the connection may be used again.

    :raises HTTPError: when it is refused.
    """
    ours, theirs = socket.socketpair()
    kept: list[bool] = []
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        connection = Connection.__new__(Connection)
        connection.sock, connection._timeout, connection._ahead = ours, None, None
        connection.is_reusable, connection.keep_alive_seconds, connection.expires_at = True, None, 0.0
        deadline = time.monotonic() + 4
        received = connection.read_head(CLOCKS, deadline)
        answer = Answer(connection, method, received, CLOCKS, deadline, lambda _, good: kept.append(good))
        body = answer.read()
        assert kept, "a connection that nobody gave back"
        return answer, body, kept[0]


def check_answer(data: bytes, method: str = "GET") -> None:
    """An upstream's bytes are one answer with one reading, or refused; no other exception (F101, F102, F107, F108)."""
    try:
        answer, body, is_reusable = read_answer(data[:100_000], method)
    except HTTPError:
        return
    assert 200 <= answer.status <= 599
    assert answer.is_complete
    assert answer.reason.isprintable()
    for name, value in answer.headers.iteritems():
        assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), name
        assert not re.search(r"[\r\n\0]", value), value
    lengths, codings = answer.headers.getlist("content-length"), answer.headers.getlist("transfer-encoding")
    assert not (lengths and codings)
    if method == "HEAD" or answer.status in (204, 304):
        assert body == b""
    elif lengths:
        assert [str(len(body))] == [lengths[0].strip(" \t").lstrip("0") or "0"]
    elif codings:
        assert [coding.strip(" \t").lower() for coding in codings] == ["chunked"]
    else:
        assert not is_reusable
        assert data.endswith(body)
    assert len(body) <= len(data)
