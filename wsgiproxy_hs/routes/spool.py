"""A request body as a file that can be rewound: in memory while it is small, on disk when it is not (F073)."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Final, Protocol

from wsgiproxy_hs.exceptions import BodyIncomplete, BodyTooLarge

MEMORY_BYTES: Final = 65_536
"""Up to here a body stays in memory; larger ones go to a file."""


class Readable(Protocol):
    """What is asked of ``wsgi.input``."""

    def read(self, size: int, /) -> bytes: ...


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A file that is over when nobody holds it any more: the request's environ is its only owner."""

    def __del__(self) -> None:
        self.close()


def spool_body(stream: Readable, length: int | None, max_bytes: int) -> tuple[IO[bytes], int]:
    """The whole body as a rewound file, and its size.

    :param length: as announced; ``None`` when the stream itself ends where the body does.
    :raises BodyTooLarge: 413, at once when announced, else as soon as it shows (F072).
    :raises BodyIncomplete: 400 when the client stopped early (F076).
    """
    if length is not None and length > max_bytes:
        raise BodyTooLarge(max_bytes)
    small = length is not None and length <= MEMORY_BYTES
    spool: IO[bytes] = io.BytesIO() if small else Spool(MEMORY_BYTES)
    size = 0
    for piece in _pieces(stream, sys.maxsize if length is None else length):
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLarge(max_bytes)
        spool.write(piece)
    if length is not None and size < length:
        raise BodyIncomplete
    spool.seek(0)
    return spool, size


def _pieces(stream: Readable, left: int) -> Iterator[bytes]:
    """What there is to read, and never a byte more than is left."""
    while left and (piece := stream.read(min(MEMORY_BYTES, left))):
        left -= len(piece)
        yield piece
