"""One connection to an upstream: dial, send a request, read the head of its answer."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final, NamedTuple

from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ProtocolError

from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.heads import MAX_HEAD_BYTES, Head, parse_head

READ_BYTES: Final = 65_536
MAX_INTERIM: Final = 8


class Endpoint(NamedTuple):
    """Where an upstream listens: host and port, or the path of a Unix socket; and how to trust it."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    unix_path: str | None = None

    def __str__(self) -> str:
        return self.unix_path or f"{self.host}:{self.port}"


class Dead(ProtocolError):
    """The connection ended before a byte of the answer. ``unsent``: nor was a byte of the request written."""

    unsent = False


class Connection:
    """A socket with what has been read ahead. One exchange at a time; not shared between threads.

    :raises NewConnectionError: refused, unreachable, or TLS failed; :raises ConnectTimeoutError: too slow.
    """

    __slots__ = ("_timeout", "idle_since", "keep_alive_seconds", "sock", "used")

    def __init__(self, endpoint: Endpoint, connect_seconds: float) -> None:
        self.used = False
        self.idle_since = 0.0
        self.keep_alive_seconds: float | None = None
        self.sock = _dial(endpoint, connect_seconds)
        self._timeout: float | None = None

    def is_stale(self) -> bool:
        """Whether the peer closed it, or sent what nobody asked for: either way it is of no more use (F133)."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        with suppress(OSError):
            self.sock.close()

    def send(self, head: bytes, body: Any, clocks: Clocks) -> None:
        """Write a request. An upstream that answers or closes before it has read all is left to be heard (F084).

        :param body: bytes, or a file that is read to its end, or ``None``.
        :raises Dead: when nothing was written.
        """
        self._set_timeout(clocks.idle_seconds)
        if isinstance(body, bytes):
            head, body = head + body, None
        try:
            sent = self.sock.send(head)
        except (BrokenPipeError, ConnectionResetError) as error:
            dead = Dead("The upstream closed the connection")
            dead.unsent = True
            raise dead from error
        with suppress(BrokenPipeError, ConnectionResetError):
            if sent < len(head):
                self.sock.sendall(head[sent:])
            if body is not None:
                self._send_file(body)

    def _send_file(self, body: Any) -> None:
        """Write a file piece by piece, until the upstream has something to say."""
        while piece := body.read(READ_BYTES):
            if self.is_stale():
                self.keep_alive_seconds = 0.0
                return
            self.sock.sendall(piece)

    def read_head(self, clocks: Clocks, deadline: float) -> tuple[Head, Any, bytes]:
        """The final head of the answer, its parser, and what came behind it; 1xx are skipped (F107).

        :raises Dead: when the connection ends before a byte, :raises ProtocolError: after one,
        :raises TimeoutError: when it takes too long.
        """
        buffer, heard, timeout = b"", False, clocks.first_byte_seconds
        for _ in range(MAX_INTERIM):
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                if len(buffer) > MAX_HEAD_BYTES:
                    raise ProtocolError(f"The head of the upstream's answer is over {MAX_HEAD_BYTES} bytes")
                data = self.receive(timeout, deadline)
                if not data:
                    raise ProtocolError("The upstream's answer was cut") if heard else Dead("No answer")
                buffer, heard, timeout = buffer + data, True, clocks.idle_seconds
                if not buffer.startswith(b"HTTP/1.") and not b"HTTP/1.".startswith(buffer):
                    raise ProtocolError("The upstream's answer is not HTTP/1")
            head, parser = parse_head(buffer[: end + 4])
            buffer = buffer[end + 4 :]
            if not 100 <= parser.get_status_code() < 200:
                return head, parser, buffer
        raise ProtocolError("The upstream sends interim answers without end")

    def receive(self, seconds: float, deadline: float) -> bytes:
        """What there is to read, waiting for it at most so long; empty at the end.

        :raises TimeoutError: nothing came in time, or the whole exchange took too long.
        """
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The upstream's answer took too long")
        self._set_timeout(min(seconds, remaining) if remaining < seconds else seconds)
        try:
            return self.sock.recv(READ_BYTES)
        except ConnectionResetError:
            return b""
        except ssl.SSLError as error:
            if isinstance(error, TimeoutError):
                raise
            raise ProtocolError(f"TLS to the upstream broke: {error}") from error

    def _set_timeout(self, seconds: float) -> None:
        if seconds != self._timeout:
            self.sock.settimeout(seconds)
            self._timeout = seconds


def _dial(endpoint: Endpoint, connect_seconds: float) -> socket.socket:
    """A connected socket, from the first address of the name that answers (F110)."""
    deadline = time.monotonic() + connect_seconds
    last: OSError | None = None
    for family, address in _addresses(endpoint):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(remaining)
            sock.connect(address)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return endpoint.tls.wrap_socket(sock, server_hostname=endpoint.host) if endpoint.tls else sock
        except OSError as error:
            sock.close()
            last = error
        except BaseException:
            sock.close()
            raise
    if last is None or isinstance(last, TimeoutError):
        raise ConnectTimeoutError(f"No connection to {endpoint.host} within {connect_seconds:g} s") from last
    raise NewConnectionError(endpoint, f"{type(last).__name__}: {last}") from last  # type: ignore[arg-type]


def _addresses(endpoint: Endpoint) -> list[tuple[int, Any]]:
    if endpoint.unix_path is not None:
        return [(socket.AF_UNIX, endpoint.unix_path)]
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(endpoint.host, endpoint, reason) from error  # type: ignore[arg-type]
    return [(family, address) for family, _, _, _, address in found]
