"""Bodies on their way through: of our own answers, and of urllib3's from another transport adapter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

GATHERED_BYTES: Final = 262_144
"""How much of an answer without a length is waited for where only a length can show a cut."""


class Body:
    """A body as it arrives; :meth:`close` ends the exchange with the upstream (F114)."""

    def __init__(self, raw: Any, pieces: Iterator[bytes]) -> None:
        self._raw = raw
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._raw.close()


class Held:
    """An answer of which some was read already: for the next reader it is as if it had not been."""

    def __init__(self, raw: Any, pieces: Iterator[bytes]) -> None:
        self._raw = raw
        self._pieces = pieces
        self.headers = raw.headers

    def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """All of the body from its beginning; once."""
        return self._pieces

    def close(self) -> None:
        self._raw.close()


def stream(raw: Any) -> Iterator[bytes]:
    """The body as it arrives, never decoded."""
    return raw.stream(65_536, decode_content=False)  # type: ignore[no-any-return]


def read_within(pieces: Iterable[bytes], max_bytes: int) -> tuple[list[bytes], bool]:
    """What there is to read up to a bound, and whether that is all; beyond it one piece is read and no more."""
    read: list[bytes] = []
    size = 0
    for piece in pieces:
        read.append(piece)
        size += len(piece)
        if size > max_bytes:
            return read, False
    return read, True


def held(raw: Any, max_bytes: int) -> tuple[Held, bytes]:
    """An answer to be read once more, and its body; empty when it is over the bound."""
    pieces = stream(raw)
    read, is_all = read_within(pieces, max_bytes)
    return Held(raw, chain(read, pieces)), b"".join(read) if is_all else b""


def is_rewound(body: Any) -> bool:
    """Whether a request body can be sent once more; a file is wound back for it."""
    if body is None or isinstance(body, (bytes, str)):
        return True
    try:
        body.seek(0)
    except (AttributeError, OSError, ValueError):
        return False
    return True


def begun(raw: Any) -> Iterable[bytes]:
    """The body, once its first piece is here: until then a failure can still be told by a status."""
    if getattr(raw, "is_complete", False):
        return raw.buffered()  # type: ignore[no-any-return]
    pieces = stream(raw)
    first = next(pieces, b"")
    if getattr(raw, "is_complete", False):
        return [first, *raw.buffered()]
    return Body(raw, chain([first], pieces))


def gathered(raw: Any) -> Iterable[bytes]:
    """The body in one piece when it is not too long, so that it can be given a length; else as it arrives."""
    pieces = stream(raw)
    read, is_all = read_within(pieces, GATHERED_BYTES)
    return [b"".join(read)] if is_all else Body(raw, chain(read, pieces))
