"""A cache on the way, or a mistake in ours, gives one user's answer to another (F034, F035, F140).

Through the whole stack: no answer that belongs to somebody may be kept, whatever the upstream says of it, and answers
that are asked for at the same time on kept connections reach whoever asked.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.upstream import Peer, ScriptedUpstream, answer, forever
from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, access_token, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

CACHEABLE = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "public, max-age=3600, s-maxage=9999"),
    ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
]


def stack(transport=None, url=UPSTREAM_URL):
    return create_app(Settings(backend_url=url, public_url=PUBLIC_URL, secrets=[SECRET]), transport=transport)


@pytest.mark.parametrize("status", [200, 203, 206, 301, 400, 404, 410, 500])
@pytest.mark.parametrize(
    "path", ["/api/workspaces", "/api/subscriptions/pricing", "/api/workspaces/7/documents/7/content"]
)
def test_what_belongs_to_somebody_is_kept_by_nobody(path, status):
    """Answers and errors to a request with a session say ``no-store``, even if the upstream calls them public."""
    upstream = FakeUpstream(status, headers=CACHEABLE)
    result = call(stack(upstream), request("GET", path, headers={"Cookie": session_cookie()}))
    assert "no-store" in (result.header("Cache-Control") or "")
    assert "public" not in (result.header("Cache-Control") or "")


def test_a_public_answer_is_not_for_those_with_a_session():
    """Where a session is optional, a kept answer without one is told apart from answers with one."""
    result = call(stack(FakeUpstream(headers=CACHEABLE)), request("GET", "/api/subscriptions/pricing"))
    assert "cookie" in (result.header("Vary") or "").lower() or "no-store" in (result.header("Cache-Control") or "")


@pytest.mark.parametrize("path", ["/api/auth/session", "/api/auth/csrf", "/api/auth/signin", "/api/workspaces"])
@pytest.mark.parametrize("cookie", [None, "authjs.session-token=x"])
def test_sign_in_is_kept_by_nobody(path, cookie):
    """The session document, the CSRF token, the pages with it and refusals are never kept."""
    headers = {"Cookie": cookie} if cookie else {}
    result = call(stack(FakeUpstream()), request("GET", path, headers=headers))
    assert re.search("no-store|private", result.header("Cache-Control") or "")


def echo(peer: Peer) -> None:
    """Answer with the access token that was sent, so that everybody can see whose answer it is."""
    received = peer.read_request()
    token = re.search(rb"authorization: JWT (\S+)\r\n", received, re.IGNORECASE)
    body = json.dumps(token[1].decode() if token else None).encode()
    peer.send(answer(body, headers=[("Content-Type", "application/json")]))


def test_everybody_gets_their_own():
    """Sixteen users, six hundred requests, eight threads and few connections: no answer goes astray."""
    tokens = [access_token(user_id=number) for number in range(16)]
    cookies = [session_cookie(token) for token in tokens]
    with ScriptedUpstream(forever(echo)) as upstream:
        app = stack(url=upstream.url)

        def ask(number: int) -> bool:
            result = call(app, request("GET", "/api/workspaces", headers={"Cookie": cookies[number % 16]}))
            return result.document == tokens[number % 16]

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(600)))
        assert len(upstream.peers) <= 8


def test_a_session_leaves_with_its_request():
    """A request without a session, right behind one with a session, carries no token of the other."""
    upstream = FakeUpstream()
    app = stack(upstream)
    call(app, request("GET", "/api/subscriptions/pricing", headers={"Cookie": session_cookie()}))
    call(app, request("GET", "/api/subscriptions/pricing"))
    assert ["Authorization" in sent.headers for sent in upstream.sent] == [True, False]
