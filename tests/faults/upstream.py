"""An upstream that does what a script says, over raw sockets, and keeps every byte that it was sent.

::

    with ScriptedUpstream(read(), send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"), reset()) as upstream:
        ...  # ask upstream.url
    assert upstream.requests == [b"GET / HTTP/1.1\\r\\n..."]

A script is a sequence of steps; each connection follows one. The first connection follows the first script, the second
the second, and so on; the last script serves all that come after. A step is any callable that takes a :class:`Peer`.
At the end of its script a connection is closed. Nothing here waits longer than the upstream lives.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


class Gone(Exception):
    """The other side has left, or the upstream is being shut down."""


class Peer:
    """One connection as the upstream sees it.

    ``received`` is every byte that came, ``requests`` the whole requests among them, ``ended`` is set when the other
    side closed, ``ended_at`` the time of that; ``finished`` is set when the script is over, one way or another.
    """

    def __init__(self, sock: socket.socket, upstream: ScriptedUpstream) -> None:
        self.sock = sock
        self.upstream = upstream
        self.received = b""
        self.requests: list[bytes] = []
        self.ended = threading.Event()
        self.finished = threading.Event()
        self.ended_at = 0.0
        self._pending = b""

    def receive(self) -> bytes:
        """More bytes; :raises Gone: at their end."""
        try:
            data = self.sock.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self.ended_at = time.monotonic()
            self.ended.set()
            raise Gone
        self.received += data
        self._pending += data
        return data

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._pending:
            self.receive()
        head, separator, self._pending = self._pending.partition(b"\r\n\r\n")
        return head + separator

    def read_request(self) -> bytes:
        """One request with its body, noted in ``requests`` of the connection and of the upstream."""
        head = self.read_head()
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        while len(self._pending) < length:
            self.receive()
        request = head + self._pending[:length]
        self._pending = self._pending[length:]
        self.requests.append(request)
        self.upstream.note(request)
        return request

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def wait(self, seconds: float) -> None:
        """A pause that ends with the upstream."""
        if self.upstream.stopped.wait(seconds):
            raise Gone


Step = Callable[[Peer], None]
Script = Sequence[Step]


def read() -> Step:
    """Read one whole request."""
    return lambda peer: peer.read_request() and None


def read_head() -> Step:
    """Read the head of a request and leave its body where it is."""
    return lambda peer: peer.read_head() and None


def send(*pieces: bytes) -> Step:
    """Send bytes, each piece in a segment of its own."""

    def step(peer: Peer) -> None:
        for piece in pieces:
            peer.send(piece)

    return step


def drip(data: bytes, pause_seconds: float) -> Step:
    """Send byte after byte with a pause before each."""

    def step(peer: Peer) -> None:
        for index in range(len(data)):
            peer.wait(pause_seconds)
            peer.send(data[index : index + 1])

    return step


def pause(seconds: float = 3600.0) -> Step:
    """Do nothing for a while; without a number, until the upstream is shut down."""
    return lambda peer: peer.wait(seconds)


def wait_for_end() -> Step:
    """Read until the other side closes."""

    def step(peer: Peer) -> None:
        while True:
            peer.receive()

    return step


def close() -> Step:
    """Close both directions in good order."""
    return lambda peer: peer.sock.close()


def half_close() -> Step:
    """Say that nothing more will be said, and go on listening."""
    return lambda peer: peer.sock.shutdown(socket.SHUT_WR)


def farewell() -> Step:
    """End TLS as its standard wants it, then close."""

    def step(peer: Peer) -> None:
        peer.sock.settimeout(0.05)  # the other side's own farewell is not waited for
        with contextlib.suppress(OSError):
            peer.sock.unwrap().close()  # type: ignore[attr-defined]

    return step


def reset() -> Step:
    """Break the connection off: the other side sees a reset."""

    def step(peer: Peer) -> None:
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sock.close()

    return step


def signal(event: threading.Event) -> Step:
    """Tell the test that this point is reached."""
    return lambda peer: event.set()


def await_signal(event: threading.Event) -> Step:
    """Wait for the test."""

    def step(peer: Peer) -> None:
        while not event.wait(0.05):
            if peer.upstream.stopped.is_set():
                raise Gone

    return step


def forever(*steps: Step) -> Step:
    """Repeat until the other side leaves."""

    def step(peer: Peer) -> None:
        while True:
            for each in steps:
                each(peer)

    return step


def answer(
    body: bytes = b"ok", status: str = "200 OK", headers: Sequence[tuple[str, str]] = (), *, length: int | None = None
) -> bytes:
    """The bytes of an answer with a Content-Length, which may lie."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks: bytes, trailers: bytes = b"", end: bytes = b"0\r\n") -> bytes:
    """The bytes of an answer in chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end + trailers + b"\r\n"


class ScriptedUpstream:
    """A server on a free loopback port, or on a Unix socket.

    :param script: the steps of every connection; or, with ``scripts``, what each connection does in turn.
    :param tls: a server context; the handshake belongs to the connection, not to its script.
    """

    def __init__(
        self,
        *script: Step,
        scripts: Sequence[Script] | None = None,
        tls: ssl.SSLContext | None = None,
        unix: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.scripts: Sequence[Script] = scripts if scripts is not None else [script]
        self.peers: list[Peer] = []
        self.requests: list[bytes] = []
        self.failures: list[BaseException] = []
        self.stopped = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._folder = tempfile.TemporaryDirectory() if unix else None
        self.unix_path = str(Path(self._folder.name) / "upstream.sock") if self._folder else None
        self._listener = self._listen(host, port)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}"

    def note(self, request: bytes) -> None:
        with self._lock:
            self.requests.append(request)

    def peer(self, index: int = 0, seconds: float = 5.0) -> Peer:
        """The connection with that number, once it is there."""
        until = time.monotonic() + seconds
        while len(self.peers) <= index:
            if time.monotonic() > until:
                raise AssertionError(f"no connection {index} came")
            self.stopped.wait(0.002)
        return self.peers[index]

    def __enter__(self) -> ScriptedUpstream:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in list(self.peers):
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        if self._folder is not None:
            self._folder.cleanup()
        if self.failures and error is None:
            raise self.failures[0]

    def _listen(self, host: str, port: int) -> socket.socket:
        if self.unix_path is None:
            return socket.create_server((host, port), backlog=256)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.unix_path)
        listener.listen(256)
        return listener

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            peer = Peer(sock, self)
            self.peers.append(peer)
            self._start(self._serve, peer, self.scripts[min(len(self.peers), len(self.scripts)) - 1])

    def _serve(self, peer: Peer, script: Script) -> None:
        try:
            if self._tls is not None:
                peer.sock = self._tls.wrap_socket(peer.sock, server_side=True)
            elif self.unix_path is None:
                peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for step in script:
                step(peer)
        except (Gone, OSError):
            pass
        except BaseException as error:
            self.failures.append(error)
        finally:
            peer.sock.close()
            peer.finished.set()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port where nobody listens, for as long as the block lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextlib.contextmanager
def silent_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue is full, so that connecting to it neither succeeds nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
