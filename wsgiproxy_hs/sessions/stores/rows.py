"""A store that keeps rows and changes one at a time: each step is a pure change of its row."""

from __future__ import annotations

from collections.abc import Callable

from . import protocol
from .protocol import Entry, Row


class RowStore:
    """The steps of a redemption, over one atomic change of a row that the store itself brings."""

    def _change(self, key: str, change: Callable[[Row, float], Row | None]) -> tuple[Entry, bool]:
        """The entry afterwards, and whether it changed; ``None`` of ``change`` leaves the row as it is."""
        raise NotImplementedError

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
