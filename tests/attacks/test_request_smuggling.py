"""Somebody writes one request that becomes two behind us, so that the second is never checked (F074 to F079, F107, F108).

The other way round, an upstream's answer that becomes two: the second would be the next user's. Through the whole
stack with the real transport, on connections that are kept.
"""

from __future__ import annotations

import io

import pytest

from tests.faults.upstream import ScriptedUpstream, answer, close, forever, read, send
from tests.harness import PUBLIC_URL, SECRET, access_token, call, request, session_cookie
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

ADMIN = b"DELETE /admin/ HTTP/1.1\r\nHost: x\r\n\r\n"
JSON = [("Content-Type", "application/json")]
POISON = answer(b'"poison"', headers=JSON)
OK = answer(b'"good"', headers=JSON)


def stack(upstream):
    return create_app(Settings(backend_url=upstream.url, public_url=PUBLIC_URL, secrets=[SECRET]))


def environ_of(method="GET", path="/api/workspaces", body=None, **keys):
    headers = {"Cookie": session_cookie(), "X-Requested-With": "fetch", **keys.pop("headers", {})}
    return request(method, path, headers=headers, body=body, **keys)


def heads(upstream):
    return [each.partition(b"\r\n")[0] for each in upstream.requests]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_request_in_the_body_of_a_method_without_one(method):
    """A request in the body of a request that has none never leaves."""
    with ScriptedUpstream(forever(read(), send(OK))) as upstream:
        result = call(stack(upstream), environ_of(method, "/api/workspaces/7/teams/7", ADMIN))
        assert result.code in (204, 400)
        assert upstream.peers == []


def test_a_request_in_a_raw_body_stays_a_body():
    """Bytes of any kind are counted, and the next request on the connection begins behind them."""
    with ScriptedUpstream(forever(read(), send(OK))) as upstream:
        app = stack(upstream)
        for _ in range(3):
            environ = environ_of("POST", "/api/transcribe-audio", ADMIN, content_type="audio/webm")
            assert call(app, environ).code == 200
        assert heads(upstream) == [b"POST /api/transcribe-audio/ HTTP/1.1"] * 3
        assert all(each.endswith(b"\r\n\r\n" + ADMIN) for each in upstream.requests)
        assert len(upstream.peers) == 1


@pytest.mark.parametrize("length", ["5", "0", "999", "-1", "5,5", "0x5"])
def test_a_length_that_lies(length):
    """The upstream gets as many bytes as it is told, or nothing: never the rest as a request of its own."""
    body = b'{"a":1}' + ADMIN
    with ScriptedUpstream(forever(read(), send(OK))) as upstream:
        app = stack(upstream)
        environ = environ_of("POST", "/api/workspaces", CONTENT_LENGTH=length, wsgi__input=io.BytesIO(body))
        call(app, environ, validate=False)
        assert call(app, environ_of()).code == 200
        assert heads(upstream)[-1] == b"GET /api/workspaces/ HTTP/1.1"
        assert b"/admin/" not in b"".join(upstream.requests)


def test_a_chunked_body_is_framed_anew():
    """What arrived in chunks leaves with a length, whatever stands in it (F075)."""
    body = b"0\r\n\r\n" + ADMIN
    keys = {"wsgi__input": io.BytesIO(body), "wsgi__input_terminated": True, "CONTENT_LENGTH": ""}
    with ScriptedUpstream(forever(read(), send(OK))) as upstream:
        headers = {"Transfer-Encoding": "chunked"}
        environ = environ_of("POST", "/api/transcribe-audio", headers=headers, content_type="audio/webm", **keys)
        assert call(stack(upstream), environ).code == 200
        (received,) = upstream.requests
        assert received.endswith(b"\r\n\r\n" + body)
        assert b"content-length: %d\r\n" % len(body) in received.lower()
        assert b"transfer-encoding" not in received.lower()


@pytest.mark.parametrize(
    "path", ["/api/workspaces", "/api/transcribe-audio", "/api/auth/signout", "/api/auth/register"]
)
@pytest.mark.parametrize("is_terminated", [True, False])
def test_a_length_beside_chunks(path, is_terminated):
    """Two ends of one body, where a server lets both through: refused unread, by every kind of row (F074)."""
    stream = io.BytesIO(b"2\r\n{}\r\n0\r\n\r\n" + ADMIN)
    keys = {"wsgi__input": stream, "wsgi__input_terminated": is_terminated, "CONTENT_LENGTH": "12"}
    with ScriptedUpstream(forever(read(), send(OK))) as upstream:
        environ = environ_of("POST", path, headers={"Transfer-Encoding": "chunked"}, **keys)
        result = call(stack(upstream), environ, validate=False)
        assert (result.code, result.document["code"]) == (400, "content-length-invalid")
        assert stream.tell() == 0
        assert upstream.peers == []


GLUED = {
    "behind a length": OK + POISON,
    "behind chunks": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n'good'\r\n0\r\n\r\n"
    + POISON,
    "behind a 204": b"HTTP/1.1 204 No Content\r\n\r\n" + POISON,
    "behind a 304": b"HTTP/1.1 304 Not Modified\r\n\r\n" + POISON,
    "behind an error": answer(b'{"detail": "no"}', "404 Not Found") + POISON,
}


@pytest.mark.parametrize("kind", GLUED)
def test_a_second_answer_is_nobodys(kind):
    """An answer glued behind another is not the next user's: the connection is given up."""
    with ScriptedUpstream(scripts=[[read(), send(GLUED[kind]), read()], [forever(read(), send(OK))]]) as upstream:
        app = stack(upstream)
        assert b"poison" not in call(app, environ_of()).body
        other = request("GET", "/api/workspaces", headers={"Cookie": session_cookie(access_token(user_id=8))})
        assert call(app, other).body == b'"good"'
        assert len(upstream.peers) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 6\r\n\r\n{}good",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_an_answer_with_two_ends_is_none(raw):
    """An answer whose end two readers would see in two places is 502, and its connection is given up."""
    with ScriptedUpstream(scripts=[[read(), send(raw), close()], [forever(read(), send(OK))]]) as upstream:
        app = stack(upstream)
        assert call(app, environ_of()).code == 502
        assert call(app, environ_of()).body == b'"good"'
