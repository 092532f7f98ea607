"""An answer whose head is known and whose body is still on its way.

It has of ``urllib3``'s response what ``requests`` uses (``status``, ``reason``, ``headers``, ``stream``, ``close``,
``release_conn``), and hands on bytes as they arrive: never decoded, never waited for to fill a block (F096, F112).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import httptools
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.connections import Connection
from wsgiproxy_hs.upstream.heads import (
    MAX_HEAD_BYTES,
    AnswerHeaders,
    Head,
    body_length,
    is_event_stream,
    keep_alive_seconds,
    keeps_alive,
)


class Answer:
    """One answer; :meth:`close` ends its exchange, whole or not.

    :param received: head, parser, and what was read behind the head.
    :param release: called once with the connection and whether it can serve again; never when this raises.
    :raises ProtocolError: when where it ends cannot be told, or what is here of its body is broken.
    """

    __slots__ = (
        "_connection", "_deadline", "_head", "_idle_seconds", "_keeps_alive", "_overhead", "_parser", "_piece",
        "_release", "_remaining", "_tail", "headers", "is_complete", "is_stream", "reason", "status",
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
        self._connection: Connection | None = None
        head, parser, rest = received
        self._head, self._parser = head, parser
        self.status: int = parser.get_status_code()
        self.reason = head.reason
        self.headers = AnswerHeaders(head.pairs)
        fields, is_http11 = head.fields, head.is_http11
        self._keeps_alive = keeps_alive(fields, is_http11=is_http11)
        self._remaining = body_length(fields, self.status, method, is_http11=is_http11)
        self.is_stream = is_event_stream(fields)
        self._idle_seconds = clocks.stream_idle_seconds if self.is_stream else clocks.idle_seconds
        self._deadline = math.inf if self.is_stream else deadline
        if "keep-alive" in fields:
            connection.keep_alive_seconds = keep_alive_seconds(fields)
        self._piece, self._tail, self._overhead, self.is_complete = b"", b"", 0, False
        self._release = release
        self._begin(connection, rest)

    def buffered(self) -> list[bytes]:
        """What is here of the body already; it is handed out once."""
        piece, self._piece = self._piece, b""
        return [piece] if piece else []

    @property
    def idle_seconds(self) -> float:
        """Longest pause that this answer may make."""
        return self._idle_seconds

    def wait(self, seconds: float) -> bool:
        """Whether within so many seconds there is something to read: a piece of the body, or its end."""
        return bool(self._piece) or self._connection is None or self._connection.wait(seconds)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece of the body as it arrives.

        :raises ReadTimeoutError: a pause or the whole took too long; :raises ProtocolError: the body was cut or broken.
        """
        while not self._piece:
            if self._connection is None:
                raise StopIteration
            self._read(self._connection)
        piece, self._piece = self._piece, b""
        return piece

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
    __del__ = close  # whoever forgets to close must not keep one of the pool's places

    def hand_over(self, release: Callable[[Connection, bool], None]) -> None:
        """From now on somebody else takes the connection back."""
        self._release = release

    def _begin(self, connection: Connection, rest: bytes) -> None:
        self._connection = connection
        try:
            if rest or self._remaining == 0:
                self._take(rest)
        except BaseException:
            self._connection = None  # whoever called has it still, and closes it
            raise

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.receive(self._idle_seconds, self._deadline)
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
            self._piece = data
        elif self._remaining < 0:
            self._take_chunks(data)
        else:
            self._piece = data[: self._remaining]
            self._remaining -= len(self._piece)
            if self._remaining == 0:
                self.is_complete = True
                self._finish(reusable=len(self._piece) == len(data))

    def _take_chunks(self, data: bytes) -> None:
        """Chunk sizes, extensions and trailers stay here; what there is of them between two bodies is bounded."""
        head = self._head
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not head.is_complete:
                raise ProtocolError(f"The upstream's answer is broken: {error}") from error
            head.restarted = True
        self._piece, head.body = b"".join(head.body), []
        self._overhead = 0 if self._piece else self._overhead + len(data)
        if self._overhead > MAX_HEAD_BYTES:
            raise ProtocolError("The upstream's answer has chunks without content")
        self._tail = (self._tail + data[-6:])[-6:]
        if head.is_complete:
            self.is_complete = True
            # llhttp swallows line ends behind an answer, so they are looked for here.
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
