"""One connection to an upstream: send a request, read the head of its answer."""

from __future__ import annotations

import select
import ssl
import time
from contextlib import suppress
from typing import Any, Final

from urllib3.exceptions import ProtocolError

from wsgiproxy_hs.upstream.addresses import Address, dial
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.heads import MAX_HEAD_BYTES, Head, parse_head
from wsgiproxy_hs.upstream.outgoing import Outgoing

READ_BYTES: Final = 65_536
MAX_INTERIM: Final = 8
_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Cut(ProtocolError):
    """The connection broke: reset, unreachable, or TLS that ended without its farewell."""


class Dead(ProtocolError):
    """The connection ended before a byte of the answer.

    :param unsent: nor was a byte of the request written.
    """

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class Connection:
    """A socket. One exchange at a time; not shared between threads.

    ``is_reusable`` says whether another exchange may follow, ``keep_alive_seconds`` how long the upstream said that it
    waits for one, ``expires_at`` when the pool stops offering it.

    :raises NewConnectionError: refused, unreachable, or TLS failed; :raises ConnectTimeoutError: too slow.
    """

    __slots__ = ("_ahead", "_timeout", "expires_at", "is_reusable", "keep_alive_seconds", "sock")

    def __init__(self, address: Address, connect_seconds: float) -> None:
        self.is_reusable = True
        self.expires_at = 0.0
        self.keep_alive_seconds: float | None = None
        self.sock = dial(address, connect_seconds)
        self._timeout: float | None = None
        self._ahead: bytes | None = None  # read while sending; empty: the end

    def is_stale(self) -> bool:
        """Whether the peer closed it, or sent what nobody asked for: either way it is of no more use (F133)."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        if not poll.poll(0):
            return False
        self._set_timeout(0.0)
        return self._has_ahead()

    def wait(self, seconds: float) -> bool:
        """Whether within so many seconds there is something to read."""
        if self._ahead is not None or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        with suppress(OSError):
            self.sock.close()

    def send(self, request: Outgoing, clocks: Clocks, deadline: float) -> None:
        """Write a request. An upstream that answers or closes before it has read all is left to be heard (F084).

        :raises Dead: when nothing was written; :raises TimeoutError: when it takes no more.
        """
        self._set_timeout(clocks.idle_seconds)
        try:
            sent = self.sock.send(request.data)
        except TimeoutError:
            raise
        except OSError as error:
            # A refused write wrote nothing; of a broken TLS record only the peer knows how much came through.
            raise Dead("The upstream closed the connection", unsent=not isinstance(error, ssl.SSLError)) from error
        if sent < len(request.data) or request.file is not None:
            self._send_rest(request, sent, clocks, deadline)

    def read_head(self, clocks: Clocks, deadline: float) -> tuple[Head, Any, bytes]:
        """The final head of the answer, its parser, and what came behind it; 1xx are skipped (F107).

        :raises Dead: when the connection ends before a byte, :raises ProtocolError: after one,
        :raises TimeoutError: when it takes too long.
        """
        buffer, heard = b"", False
        for _ in range(MAX_INTERIM):
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                if len(buffer) > MAX_HEAD_BYTES:
                    raise ProtocolError(f"The head of the upstream's answer is over {MAX_HEAD_BYTES} bytes")
                buffer += self._more(clocks.idle_seconds if buffer else clocks.first_byte_seconds, deadline, heard)
                heard = True
                if not buffer.startswith(b"HTTP/1.") and not b"HTTP/1.".startswith(buffer):
                    raise ProtocolError("The upstream's answer is not HTTP/1")
            head, parser = parse_head(buffer[: end + 4])
            buffer = buffer[end + 4 :]
            if parser.get_status_code() >= 200:
                return head, parser, buffer
        raise ProtocolError("The upstream sends interim answers without end")

    def receive(self, seconds: float, deadline: float) -> bytes:
        """What there is to read, waiting for it at most so long; empty at the end.

        :raises TimeoutError: nothing came in time, or the whole exchange took too long; :raises Cut: it broke.
        """
        if self._ahead is not None:
            data, self._ahead = self._ahead, None
            return data
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The upstream's answer took too long")
        self._set_timeout(seconds if seconds < remaining else remaining)
        try:
            return self.sock.recv(READ_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise Cut(f"The connection to the upstream broke: {error}") from error

    def _more(self, seconds: float, deadline: float, heard: bool) -> bytes:
        """More of a head, never empty."""
        try:
            data = self.receive(seconds, deadline)
        except Cut as cut:
            raise cut if heard else Dead("The upstream reset the connection") from cut
        if not data:
            raise ProtocolError("The upstream's answer was cut") if heard else Dead("The upstream sent no answer")
        return data

    def _send_rest(self, request: Outgoing, sent: int, clocks: Clocks, deadline: float) -> None:
        """Write on until all is sent or the upstream has something to say; then its connection is at its end."""
        self._set_timeout(0.0)
        if not self._write(memoryview(request.data)[sent:], clocks, deadline):
            return
        left = request.length if request.file is not None else 0
        while left > 0:
            piece = request.file.read(min(READ_BYTES, left))  # type: ignore[union-attr]
            if not piece:
                raise ProtocolError("The body of the request ended before its Content-Length")
            if not self._write(memoryview(piece), clocks, deadline):
                return
            left -= len(piece)

    def _write(self, data: memoryview, clocks: Clocks, deadline: float) -> bool:
        """Whether all of it was taken, which it is not when the upstream speaks first or leaves."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | select.POLLOUT)
        while data:
            wait = min(clocks.idle_seconds, deadline - time.monotonic())
            ready = poll.poll(wait * 1000) if wait > 0 else []
            if not ready:
                raise TimeoutError("The upstream does not take the request")
            if ready[0][1] != select.POLLOUT and self._has_ahead():
                self.is_reusable = False
                return False
            try:
                data = data[self.sock.send(data) :]
            except _WOULD_BLOCK:
                continue
            except OSError:
                self.is_reusable = False
                return False
        return True

    def _has_ahead(self) -> bool:
        """Whether the upstream has said something, or left; what belongs to TLS alone, like tickets, is neither."""
        try:
            self._ahead = self.sock.recv(READ_BYTES)
        except _WOULD_BLOCK:
            return False
        except OSError:
            self._ahead = b""
        return True

    def _set_timeout(self, seconds: float) -> None:
        if seconds != self._timeout:
            self.sock.settimeout(seconds)
            self._timeout = seconds
