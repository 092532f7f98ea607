"""Forwarding in its rarer modes: long uploads, refused tokens on rows that take errors as they are, servers that hide cuts."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator

import pytest

from tests.faults.upstream import Peer, ScriptedUpstream, answer, chunked, forever, pause, read, read_head, send
from tests.harness import call, request
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.environ import ACCESS_TOKEN, PATH_PARAMS, ROUTE
from wsgiproxy_hs.exceptions import BodyIncomplete, UpstreamAnswerInvalid, UpstreamStatus
from wsgiproxy_hs.middleware import BodyMiddleware, ErrorMiddleware
from wsgiproxy_hs.routes import NONE, RAW, REQUIRED, Route
from wsgiproxy_hs.routes.spool import MEMORY_BYTES
from wsgiproxy_hs.upstream import Clocks, Transport

CLOCKS = Clocks(connect=5, first_byte=5, idle=5, total=20)
UPLOAD = Route("POST", "x", "/x/", NONE, RAW, max_bytes=10_000_000, stream_body=True)
AS_IT_IS = Route("GET, POST", "x", "/x/", REQUIRED, RAW, reshape_errors=False)
REFUSED = json.dumps({"detail": "Given token not valid", "code": "token_not_valid"}).encode()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def environ_for(route, method="GET", body=None, **keys):
    environ = request(method, "/api/x", body=body, **keys)
    environ[ROUTE], environ[PATH_PARAMS] = route, {}
    return environ


class Handle:
    """An access token that can be renewed once."""

    def __init__(self, *values):
        self.values = list(values)

    def authorization(self, scheme):
        return f"{scheme} {self.values[0]}"

    def renew(self, rejected):
        if len(self.values) == 1:
            return False
        assert rejected.endswith(self.values.pop(0))
        return True


def test_an_upload_reaches_the_upstream_while_it_arrives(transport):
    """The upstream has the first bytes before the client has sent its last."""
    heard = threading.Event()

    def hear(peer: Peer) -> None:
        peer.receive()
        heard.set()

    class Client(io.BytesIO):
        def read(self, size=-1):
            assert self.tell() < 200_000 or heard.wait(5), "the upstream waits for the end"
            return super().read(size)

    body = bytes(range(256)) * 4000
    with ScriptedUpstream(hear, read(), send(answer())) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(UPLOAD, "POST", CONTENT_LENGTH=str(len(body)), wsgi__input=Client(body))
        assert call(BodyMiddleware(forwarder), environ, validate=False).body == b"ok"
        assert upstream.requests[0].endswith(body)


def test_an_upload_that_ends_early_is_never_whole(transport):
    """400, and the upstream got less than was announced (F076)."""
    with ScriptedUpstream(read(), send(answer())) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(UPLOAD, "POST", CONTENT_LENGTH="200000", wsgi__input=io.BytesIO(b"x" * 150_000))
        with pytest.raises(BodyIncomplete):
            call(BodyMiddleware(forwarder), environ, validate=False)
        assert upstream.requests == []


def test_an_early_refusal_is_heard_and_the_rest_read_away(transport):
    """The upstream says 413 while the client is still sending: the client sends on, and hears it (F084)."""
    client = io.BytesIO(b"x" * 8_000_000)
    with ScriptedUpstream(
        read_head(), send(answer(b'{"detail": "Too large"}', "413 Too Large")), pause(0.2)
    ) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(UPLOAD, "POST", CONTENT_LENGTH="8000000", wsgi__input=client)
        result = call(ErrorMiddleware(BodyMiddleware(forwarder)), environ, validate=False)
    assert (result.code, result.document["error"]) == (413, "Too large")
    assert client.tell() == 8_000_000


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_token_is_renewed_on_rows_that_take_errors_as_they_are(transport, status):
    """One replay with the new token, and the browser sees the second answer alone (F013)."""
    with ScriptedUpstream(read(), send(answer(REFUSED, status)), read(), send(answer(b"fine"))) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(AS_IT_IS, "POST", b"abc", **{ACCESS_TOKEN.replace(".", "__"): Handle("old", "new")})
        assert call(forwarder, environ, validate=False).body == b"fine"
    first, second = upstream.requests
    assert b"Authorization: JWT old" in first
    assert b"Authorization: JWT new" in second
    assert second.endswith(b"\r\n\r\nabc")


REFUSALS = {
    "another code": answer(b'{"code": "permission_denied"}', "403 Forbidden"),
    "no JSON": answer(b"<h1>no</h1>", "403 Forbidden"),
    "chunks": chunked(b'{"code":', b' "x"}').replace(b"200 OK", b"401 Unauthorized"),
    "too large to be read for it": answer(b"x" * 300_000, "401 Unauthorized"),
    "the same token again": answer(REFUSED, "401 Unauthorized"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_was_looked_into_is_passed_on_whole(transport, case):
    """A refusal that is not about the token, or cannot be helped, comes back byte for byte."""
    said = REFUSALS[case]
    with ScriptedUpstream(forever(read(), send(said))) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(AS_IT_IS, **{ACCESS_TOKEN.replace(".", "__"): Handle("only")})
        result = call(forwarder, environ, validate=False)
        assert len(upstream.requests) == 1
    assert result.code in (401, 403)
    plain = said.partition(b"\r\n\r\n")[2]
    assert result.body == (b'{"code": "x"}' if case == "chunks" else plain)


def test_a_long_upload_is_not_sent_twice(transport):
    """The token is renewed for the next request; this one's refusal is passed on, because its body is gone."""
    handle = Handle("old", "new")
    route = Route("POST", "x", "/x/", REQUIRED, RAW, max_bytes=10_000_000, stream_body=True)
    size = MEMORY_BYTES + 1
    with ScriptedUpstream(forever(read(), send(answer(REFUSED, "401 Unauthorized")))) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        environ = environ_for(
            route, "POST", CONTENT_LENGTH=str(size), wsgi__input=io.BytesIO(b"x" * size),
            **{ACCESS_TOKEN.replace(".", "__"): handle},
        )  # fmt: skip
        with pytest.raises(UpstreamStatus):
            call(BodyMiddleware(forwarder), environ, validate=False)
        assert len(upstream.requests) == 1
    assert handle.values == ["new"]


WHOLE = chunked(b"x" * 200_000)


def test_where_the_server_hides_cuts_a_short_answer_gains_a_length(transport):
    """So that the server itself can tell when it is cut on its way to the client (F108)."""
    with ScriptedUpstream(read(), send(WHOLE[:50_000]), pause(0.05), send(WHOLE[50_000:])) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        result = call(forwarder, environ_for(UPLOAD, SERVER_SOFTWARE="Granian"), validate=False)
    assert (result.header("Content-Length"), len(result.body)) == ("200000", 200_000)


def test_where_the_server_hides_cuts_a_short_answer_that_is_cut_is_502(transport):
    """Nobody takes a half for a whole (F108)."""
    with ScriptedUpstream(read(), send(WHOLE[:50_000]), pause(0.05)) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        with pytest.raises(UpstreamAnswerInvalid):
            call(forwarder, environ_for(UPLOAD, SERVER_SOFTWARE="Granian"), validate=False)


def test_a_longer_answer_is_passed_on_as_it_arrives(transport):
    """Above 256 KiB nothing is held."""
    with ScriptedUpstream(read(), send(chunked(*[b"x" * 65_000] * 10))) as upstream:
        forwarder = Forwarder(upstream_url=upstream.url, transport=transport, clocks=CLOCKS)
        result = call(forwarder, environ_for(UPLOAD, SERVER_SOFTWARE="Granian"), validate=False)
    assert (result.header("Content-Length"), len(result.body)) == (None, 650_000)
