"""A store within one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from . import protocol
from .protocol import DEFAULT_KEEP_SECONDS, Entry, Row

_SWEEP_EVERY: Final = 256


class MemoryStore:
    """Threads of one process agree through it. A forked child goes on with a copy.

    :param keep_seconds: how long an entry is kept after its last change.
    :param clock: seconds, by which leases run.
    """

    def __init__(
        self, *, keep_seconds: float = DEFAULT_KEEP_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep = keep_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[Row, float]] = {}
        self._changes = 0

    def look(self, key: str) -> Entry:
        now = self._clock()
        with self._lock:
            return self._row(key, now).entry(now)

    def claim(self, key: str, owner: str, *, seen: int, seconds: float, may_repeat: bool) -> Entry:
        return self._change(
            key,
            lambda row, now: protocol.claimed(row, now, owner=owner, seen=seen, seconds=seconds, may_repeat=may_repeat),
        )[0]

    def extend(self, key: str, owner: str, *, seconds: float) -> bool:
        return self._change(
            key, lambda row, now: protocol.extended(row, now, owner=owner, seconds=seconds, sending=False)
        )[1]

    def sending(self, key: str, owner: str, *, seconds: float) -> bool:
        return self._change(
            key, lambda row, now: protocol.extended(row, now, owner=owner, seconds=seconds, sending=True)
        )[1]

    def release(self, key: str, owner: str, *, pause_seconds: float, is_undone: bool) -> bool:
        return self._change(
            key,
            lambda row, now: protocol.released(row, now, owner=owner, pause_seconds=pause_seconds, is_undone=is_undone),
        )[1]

    def refuse(self, key: str, owner: str, *, pause_seconds: float) -> bool:
        return self._change(key, lambda row, now: protocol.refused(row, now, owner=owner, pause_seconds=pause_seconds))[
            1
        ]

    def finish(self, key: str, *, version: int, successor: str) -> Entry:
        return self._change(key, lambda row, _: protocol.finished(row, version=version, successor=successor))[0]

    def _row(self, key: str, now: float) -> Row:
        row, kept_until = self._rows.get(key, (Row(), now))
        return row if kept_until > now else Row()

    def _change(self, key: str, change: Callable[[Row, float], Row | None]) -> tuple[Entry, bool]:
        """The entry afterwards, and whether it changed."""
        now = self._clock()
        with self._lock:
            before = self._row(key, now)
            after = change(before, now)
            if after is not None:
                self._rows[key] = (after, now + self._keep)
                self._sweep(now)
            return (after or before).entry(now), after is not None

    def _sweep(self, now: float) -> None:
        """Now and then forget what is over."""
        self._changes += 1
        if self._changes % _SWEEP_EVERY == 0:
            self._rows = {key: kept for key, kept in self._rows.items() if kept[1] > now}
