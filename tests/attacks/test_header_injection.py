"""Somebody hides a line end in a value, so that what stands behind it becomes a header of its own (F102).

Towards the upstream: in the query, in a header that travels, in the request id, in the session's own claims. Towards
the browser: in a header of the upstream. Through the whole stack.
"""

from __future__ import annotations

import pytest

from tests.faults.upstream import ScriptedUpstream, answer, forever, read, send
from tests.harness import PUBLIC_URL, SECRET, FakeUpstream, access_token, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

INJECTIONS = ["a\r\nX-User: root", "a\nX-User: root", "a\rX-User: root", "a\r\n\r\nGET /admin/ HTTP/1.1", "a\x00b"]
ENDS = ["\r\nX: y", "\nX: y", "\r\n X: y", "\x00"]


def ask(upstream_url, *, transport=None, cookie=None, method="GET", path="/api/workspaces", **keys):
    settings = Settings(backend_url=upstream_url, public_url=PUBLIC_URL, secrets=[SECRET])
    headers = {"Cookie": session_cookie() if cookie is None else cookie, "X-Requested-With": "fetch"}
    environ = request(method, path, headers=headers)
    environ.update(keys)
    return call(create_app(settings, transport=transport), environ, validate=False)


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize(
    "key", ["HTTP_ACCEPT", "HTTP_USER_AGENT", "HTTP_VIA", "HTTP_IDEMPOTENCY_KEY", "HTTP_TRACESTATE"]
)
def test_no_line_end_of_a_clients_header_arrives(key, value):
    """A header that travels carries a second one: the upstream sees nothing of it, and no bug is met."""
    with ScriptedUpstream(forever(read(), send(answer(b"{}")))) as upstream:
        result = ask(upstream.url, **{key: value})
        assert (result.code, result.document["code"]) == (400, "headers-invalid")
        assert upstream.peers == []


@pytest.mark.parametrize("value", INJECTIONS)
def test_no_line_end_of_a_query_arrives(value):
    """The query travels byte for byte, and so one that ends the request line is refused."""
    upstream = FakeUpstream()
    assert ask("http://upstream.test", transport=upstream, QUERY_STRING=value).code == 400
    assert upstream.sent == []


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_request_id_cannot_carry_a_header(value):
    """A request id with a line end is refused, and is not in the answer either (F156)."""
    upstream = FakeUpstream()
    result = ask("http://upstream.test", transport=upstream, HTTP_X_REQUEST_ID=value)
    assert (result.code, upstream.sent) == (400, [])
    assert value not in result.document["request_id"]
    assert not [name for name, text in result.headers if "\n" in text or "\r" in text or "\0" in text]


@pytest.mark.parametrize("end", ENDS)
def test_a_token_with_a_line_end_is_no_token(end):
    """Even a session that we sealed ourselves cannot put a second header behind ``Authorization``."""
    upstream = FakeUpstream()
    result = ask("http://upstream.test", transport=upstream, cookie=session_cookie(access_token() + end))
    assert (result.code, upstream.sent) == (401, [])


@pytest.mark.parametrize(
    "line",
    [
        b"X: a\rSet-Cookie: s=1",
        b"X: a\nSet-Cookie: s=1",
        b"X: a\r\n Set-Cookie: s=1",
        b"X: a\x00b",
        b"X\r: a",
        b"X : a",
    ],
)
def test_an_upstreams_header_is_not_split(line):
    """An answer whose header another reader would take for two is 502, and no byte of it reaches the browser."""
    raw = b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 2\r\n\r\n{}"
    with ScriptedUpstream(forever(read(), send(raw))) as upstream:
        result = ask(upstream.url)
    assert (result.code, result.document["code"]) == (502, "upstream-answer-invalid")
    assert result.all("set-cookie") == []
    assert result.all("x") == []


@pytest.mark.parametrize(
    "path", ["/api/workspaces/a\r\nX-User: root/chats", "/api/workspaces/a\nb", "/api/auth/x\r\ny"]
)
def test_a_path_cannot_carry_a_header(path):
    """A line end in the path is refused before anything is made of the path."""
    upstream = FakeUpstream()
    assert ask("http://upstream.test", transport=upstream, path=path).code in (400, 404)
    assert upstream.sent == []
