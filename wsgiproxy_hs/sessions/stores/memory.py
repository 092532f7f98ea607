"""A store within one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from .protocol import DEFAULT_KEEP_SECONDS, Entry, Row
from .rows import RowStore

_SWEEP_EVERY: Final = 256


class MemoryStore(RowStore):
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
