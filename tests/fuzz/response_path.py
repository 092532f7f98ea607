"""Any bytes as an upstream's answer, through pool and forwarder: an answer, or a documented refusal; and never a rest
of them in the next exchange.

Bytes are read as ``choice, answer 0xFE 0xFE late``: ``late`` arrives when the exchange is over, as bytes do that nobody
asked for.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock
from wsgiref.types import WSGIApplication

from urllib3.exceptions import HTTPError

from tests.differential import front
from tests.harness import request
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.middleware import BodyMiddleware, ErrorMiddleware, RouteMiddleware
from wsgiproxy_hs.routes import RouteTable
from wsgiproxy_hs.upstream import Transport, connections
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.headers import ANSWER_HEADERS_KEPT_BACK

MARK: Final = b"the next answer"
NEXT: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\n" + MARK
TABLE: Final = RouteTable(front.ROUTES, prefix="/api")
CLOCKS: Final = Clocks(connect=1, first_byte=1, idle=1, total=2, stream_idle=0.002)
METHODS: Final = (("GET", "/api/public"), ("HEAD", "/api/public"), ("POST", "/api/raw"))
MOST_PIECES: Final = 10_000
SEEDS: Final = (
    b"\x00HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"\x00HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\xfe\xfeHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    b"\x00HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    b"\x08HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"\x03HTTP/1.0 200 OK\r\n\r\nhello",
    b"\x01HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"\x02HTTP/1.1 204 No Content\r\n\r\n",
    b"\x00HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b'\x00HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"detail":"x"}',
    b"\x00HTTP/1.1 302 Found\r\nLocation: /elsewhere/\r\nContent-Length: 0\r\n\r\n",
    b"\x00HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n",
    # found by the fuzzer: comments and the last event went out behind the announced length
    b"\x00HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: text/event-stream 5\r\n\r\n",
    b"\x10HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close, x-a\r\nX-A: b\r\nSet-Cookie: a=b\r\n\r\nhello",
)


class Upstream(socket.socket):
    """Our end of a connection whose other end says what it has to say once a request was sent. Nobody ever waits.

    :param answers: one for each request; shared between connections.
    """

    def __init__(self, answers: Iterator[bytes], *, closes: bool) -> None:
        ours, self.theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self.answers, self.closes, self.sent, self.patience = answers, closes, 0, 0.0

    def send(self, data: Any, *_: int) -> int:
        self.sent += 1
        self.theirs.sendall(next(self.answers))
        if self.closes:
            self.theirs.shutdown(socket.SHUT_WR)
        return len(data)

    def settimeout(self, value: float | None) -> None:
        self.patience = value or 0.0
        super().settimeout(0.0)

    def recv(self, size: int, *_: int) -> bytes:
        try:
            return super().recv(size)
        except BlockingIOError:
            if self.patience == 0.0:
                raise
            raise TimeoutError("stalled") from None

    def close(self) -> None:
        self.theirs.close()
        super().close()


@contextmanager
def dialling(make: Callable[[], Upstream]) -> Iterator[list[Upstream]]:
    """Connections of our making; all are closed in the end."""
    made: list[Upstream] = []

    def dial(*_: object) -> Upstream:
        made.append(make())
        return made[-1]

    with mock.patch.object(connections, "dial", dial):
        try:
            yield made
        finally:
            for one in made:
                one.close()


def asked(app: WSGIApplication, method: str, path: str, pieces: int) -> tuple[int, list[tuple[str, str]], bytes, bool]:
    """Status, headers, body, and whether it is whole, of an answer that is read for so many pieces at most."""
    started: list[Any] = []
    answer = app(request(method, path, body=b"x" if method == "POST" else None), lambda *args: started.append(args))
    body, is_whole = b"", False
    try:
        body, is_whole = read(answer, pieces)
    except (HTTPError, OSError):
        pass  # an answer that was cut looks cut
    finally:
        getattr(answer, "close", lambda: None)()
    status, headers = started[-1][:2]
    return int(status[:3]), headers, body, is_whole


def read(answer: Iterable[bytes], most: int) -> tuple[bytes, bool]:
    body = b""
    for number, piece in enumerate(answer):
        if number == most:
            return body, False
        body += piece
        assert number < MOST_PIECES, "an answer without end"
    return body, True


def check_exchange(data: bytes) -> None:
    """Whatever an upstream sends: one answer with one end, or a refusal; and the next exchange has its own answer."""
    choice, (first, _, late) = data[0] if data else 0, data[1:100_000].partition(b"\xfe\xfe")
    method, path = METHODS[choice % 4 % len(METHODS)]
    transport = Transport(breaker_failures=0)
    forwarder = Forwarder(
        upstream_url="http://upstream.test:8000", transport=transport, clocks=CLOCKS, heartbeat_seconds=0.001
    )
    app = ErrorMiddleware(RouteMiddleware(BodyMiddleware(forwarder), routes=TABLE))
    answers = iter([first, NEXT, NEXT])
    with dialling(lambda: Upstream(answers, closes=bool(choice & 8))) as made:
        code, headers, body, is_whole = asked(app, method, path, 1 if choice & 16 else MOST_PIECES + 1)
        check_answer(method, code, headers, body, is_whole)
        assert sum(one.sent for one in made) == 1, "a request was sent twice"
        if late and made[0].fileno() >= 0 and not made[0].closes:
            made[0].theirs.sendall(late)
        following = asked(app, "GET", "/api/public", MOST_PIECES)
        assert (following[0], following[2], following[3]) == (200, MARK, True), following
    transport.close()


def check_answer(method: str, code: int, headers: list[tuple[str, str]], body: bytes, is_whole: bool) -> None:
    assert 200 <= code <= 599
    named: dict[str, list[str]] = {}
    for name, value in headers:
        assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), name
        assert not re.search(r"[\r\n\0]", value), value
        value.encode("latin-1")
        named.setdefault(name.lower(), []).append(value)
    kept_back = set(ANSWER_HEADERS_KEPT_BACK) - {"allow", "x-content-type-options", "referrer-policy"}
    assert not kept_back & set(named), named
    lengths = named.get("content-length", [])
    assert len(lengths) <= 1
    if method == "HEAD" or code in (204, 304):
        assert body == b""
    elif lengths and is_whole:
        assert len(body) == int(lengths[0])
