"""Event streams through each server: at once, never cut in silence, ended by whoever leaves."""

from __future__ import annotations

import json
import socket
import struct
import threading

import pytest

from tests.faults.upstream import await_signal, drip, pause, read, reset, send, wait_for_end
from tests.servers.asking import raw_client, read_until, upstream
from tests.servers.conftest import HEARTBEAT_SECONDS
from tests.servers.running import Served

pytestmark = pytest.mark.integration

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
FIRST, SECOND = b"id: 1\ndata: one\n\n", b"id: 2\ndata: two\n\n"
ASKS = b"GET /api/open/events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"


def test_events_arrive_at_once(server: Served) -> None:
    """The first event reaches the client while the upstream waits for the test before it writes the second."""
    first_was_seen = threading.Event()
    steps = send(HEAD, FIRST), await_signal(first_was_seen), send(SECOND), wait_for_end()
    with upstream(server, read(), *steps), raw_client(server) as sock:
        sock.sendall(ASKS)
        received = read_until(sock, FIRST)
        assert FIRST in received
        assert SECOND not in received
        first_was_seen.set()
        assert SECOND in read_until(sock, SECOND, received)


def test_a_quiet_stream_is_kept_awake(server: Served) -> None:
    """Comments reach the client while the upstream is quiet."""
    with upstream(server, read(), send(HEAD), wait_for_end()), raw_client(server) as sock:
        sock.sendall(ASKS)
        assert b": keep-alive\n\n" in read_until(sock, b": keep-alive\n\n")


def test_a_broken_stream_ends_in_an_error_event(server: Served) -> None:
    """A stream that the upstream breaks off ends in an event that says so, and then in good order."""
    with upstream(server, read(), send(HEAD, FIRST), pause(0.1), reset()), raw_client(server) as sock:
        sock.sendall(ASKS)
        received = read_until(sock, b"0\r\n\r\n")
    assert FIRST in received
    event = received[received.rindex(b"event: error\ndata: ") :]
    document, _, rest = event.removeprefix(b"event: error\ndata: ").partition(b"\n\n")
    assert json.loads(document)["code"] == "upstream-answer-invalid"
    assert rest == b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("how", ["closes", "resets"])
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "quiet"])
def test_a_client_that_leaves_ends_the_upstreams_exchange(server: Served, how: str, busy: bool) -> None:
    """Once the client has left, the upstream's connection is closed with the second write that fails, at the latest."""
    goes_on = drip(b"data: x\n\n" * 1_000, 0.02) if busy else wait_for_end()
    with upstream(server, read(), send(HEAD, FIRST), goes_on) as asked:
        with raw_client(server) as sock:
            sock.sendall(ASKS)
            assert FIRST in read_until(sock, FIRST)
            if how == "resets":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert asked.peer().finished.wait(2 * HEARTBEAT_SECONDS + 1)


def test_streams_leave_room_for_others(server: Served) -> None:
    """Thirty open streams stop nobody, and each gets its own events."""
    with upstream(server, read(), send(HEAD, FIRST), wait_for_end()) as asked:
        socks = [raw_client(server) for _ in range(30)]
        try:
            for sock in socks:
                sock.sendall(ASKS)
            assert all(FIRST in read_until(sock, FIRST) for sock in socks)
            assert len(asked.peers) == len(socks)
        finally:
            for sock in socks:
                sock.close()
        assert all(peer.finished.wait(2 * HEARTBEAT_SECONDS + 3) for peer in asked.peers)
