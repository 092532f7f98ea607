"""Event streams through the forwarder: at once, kept awake, ended by whoever leaves, never cut in silence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults.upstream import ScriptedUpstream, drip, pause, read, reset, send, wait_for_end
from tests.harness import request
from wsgiproxy_hs import NONE, ErrorMiddleware, Route, RouteMiddleware, Transport
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.upstream import Clocks
from wsgiproxy_hs.upstream.streams import HEARTBEAT

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
FIRST, SECOND = b"id: 1\ndata: one\n\n", b"id: 2\ndata: two\n\n"
TABLE = [Route("GET", "events", "/api/events/", NONE)]


@contextmanager
def events(
    *steps: Any, heartbeat_seconds: float = 5.0, stream_idle: float = 60.0
) -> Iterator[tuple[Iterator[bytes], Any, list[tuple[str, str]], ScriptedUpstream]]:
    """The stream of an upstream that follows a script: iterator, iterable, headers, upstream."""
    transport = Transport()
    headers: list[tuple[str, str]] = []
    with ScriptedUpstream(read(), *steps) as upstream:
        forwarder = Forwarder(
            upstream_url=upstream.url, transport=transport, heartbeat_seconds=heartbeat_seconds,
            clocks=Clocks(connect=2, first_byte=2, idle=0.2, total=0.5, stream_idle=stream_idle),
        )  # fmt: skip
        app = ErrorMiddleware(RouteMiddleware(forwarder, routes=TABLE))
        body = app(request("GET", "/api/events"), lambda status, found, exc_info=None: headers.extend(found))
        try:
            yield iter(body), body, headers, upstream
        finally:
            if hasattr(body, "close"):
                body.close()
            transport.close()


def last_event(text: bytes) -> dict[str, str]:
    """The document of the final error event."""
    event = text.decode().strip().split("\n\n")[-1]
    assert "event: error" in event
    return dict(json.loads(event.rpartition("data: ")[2]))


@pytest.mark.parametrize("between", [True, False])
def test_a_stream_that_breaks_ends_in_an_error_event(between: bool) -> None:
    """A reset in the middle is told by a last event, and half an event is never ended as if it were whole (F117)."""
    sent = FIRST if between else FIRST + b"data: ha"
    with events(send(HEAD, sent), pause(0.1), reset()) as (pieces, *_):
        text = b"".join(pieces)
    assert text.startswith(sent)
    assert last_event(text)["code"] == "upstream-answer-invalid"
    assert b"data: ha\n\n" not in text


def test_a_stream_with_a_length_loses_it() -> None:
    """Comments and a last event are ours: behind an announced length they would be taken for the next answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\n"
    with events(send(head, FIRST), pause(0.1)) as (pieces, _, headers, _):
        assert not [value for name, value in headers if name.lower() == "content-length"]
        assert last_event(b"".join(pieces))["code"] == "upstream-answer-invalid"


def test_a_stream_that_stays_quiet_for_too_long_ends() -> None:
    """The stream's own idle clock ends it with a timeout event (F115)."""
    with events(send(HEAD, FIRST), wait_for_end(), heartbeat_seconds=0.05, stream_idle=0.2) as (pieces, *_):
        text = b"".join(pieces)
    assert last_event(text)["code"] == "upstream-timeout"


def test_a_quiet_stream_is_kept_awake_between_events() -> None:
    """Comments go out while the upstream is quiet, also before the first event (F116)."""
    with events(send(HEAD), pause(0.25), send(FIRST), wait_for_end(), heartbeat_seconds=0.1) as (pieces, *_):
        assert next(pieces) == HEARTBEAT
        rest = [next(pieces) for _ in range(4)]
    assert FIRST in rest
    assert rest[-1] == HEARTBEAT


def test_no_comment_goes_out_within_an_event() -> None:
    """An event that arrives in two halves is not torn apart by a comment (F121)."""
    steps = send(HEAD, b"data: on"), pause(0.3), send(b"e\n\n")
    with events(*steps, heartbeat_seconds=0.1) as (pieces, *_):
        assert next(pieces) + next(pieces) == b"data: one\n\n"


def test_events_are_passed_on_at_once_and_longer_than_other_answers_may_take() -> None:
    """Each event arrives when it is written, beyond the clocks of short exchanges, and unchanged."""
    with events(send(HEAD, FIRST), pause(0.7), send(SECOND)) as (pieces, _, headers, _upstream):
        began = time.monotonic()
        assert next(pieces) == FIRST
        assert time.monotonic() - began < 0.5
        assert b"".join(pieces) == SECOND
    assert ("X-Accel-Buffering", "no") in headers
    assert ("Content-Type", "text/event-stream") in headers


def test_a_client_that_leaves_ends_the_upstreams_exchange() -> None:
    """Closing the answer closes the upstream's connection within a second (F114)."""
    with events(send(HEAD, FIRST), wait_for_end()) as (pieces, body, _, upstream):
        assert next(pieces) == FIRST
        body.close()
        assert upstream.peer().ended.wait(1.0)
        with pytest.raises(StopIteration):
            next(pieces)


def test_a_slow_ordinary_answer_still_has_its_clocks() -> None:
    """What is no event stream keeps the idle clock of answers (F135)."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n"
    with events(send(head + b"abc"), drip(b"defghi", 0.4)) as (pieces, *_), pytest.raises(Exception, match="stalled"):
        b"".join(pieces)
