"""An answer whose head is known and whose body is still on its way.

It has of ``urllib3``'s response what ``requests`` uses (``status``, ``reason``, ``headers``, ``stream``, ``close``,
``release_conn``), and hands on bytes as they arrive: never decoded, never gathered into larger pieces (F096, F112).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httptools
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.connections import Connection
from wsgiproxy_hs.upstream.heads import AnswerHeaders, Head, body_length, keeps_alive


class Answer:
    """One answer; :meth:`close` ends its exchange, whole or not.

    :param rest: what was read behind the head.
    :param release: called once with the connection and whether it can serve again.
    """

    __slots__ = (
        "_clocks", "_connection", "_deadline", "_head", "_keeps_alive", "_parser", "_pieces", "_release", "_remaining",
        "_tail", "headers", "is_complete", "reason", "status", "version",
    )  # fmt: skip

    def __init__(
        self,
        connection: Connection,
        method: str,
        received: tuple[Head, Any, bytes],
        clocks: Clocks,
        deadline: float,
        release: Callable[[Connection, bool], None],
    ) -> None:
        self._head, self._parser, rest = received
        self.status: int = self._parser.get_status_code()
        self.reason: str = self._head.reason
        self.version: str = self._parser.get_http_version()
        self.headers = AnswerHeaders(self._head.pairs)
        self._connection: Connection | None = connection
        self._clocks, self._deadline, self._release = clocks, deadline, release
        self._keeps_alive = keeps_alive(self._head.pairs, self.version)
        self._remaining = body_length(self._head.pairs, self.status, method, self.version)
        self._pieces: list[bytes] = []
        self._tail = b""
        self.is_complete = False
        if rest or self._remaining == 0:
            self._take(rest)

    def buffered(self) -> list[bytes]:
        """The pieces of the body that are here already; each is handed out once."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece of the body as it arrives.

        :raises ReadTimeoutError: a pause or the whole took too long; :raises ProtocolError: the body was cut or broken.
        """
        while not self._pieces:
            if self.is_complete or self._connection is None:
                raise StopIteration
            self._read(self._connection)
        return self._pieces.pop(0)

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """The same, under the name and with the arguments that ``requests`` uses; both are without effect."""
        return self

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """The rest of the body."""
        return b"".join(self)

    def close(self) -> None:
        """End the exchange: a body that was not read to its end takes the connection with it (F114, F139)."""
        self._finish(reusable=False)

    release_conn = close

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.receive(self._clocks.idle_seconds, self._deadline)
            self._take(data) if data else self._end()
        except TimeoutError as error:
            self.close()
            raise ReadTimeoutError(None, "", "The upstream's answer stalled") from error  # type: ignore[arg-type]
        except BaseException:
            self.close()
            raise

    def _take(self, data: bytes) -> None:
        """Judge received bytes: body, end of the body, or bytes behind it, which retire the connection."""
        if self._remaining is None:
            self._pieces.append(data)
        elif self._remaining < 0:
            self._take_chunks(data)
        else:
            body = data[: self._remaining]
            if body:
                self._pieces.append(body)
            self._remaining -= len(body)
            if self._remaining == 0:
                self.is_complete = True
                self._finish(reusable=len(body) == len(data))

    def _take_chunks(self, data: bytes) -> None:
        head = self._head
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not head.is_complete:
                raise ProtocolError(f"The upstream's answer is broken: {error}") from error
            head.restarted = True
        if head.body:
            self._pieces += head.body
            head.body = []
        self._tail = (self._tail + data[-6:])[-6:]
        if head.is_complete:
            self.is_complete = True
            clean = self._tail.endswith(b"\r\n\r\n") and self._tail != b"\r\n\r\n\r\n"
            self._finish(reusable=clean and not head.restarted)

    def _end(self) -> None:
        """The upstream closed the connection: the end of a body without length, else a cut (F108)."""
        if self._remaining is not None:
            raise ProtocolError("The upstream's answer was cut before its end")
        self.is_complete = True
        self._finish(reusable=False)

    def _finish(self, *, reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._release(connection, reusable and self._keeps_alive)
