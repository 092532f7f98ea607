"""A request body as a file that can be rewound: in memory while it is small, on disk when it is not (F073)."""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Final, NamedTuple, Protocol

from wsgiproxy_hs.exceptions import BodyIncomplete, BodyTooLarge, UploadTooSlow

MEMORY_BYTES: Final = 65_536
"""Up to here a body stays in memory; larger ones go to a file."""


_FIRST_BYTES: Final = 4_096
"""A server gives back no piece before it is whole, so only a client that was quick is asked for a long one."""
_QUICK_SECONDS: Final = 0.5


class Pace(NamedTuple):
    """How slowly a body may arrive (F083). It is looked at between pieces: a read that never ends is the server's.

    :param max_seconds: longest time for a whole body.
    :param min_bytes_per_second: slowest rate, on the average since the beginning; 0 for none.
    :param grace_seconds: how long the rate is not looked at.
    :param clock: seconds that only grow.
    """

    max_seconds: float = 300.0
    min_bytes_per_second: int = 500
    grace_seconds: float = 20.0
    clock: Callable[[], float] = time.monotonic

    def check(self, received: int, seconds: float) -> None:
        """:raises UploadTooSlow: 408."""
        is_slow = seconds > self.grace_seconds and received < self.min_bytes_per_second * seconds
        if is_slow or seconds > self.max_seconds:
            raise UploadTooSlow


USUAL_PACE: Final = Pace()


class Readable(Protocol):
    """What is asked of ``wsgi.input``."""

    def read(self, size: int, /) -> bytes: ...


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A file that is over when nobody holds it any more: the request's environ is its only owner."""

    def __del__(self) -> None:
        self.close()


class Streamed:
    """A body that is read while it is sent on: of a known length, and never a byte more. It cannot be rewound.

    ``is_whole`` says whether all of it was read.
    """

    def __init__(self, stream: Readable, length: int, pace: Pace = USUAL_PACE) -> None:
        self._pieces = _pieces(stream, length, pace)
        self._piece = b""
        self._left = length

    @property
    def is_whole(self) -> bool:
        return self._left == 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most so many; empty at the end.

        :raises BodyIncomplete: 400 when the client stopped early, :raises UploadTooSlow: 408.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(MEMORY_BYTES), b""))
        if not self._piece:
            self._piece = next(self._pieces, b"")
        if not self._piece and self._left:
            raise BodyIncomplete
        piece, self._piece = self._piece[:size], self._piece[size:]
        self._left -= len(piece)
        return piece


def take_body(
    stream: Readable, length: int | None, max_bytes: int, pace: Pace = USUAL_PACE, *, whole: bool = True
) -> tuple[IO[bytes] | Streamed, int]:
    """A body and its size, as :func:`spool_body`; on its way when it is long and need not be ``whole``."""
    if whole or length is None or length <= MEMORY_BYTES:
        return spool_body(stream, length, max_bytes, pace)
    if length > max_bytes:
        raise BodyTooLarge(max_bytes)
    return Streamed(stream, length, pace), length


def spool_body(stream: Readable, length: int | None, max_bytes: int, pace: Pace = USUAL_PACE) -> tuple[IO[bytes], int]:
    """The whole body as a rewound file, and its size.

    :param length: as announced; ``None`` when the stream itself ends where the body does.
    :raises BodyTooLarge: 413, at once when announced, else as soon as it shows (F072).
    :raises UploadTooSlow: 408.
    :raises BodyIncomplete: 400 when the client stopped early (F076).
    """
    if length is not None and length > max_bytes:
        raise BodyTooLarge(max_bytes)
    small = length is not None and length <= MEMORY_BYTES
    spool: IO[bytes] = io.BytesIO() if small else Spool(MEMORY_BYTES)
    size = 0
    for piece in _pieces(stream, sys.maxsize if length is None else length, pace):
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLarge(max_bytes)
        spool.write(piece)
    if length is not None and size < length:
        raise BodyIncomplete
    spool.seek(0)
    return spool, size


def _pieces(stream: Readable, left: int, pace: Pace) -> Iterator[bytes]:
    """What there is to read, and never a byte more than is left."""
    started = before = pace.clock()
    size, received = _FIRST_BYTES, 0
    while left and (piece := _read(stream, min(size, left))):
        left -= len(piece)
        received += len(piece)
        yield piece
        if left:
            now = pace.clock()
            pace.check(received, now - started)
            size = MEMORY_BYTES if now - before < _QUICK_SECONDS else _FIRST_BYTES
            before = now


def _read(stream: Readable, size: int) -> bytes:
    """:raises UploadTooSlow: when the server's own patience is over; :raises BodyIncomplete: when the client is gone.

    Each server has exceptions of its own for a client that hung up or sent broken chunks; none of them is our bug.
    """
    try:
        return stream.read(size)
    except TimeoutError as error:
        raise UploadTooSlow from error
    except Exception as error:
        raise BodyIncomplete("The request body could not be read to its end") from error
