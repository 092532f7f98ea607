"""The proxy's own JSON calls."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.faults.upstream import ScriptedUpstream, answer, chunked, close, forever, pause, read, refusing_port, send
from wsgiproxy_hs.exceptions import (
    UpstreamAnswerInvalid,
    UpstreamBusy,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from wsgiproxy_hs.upstream import Clocks, Transport, UpstreamClient
from wsgiproxy_hs.upstream.client import MAX_REPLY_BYTES

CLOCKS = Clocks(connect=5, first_byte=5, idle=5, total=10)
HASTY = Clocks(connect=0.1, first_byte=0.1, idle=0.1, total=0.3)


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(max_connections=1, wait_seconds=0.05)
    yield made
    assert all(pool.places.in_use == 0 for pool in made._pools.values())
    made.close()


def says(data: bytes) -> ScriptedUpstream:
    return ScriptedUpstream(forever(read(), send(data)))


def test_call(transport: Transport) -> None:
    """A call sends its document as JSON with its length, and brings back status, document and headers."""
    reply = answer(b'{"access": "a"}', "201 Created", [("X-A", "1")])
    with says(reply) as upstream:
        client = UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS)
        got = client.call(
            "POST", "/auth/jwt/create/", document={"e": "\xe9"}, authorization="JWT x", headers={"X-B": "2"}
        )
        head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
    assert (got.status, got.document, got.headers["x-a"]) == (201, {"access": "a"}, "1")
    assert json.loads(body) == {"e": "\xe9"}
    assert head.startswith(b"POST /auth/jwt/create/ HTTP/1.1\r\n")
    lines = set(head.split(b"\r\n"))
    assert {b"Authorization: JWT x", b"X-B: 2", b"Accept: application/json", b"Content-Type: application/json"} <= lines
    assert b"Content-Length: %d" % len(body) in lines


@pytest.mark.parametrize(("method", "expected"), [("GET", False), ("POST", True)])
def test_without_document(transport: Transport, method: str, expected: bool) -> None:
    """Without a document a POST says that it is empty, and a GET says nothing."""
    with says(answer(b"{}")) as upstream:
        UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS).call(method, "/x/")
        assert (b"\r\nContent-Length: 0\r\n" in upstream.requests[0]) is expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", b"[" * 100_000])
def test_no_document(transport: Transport, body: bytes) -> None:
    """An answer that is no JSON has no document; its status is still told."""
    with says(answer(body, "500 Oops")) as upstream:
        reply = UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS).call("GET", "/x/")
    assert (reply.status, reply.document) == (500, None)


def test_redirects_are_not_followed(transport: Transport) -> None:
    """F103: a redirect is an answer like any other."""
    with says(answer(b"", "302 Found", [("Location", "/y/")])) as upstream:
        reply = UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS).call("GET", "/x/")
        assert (reply.status, reply.headers["location"], len(upstream.requests)) == (302, "/y/", 1)


@pytest.mark.parametrize("make", [answer, chunked], ids=["length", "chunks"])
def test_too_large(transport: Transport, make: object) -> None:
    """An answer over 1 MiB is refused, and its connection is over."""
    with ScriptedUpstream(read(), send(make(b"x" * (MAX_REPLY_BYTES + 1))), pause()) as upstream:  # type: ignore[operator]
        with pytest.raises(UpstreamAnswerInvalid):
            UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS).call("GET", "/x/")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((read(), pause()), UpstreamTimeout),
        ((read(), send(answer(b"{", length=9)), pause()), UpstreamTimeout),
        ((read(), send(answer(b"{", length=9)), close()), UpstreamAnswerInvalid),
        ((read(), send(b"garbage garbage")), UpstreamAnswerInvalid),
        ((read(), close()), UpstreamAnswerInvalid),
    ],
    ids=["silent", "stalled", "cut", "garbage", "closed"],
)
def test_faults(transport: Transport, steps: tuple, expected: type[Exception]) -> None:
    """Whatever goes wrong is one of our errors."""
    with ScriptedUpstream(*steps) as upstream:
        with pytest.raises(expected):
            UpstreamClient(upstream.url, transport=transport, timeout=HASTY).call("GET", "/x/")


def test_refused(transport: Transport) -> None:
    """An upstream that is not there is unreachable."""
    with refusing_port() as port, pytest.raises(UpstreamUnreachable):
        UpstreamClient(f"http://127.0.0.1:{port}", transport=transport, timeout=CLOCKS).call("GET", "/x/")


def test_busy(transport: Transport) -> None:
    """F138: when all connections are in use the call says so, with the time to wait."""
    with ScriptedUpstream(read(), send(answer(b"", length=9)), pause()) as upstream:
        from tests.upstream.test_transport import prepared

        held = transport.send(prepared(upstream.url + "/"), stream=True, timeout=CLOCKS)  # type: ignore[arg-type]
        with pytest.raises(UpstreamBusy) as caught:
            UpstreamClient(upstream.url, transport=transport, timeout=CLOCKS).call("GET", "/x/")
        held.close()
    assert ("Retry-After", "1") in caught.value.headers
