"""Connections: bounded, kept for as long as it is safe, and used twice only where nothing can happen twice."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    InvalidHeader,
    LocationParseError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util import Timeout

from tests.faults.upstream import (
    Peer,
    Script,
    ScriptedUpstream,
    answer,
    await_signal,
    close,
    forever,
    half_close,
    pause,
    read,
    refusing_port,
    reset,
    send,
    silent_port,
    wait_for_end,
)
from wsgiproxy_hs.upstream import Clocks, heads, outgoing
from wsgiproxy_hs.upstream.addresses import Address, dial, parse_origin, split_url
from wsgiproxy_hs.upstream.connections import Connection, Dead
from wsgiproxy_hs.upstream.heads import body_length, parse_head
from wsgiproxy_hs.upstream.outgoing import Outgoing
from wsgiproxy_hs.upstream.pool import Pool

SERVES = forever(read(), send(answer()))
CLOCKS = Clocks(connect=5, first_byte=5, idle=5, total=20)


def address_of(upstream: ScriptedUpstream) -> Address:
    return Address(f"127.0.0.1:{upstream.port}", "127.0.0.1", upstream.port)


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream(SERVES) as running:
        yield running


def ask(pool: Pool, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None) -> bytes:
    length = (
        {} if body is None else {"Content-Length": str(len(body) if isinstance(body, bytes) else len(body.getvalue()))}
    )
    return pool.urlopen(method, "/", body, {**length, **(headers or {})}, CLOCKS).read()


# How many


def test_reuse(upstream: ScriptedUpstream) -> None:
    """One after the other, requests share a connection."""
    pool = Pool(address_of(upstream))
    assert [ask(pool) for _ in range(20)] == [b"ok"] * 20
    assert len(upstream.peers) == 1
    pool.close()


def test_bounded_wait(upstream: ScriptedUpstream) -> None:
    """F138: who finds all connections in use waits with a bound, and then is told so."""
    pool = Pool(address_of(upstream), max_connections=1, wait_seconds=0.05)
    with ScriptedUpstream(read(), send(answer(b"x", length=9)), wait_for_end()) as slow:
        held = Pool(address_of(slow), max_connections=1, wait_seconds=0.05)
        first = held.urlopen("GET", "/", headers={}, timeout=CLOCKS)
        began = time.monotonic()
        with pytest.raises(MaxRetryError) as caught:
            ask(held)
        assert isinstance(caught.value.reason, EmptyPoolError)
        assert 0.04 < time.monotonic() - began < 1
        first.close()
        assert held.places.in_use == 0
    pool.close()


def test_waiters_are_served(upstream: ScriptedUpstream) -> None:
    """Many threads share few connections, and the upstream never sees more of them at once."""
    pool = Pool(address_of(upstream), max_connections=3, wait_seconds=20)
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.extend(ask(pool) for _ in range(20))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"ok"] * 240
    assert len(upstream.peers) <= 3
    assert pool.places.in_use == 0
    pool.close()


def test_close(upstream: ScriptedUpstream) -> None:
    """Closing a pool closes what is idle at once, and what is in use when it comes back."""
    pool = Pool(address_of(upstream))
    ask(pool)
    held = pool.urlopen("GET", "/", headers={}, timeout=CLOCKS)
    pool.close()
    held.read()
    assert all(peer.ended.wait(1) for peer in upstream.peers)
    assert ask(pool) == b"ok"
    assert upstream.peer(len(upstream.peers) - 1).ended.wait(1)


# For how long


def test_idle_connections_retire(upstream: ScriptedUpstream) -> None:
    """F134: a connection is not used once it was idle for longer than the upstream may wait."""
    pool = Pool(address_of(upstream), idle_seconds=0.05)
    ask(pool)
    upstream.stopped.wait(0.1)
    ask(pool)
    assert len(upstream.peers) == 2
    assert upstream.peer(0).ended.wait(1)
    pool.close()


@pytest.mark.parametrize(
    ("header", "kept"),
    [("timeout=1", False), ("timeout=0", False), ("timeout=2", True), ("max=100, Timeout=75", True), ("timeout=x", True), ("timeout=99999999999", True), ("", True)],
)  # fmt: skip
def test_keep_alive_header(header: str, kept: bool) -> None:
    """The upstream's own word on how long it waits counts, less a second for the way."""
    says = answer(headers=[("Connection", "keep-alive"), ("Keep-Alive", header)])
    with ScriptedUpstream(forever(read(), send(says))) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        ask(pool)
        assert (len(upstream.peers) == 1) is kept
        pool.close()


def test_keep_alive_header_lengthens() -> None:
    """An upstream that says that it waits for long is asked again over the same connection."""
    with ScriptedUpstream(forever(read(), send(answer(headers=[("Keep-Alive", "timeout=30")])))) as upstream:
        pool = Pool(address_of(upstream), idle_seconds=0.01)
        ask(pool)
        upstream.stopped.wait(0.05)
        ask(pool)
        assert len(upstream.peers) == 1
        pool.close()


@pytest.mark.parametrize(
    "says",
    [
        answer(headers=[("Connection", "close")]),
        answer(headers=[("Connection", "keep-alive"), ("Connection", "X, Close")]),
        answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["close", "close among others", "HTTP/1.0"],
)
def test_not_kept(says: bytes) -> None:
    """RFC 9112, section 9.3: a connection that the upstream does not keep is not used again."""
    with ScriptedUpstream(forever(read(), send(says))) as upstream:
        pool = Pool(address_of(upstream))
        assert [ask(pool), ask(pool)] == [b"ok", b"ok"]
        assert len(upstream.peers) == 2


def test_old_connections_do_not_linger(upstream: ScriptedUpstream) -> None:
    """Connections of a past rush are closed though one of them stays in use."""
    pool = Pool(address_of(upstream), idle_seconds=0.1)
    held = [pool.urlopen("GET", "/", headers={}, timeout=CLOCKS) for _ in range(1)]
    with ScriptedUpstream(read(), send(answer(b"", length=2)), pause(0.05), send(b"ok"), wait_for_end()) as slow:
        rush = Pool(address_of(slow), idle_seconds=0.1)
        answers = [rush.urlopen("GET", "/", headers={}, timeout=CLOCKS) for _ in range(4)]
        assert [each.read() for each in answers] == [b"ok"] * 4
        assert len(rush._idle) == 4
        slow.stopped.wait(0.15)
        rush._keep_or_close(Connection(rush.address, 5), reusable=True)
        assert len(rush._idle) == 1
        assert all(slow.peer(index).ended.wait(1) for index in range(4))
        rush.close()
    assert held[0].read() == b"ok"
    pool.close()


# Stale connections and repetition


DIES: dict[str, Sequence[Any]] = {
    "reads and closes": (read(), close()),
    "reads and resets": (read(), reset()),
    "reads and half-closes": (read(), half_close()),
}


@pytest.mark.parametrize("then", [(close(),), (reset(),), (send(b"HTTP/1.1 408 Timeout\r\n\r\n"), pause())], ids=["closed", "reset", "408"])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_stale(then: Sequence[Any], method: str) -> None:
    """F133: a kept connection that the upstream ended, or spoke on, is not used; nobody notices."""
    ended = threading.Event()
    first: Script = (read(), send(answer()), *then[:1], lambda peer: ended.set(), *then[1:])
    with ScriptedUpstream(scripts=[first, (SERVES,)]) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        assert ended.wait(5)
        upstream.stopped.wait(0.01)
        assert ask(pool, method, b"x" if method == "POST" else None) == b"ok"
        assert len(upstream.requests) == 2
        pool.close()


@pytest.mark.parametrize("then", DIES.values(), ids=DIES)
@pytest.mark.parametrize(
    ("method", "headers", "repeats"),
    [("GET", {}, True), ("HEAD", {}, True), ("OPTIONS", {}, True), ("POST", {}, False), ("PUT", {}, False), ("DELETE", {}, False), ("PATCH", {}, False), ("POST", {"Idempotency-Key": "1"}, True)],
)  # fmt: skip
def test_death_at_reuse(then: Sequence[Any], method: str, headers: dict[str, str], repeats: bool) -> None:
    """F133, F134: a request that a kept connection swallowed is sent again only where that can do nothing twice."""
    body = b"body" if method in ("POST", "PUT", "PATCH") else None
    with ScriptedUpstream(scripts=[(read(), send(answer()), *then), (SERVES,)]) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        if repeats:
            assert ask(pool, method, body, headers) == (b"" if method == "HEAD" else b"ok")
            assert upstream.requests[1] == upstream.requests[2]
        else:
            with pytest.raises(Dead):
                ask(pool, method, body, headers)
        assert len(upstream.requests) == (3 if repeats else 2)
        assert pool.places.in_use == 0
        pool.close()


def test_first_use_is_not_repeated() -> None:
    """A fresh connection that dies says that the upstream is in trouble: it is not asked a second time."""
    with ScriptedUpstream(read(), close()) as upstream:
        pool = Pool(address_of(upstream))
        with pytest.raises(Dead):
            ask(pool)
        assert len(upstream.requests) == 1


def test_repetition_is_not_repeated() -> None:
    """One repetition, never two."""
    with ScriptedUpstream(scripts=[(read(), send(answer()), read(), close()), (read(), close())]) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        with pytest.raises(Dead):
            ask(pool)
        assert len(upstream.requests) == 3


def test_begun_answer_is_not_repeated() -> None:
    """After one byte of an answer nothing is repeated."""
    with ScriptedUpstream(read(), send(answer()), read(), send(b"H"), close()) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        with pytest.raises(ProtocolError):
            ask(pool)
        assert len(upstream.requests) == 2


def test_timeout_is_not_repeated() -> None:
    """An upstream that takes too long may be working: nothing is repeated."""
    with ScriptedUpstream(read(), send(answer()), read(), pause()) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        with pytest.raises(ReadTimeoutError):
            pool.urlopen("GET", "/", headers={}, timeout=Clocks(first_byte=0.05))
        assert len(upstream.requests) == 2
        assert pool.places.in_use == 0


def test_unsent_post_is_sent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """F134: when not a byte of a POST could be written, another connection carries it."""
    with ScriptedUpstream(scripts=[(read(), send(answer()), reset()), (SERVES,)]) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        assert upstream.peer(0).finished.wait(5)
        monkeypatch.setattr(Connection, "is_stale", lambda self: False)  # it dies between the check and the write
        with pytest.raises(ConnectionResetError):
            pool._idle[0].sock.recv(1)
        assert ask(pool, "POST", b"once") == b"ok"
        assert [request[-4:] for request in upstream.requests[1:]] == [b"once"]
        pool.close()


@pytest.mark.parametrize("seekable", [True, False])
def test_file_is_rewound(seekable: bool) -> None:
    """A file is sent again from where it began, or, where it cannot go back, not again."""

    class Stuck:
        """Like the input of a WSGI server: it can be read, and that is all."""

        def __init__(self, data: bytes) -> None:
            self.read = io.BytesIO(data).read

    data = b"skipped" + b"x" * 100_000
    file: Any = io.BytesIO(data) if seekable else Stuck(data)
    file.read(7)
    headers = {"Idempotency-Key": "1", "Content-Length": "100000"}
    with ScriptedUpstream(scripts=[(read(), send(answer()), read(), close()), (SERVES,)]) as upstream:
        pool = Pool(address_of(upstream))
        ask(pool)
        if seekable:
            assert pool.urlopen("POST", "/", file, headers, CLOCKS).read() == b"ok"
            assert upstream.requests[1] == upstream.requests[2]
            assert upstream.requests[2].endswith(b"\r\n\r\n" + b"x" * 100_000)
        else:
            with pytest.raises(Dead):
                pool.urlopen("POST", "/", file, headers, CLOCKS)
        pool.close()


def test_file_that_was_closed_is_not_repeated() -> None:
    """A file that can no longer go back is not sent again."""
    file = io.BytesIO(b"x")
    request = Outgoing("POST", "/", {"Content-Length": "1", "Idempotency-Key": "1"}, file, "h")
    assert request.rewind()
    file.close()
    assert not request.rewind()


def test_failing_body_is_not_an_answer() -> None:
    """F076: when the client's body cannot be read on, the upstream is left at once and the failure is told as it is."""

    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise ConnectionResetError("the client left")
            return super().read(size)

    with ScriptedUpstream(SERVES) as upstream:
        pool = Pool(address_of(upstream))
        with pytest.raises(ConnectionResetError, match="the client left"):
            pool.urlopen("POST", "/", Breaks(b"x" * 100_000), {"Content-Length": "100000"}, CLOCKS)
        assert upstream.peer().ended.wait(1)
        assert (upstream.requests, pool.places.in_use) == ([], 0)


def test_method_that_is_none() -> None:
    """A method that is no word never leaves."""
    with pytest.raises(InvalidHeader):
        Outgoing("GET /evil", "/", {}, None, "h")
    assert Outgoing("PROPFIND", "/", {}, None, "h").data == b"PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n"


def test_names_are_remembered_within_bounds() -> None:
    """Whoever invents header names without end does not fill our memory."""
    for number in range(3000):
        Outgoing("GET", "/", {f"X-{number}": ""}, None, "h")
        parse_head(b"HTTP/1.1 200 OK\r\nX-%d: 1\r\n\r\n" % number)
    assert (len(outgoing._names), len(heads._names)) == (1024, 1024)
    outgoing._names.clear()
    heads._names.clear()


# Clocks


def test_total_is_over() -> None:
    """F135: when the total has run down nothing is waited for any more."""
    with ScriptedUpstream(read(), pause()) as upstream:
        pool = Pool(address_of(upstream))
        with pytest.raises(ReadTimeoutError):
            pool.urlopen("GET", "/", headers={}, timeout=Clocks(total=1e-9))


def test_total_counts_the_request_too() -> None:
    """F135: an upstream that takes a request in sips is bounded by the total, not by each sip."""

    def sips(peer: Peer) -> None:
        while True:
            peer.wait(0.02)
            peer.sock.recv(20_000)

    with ScriptedUpstream(sips) as upstream:
        pool = Pool(address_of(upstream))
        began = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            pool.urlopen("POST", "/", b"x" * 30_000_000, {"Content-Length": "30000000"}, Clocks(idle=0.3, total=0.5))
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, (5.0, 60.0, 60.0, 600.0)),
        (Timeout(connect=1, read=2), (1, 2, 2, 600.0)),
        (Timeout(connect=None, read=None), (5.0, 60.0, 60.0, 600.0)),
        (Timeout(3), (5.0, 60.0, 60.0, 3)),
        (Clocks(connect=1, first_byte=2, idle=3, total=4), (1, 2, 3, 4)),
        (Clocks(connect=1, first_byte=2, idle=3, total=4).clone(), (1, 2, 3, 4)),
    ],
)
def test_clocks_of_a_timeout(timeout: Timeout | None, expected: tuple[float, ...]) -> None:
    """Whatever timeout ``requests`` hands on becomes clocks, none of which is endless."""
    clocks = Clocks.of(timeout)
    found = (clocks.connect_seconds, clocks.first_byte_seconds, clocks.idle_seconds, clocks.total_seconds)
    if timeout is not None and timeout.total is not None:
        assert 2.9 < min(found)
        assert max(found) <= 3
    else:
        assert found == expected


@pytest.mark.parametrize("values", [["x"], ["1", "1"], ["\u0661"], ["9" * 19], [""]])
def test_lengths(values: list[str]) -> None:
    """A length is digits, once, whatever the parser before us let through."""
    with pytest.raises(ProtocolError):
        body_length({"content-length": values}, 200, "GET", is_http11=True)


# Addresses


def _resolves_to(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    found = [
        (socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host, port in places
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_next_address(monkeypatch: pytest.MonkeyPatch, upstream: ScriptedUpstream) -> None:
    """F110: when the first address of a name refuses, the next is tried at once."""
    with refusing_port() as dead:
        _resolves_to(monkeypatch, ("::1", dead), ("127.0.0.1", dead), ("127.0.0.1", upstream.port))
        dial(Address("h", "h", 80), 5).close()
        _resolves_to(monkeypatch, ("255.255.255.255", 80), ("127.0.0.1", upstream.port))  # fails at once
        dial(Address("h", "h", 80), 5).close()


def test_silent_address(monkeypatch: pytest.MonkeyPatch, upstream: ScriptedUpstream) -> None:
    """An address that is silent does not use up the connect clock when another one answers."""
    with silent_port() as silent:
        _resolves_to(monkeypatch, ("127.0.0.1", silent), ("127.0.0.1", upstream.port))
        began = time.monotonic()
        dial(Address("h", "h", 80), 5).close()
        assert time.monotonic() - began < 1


def test_all_addresses_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """When none answers, the error says so; a silent one is a timeout, refusals are refusals."""
    with refusing_port() as dead, silent_port() as silent:
        _resolves_to(monkeypatch, ("127.0.0.1", dead), ("127.0.0.1", dead))
        with pytest.raises(NewConnectionError, match="refused"):
            dial(Address("h", "h", 80), 5)
        _resolves_to(monkeypatch, ("127.0.0.1", dead), ("127.0.0.1", silent))
        with pytest.raises(ConnectTimeoutError):
            dial(Address("h", "h", 80), 0.3)
        _resolves_to(monkeypatch)
        with pytest.raises(NewConnectionError):
            dial(Address("h", "h", 80), 0.3)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://h", ("http", "h", 80)),
        ("https://h", ("https", "h", 443)),
        ("HTTPS://h:8443", ("https", "h", 8443)),
        ("http://[::1]:8000", ("http", "::1", 8000)),
    ],
)
def test_origins(origin: str, expected: tuple[str, str, int]) -> None:
    """Scheme, host and port are read from the base of a URL."""
    scheme, address = parse_origin(origin)
    assert (scheme, address.host, address.port) == expected


def test_odd_origins() -> None:
    """What cannot be dialled is refused."""
    for origin in ("http://", "ftp://h", "http://a@h", "http://h:0x1", "http://h#f"):
        with pytest.raises(LocationParseError):
            parse_origin(origin)
    assert split_url("http://h") == ("http://h", "/")


def test_await_signal_gives_up() -> None:
    """The upstream's own waiting ends with it."""
    with ScriptedUpstream(await_signal(threading.Event())) as upstream:
        socket.create_connection(("127.0.0.1", upstream.port)).close()
        upstream.peer()
