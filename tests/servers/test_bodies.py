"""Large, slow and refused bodies through each server, in both directions."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.upstream import Peer, Step, answer, chunked, pause, read, send, signal
from tests.servers.asking import ask_once, client, parts, raw_client, read_all, read_until, upstream
from tests.servers.running import Served
from tests.servers.table import UPLOAD_BYTES

pytestmark = [pytest.mark.integration, pytest.mark.long]

MIB = 1024 * 1024
PIECE = bytes(range(256)) * 1024
POST = b"POST /api/open/thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
TAKES_NO_CHUNKS = {"granian": "it ends a chunked body that was cut as if it were whole, so none can be believed: 411"}
HOLDS_BODIES = {"waitress": "it has read a body to its end before it calls the app"}
MOST_GROWTH_BYTES = 16 * MIB


def pieces(count: int) -> Iterator[bytes]:
    """So many quarters of a mebibyte, no two the same."""
    for number in range(count):
        yield number.to_bytes(8, "big") + PIECE[8:]


def digest(data: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for piece in data:
        found.update(piece)
    return found.hexdigest()


def send_all(count: int) -> Step:
    def step(peer: Peer) -> None:
        for piece in pieces(count):
            peer.send(piece)

    return step


def test_a_large_upload(server: Served) -> None:
    """Five mebibytes arrive at the upstream, every byte of them."""
    body = b"".join(pieces(20))
    with upstream(server, read(), send(answer())) as asked:
        assert ask_once(server, "POST", body=body).status == 200
    received = parts(asked.requests[0])[2]
    assert len(received) == 5 * MIB
    assert digest(iter([received])) == digest(pieces(20))


def test_a_slow_upload(server: Served) -> None:
    """A body that comes in many small pieces, with pauses, arrives whole and in one request."""
    body = bytes(range(200))
    with upstream(server, read(), send(answer(b"taken"))) as asked, raw_client(server) as sock:
        sock.sendall(POST + b"Content-Length: 200\r\n\r\n")
        for start in range(0, 200, 10):
            asked.stopped.wait(0.02)
            sock.sendall(body[start : start + 10])
        assert read_all(sock).endswith(b"\r\n\r\ntaken")
    assert [parts(request)[2] for request in asked.requests] == [body]


def test_a_slow_upload_stops_nobody(server: Served) -> None:
    """While a body is still on its way, others are served, and nothing of a short one is sent before all of it is here."""
    with upstream(
        server,
        scripts=[(read(), send(answer(b"other", headers=[("Connection", "close")]))), (read(), send(answer(b"late")))],
    ) as asked:
        with raw_client(server) as sock:
            sock.sendall(POST + b"Content-Length: 10\r\n\r\n12345")
            assert ask_once(server).body == b"other"
            assert len(asked.requests) == 1
            sock.sendall(b"67890")
            assert read_all(sock).endswith(b"\r\n\r\nlate")
    assert parts(asked.requests[1])[2] == b"1234567890"


def test_a_chunked_upload(server: Served, name: str) -> None:
    """A body in chunks arrives with its length, or is answered 411 where its end could not be believed."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [b"a", PIECE, b"0\r\n\r\n"]) + b"0\r\n\r\n"
    with upstream(server, read(), send(answer(b"taken"))) as asked, raw_client(server) as sock:
        sock.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        received = read_all(sock)
    if name in TAKES_NO_CHUNKS:
        assert received.startswith(b"HTTP/1.1 411 ")
        assert asked.peers == []
    else:
        _, fields, arrived = parts(asked.requests[0])
        assert arrived == b"a" + PIECE + b"0\r\n\r\n"
        assert dict(fields)["Content-Length"] == str(len(arrived))
        assert "Transfer-Encoding" not in dict(fields)
        assert received.endswith(b"\r\n\r\ntaken")


def test_an_upload_that_is_waited_for(server: Served) -> None:
    """A client that asks whether it may send its body is told to go on."""
    with upstream(server, read(), send(answer(b"taken"))) as asked, raw_client(server) as sock:
        sock.sendall(POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        interim = read_until(sock, b"\r\n\r\n")
        assert interim.startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"body")
        assert read_all(sock).endswith(b"\r\n\r\ntaken")
    assert parts(asked.requests[0])[2] == b"body"
    assert "Expect" not in dict(parts(asked.requests[0])[1])


def test_a_body_that_is_too_large(server: Served) -> None:
    """A client that still sends a body which was refused by its length gets its 413, and the upstream sees nothing."""
    with upstream(server, read(), send(answer())) as asked, raw_client(server) as sock:
        sock.sendall(POST + b"Content-Length: %d\r\n\r\n" % (UPLOAD_BYTES + 1))
        for piece in pieces(UPLOAD_BYTES // len(PIECE)):
            sock.sendall(piece)
        sock.sendall(b"x")
        assert read_all(sock).startswith(b"HTTP/1.1 413 ")
    assert asked.peers == []


def test_a_long_upload_on_its_way(server: Served, name: str) -> None:
    """Of a row that streams the upstream sees the beginning before the end was sent, where the server gives it on."""
    head = POST.replace(b"/api/open/thing", b"/api/streamed") + b"Content-Length: %d\r\n\r\n" % (2 * len(PIECE))
    with upstream(server, read(), send(answer(b"taken"))) as asked, raw_client(server) as sock:
        sock.sendall(head + PIECE)
        if name in HOLDS_BODIES:
            assert ask_once(server, target="/api/open/").status == 404
            assert asked.peers == []
        else:
            assert eventually(lambda: len(asked.peer().received) > len(PIECE) // 2)
        sock.sendall(PIECE)
        assert read_all(sock).endswith(b"\r\n\r\ntaken")
    assert [parts(request)[2] for request in asked.requests] == [PIECE * 2]


@pytest.mark.parametrize("path", [b"/api/open/thing", b"/api/streamed"], ids=["held", "streamed"])
@pytest.mark.parametrize("length", [10, 10 * len(PIECE)], ids=["short", "long"])
def test_a_client_that_leaves_within_its_body(server: Served, length: int, path: bytes) -> None:
    """Half a body is nobody's request: the upstream sees no whole one, and the next one is served."""
    next_one = (read(), send(answer(b"next")))
    with upstream(server, *next_one) as asked:
        with raw_client(server) as sock:
            head = POST.replace(b"/api/open/thing", path) + b"Content-Length: %d\r\n\r\n" % length
            sock.sendall(head + PIECE[: length // 2])
        assert ask_once(server).body == b"next"
    assert [request.split(b" ")[0] for request in asked.requests] == [b"GET"]
    assert all(peer.finished.wait(5) for peer in asked.peers)


@pytest.mark.parametrize("frame", ["length", "chunks", "until closed"])
def test_a_large_download(server: Served, frame: str) -> None:
    """Fifty mebibytes come back whole, and the server never holds more than a part of them."""
    head = answer(b"", length=50 * MIB) if frame == "length" else b"HTTP/1.1 200 OK\r\n\r\n"
    steps = (send(head), send_all(200)) if frame != "chunks" else (send(chunked(*pieces(200))),)
    with upstream(server, read(), *steps), client(server) as connection:
        before = server.memory_bytes()
        forget_peak(server)
        connection.request("GET", "/api/open/thing")
        response = connection.getresponse()
        found = digest(iter(lambda: response.read(65_536), b""))
        assert server.memory_bytes("VmHWM") - before < MOST_GROWTH_BYTES
    assert found == digest(pieces(200))


def test_a_client_that_reads_nothing_stops_the_upstream(server: Served) -> None:
    """An answer waits at the upstream, not in the server's memory, until the client takes it; then all of it comes."""
    all_sent = threading.Event()
    steps = send(answer(b"", length=50 * MIB)), send_all(200), signal(all_sent)
    with upstream(server, read(), *steps), client(server) as connection:
        before = server.memory_bytes()
        connection.request("GET", "/api/open/thing")
        assert not all_sent.wait(1.0)
        assert server.memory_bytes() - before < MOST_GROWTH_BYTES
        response = connection.getresponse()
        assert digest(iter(lambda: response.read(65_536), b"")) == digest(pieces(200))
        assert all_sent.wait(5)


def test_a_client_that_leaves_within_an_answer(server: Served) -> None:
    """The client's leaving closes the upstream's exchange, and the next request is served."""
    with upstream(
        server,
        scripts=[(read(), send(answer(b"", length=50 * MIB)), send_all(200), pause()), (read(), send(answer(b"next")))],
    ) as asked:
        with raw_client(server) as sock:
            sock.sendall(b"GET /api/open/thing HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert asked.peer().finished.wait(3)
        assert ask_once(server).body == b"next"


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it comes true before the time is over."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def forget_peak(server: Served) -> None:
    """Begin to measure the most memory anew."""
    with open(f"/proc/{server.worker}/clear_refs", "w") as file:
        file.write("5")
