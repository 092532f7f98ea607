"""Several stores as one, the innermost first: the threads of a process, the processes of a host, the hosts.

Every step is taken on each level, so that when an outer level goes away in the middle of a redemption, those who still
share an inner one know of it (F145). What a level does not answer is left out, with a warning; requests never fail for
it. A pair that a level could not be told of is told as soon as it answers again. The innermost level must not fail.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from .protocol import NOTHING, Entry, RenewalStore, StoreUnavailable

Found = TypeVar("Found")

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
"""A level that failed is not asked again before."""
DEGRADED_SECONDS: Final = 30.0
"""So long after a failure others may have acted without us."""
MAX_UNTOLD: Final = 1024
"""Pairs that are remembered for a level that is away."""


class LayeredStore:
    """:param levels: the innermost first. :param clock: seconds that never go back."""

    def __init__(
        self,
        *levels: RenewalStore,
        clock: Callable[[], float] = time.monotonic,
        retry_seconds: float = RETRY_SECONDS,
        degraded_seconds: float = DEGRADED_SECONDS,
    ) -> None:
        self._levels = levels
        self._clock = clock
        self._retry = retry_seconds
        self._degraded = degraded_seconds
        self._failed_at: dict[int, float] = {}
        self._known_away: set[int] = set()
        self._untold: dict[int, dict[str, tuple[int, str]]] = {id(level): {} for level in levels}

    def look(self, key: str) -> Entry:
        """What the levels know together; a level that missed a new pair is told."""
        found = self._all(lambda level: level.look(key))
        merged = merge(found)
        if merged.successor is not None and any(entry.version < merged.version for entry in found):
            return self.finish(key, version=merged.version, successor=merged.successor)
        return replace(merged, is_degraded=self._is_degraded())

    def claim(self, key: str, owner: str, *, seen: int, seconds: float, may_repeat: bool) -> Entry:
        """The lease on every level that answers, or on none."""

        def ask(level: RenewalStore) -> Entry:
            return level.claim(key, owner, seen=seen, seconds=seconds, may_repeat=may_repeat)

        def give_back(level: RenewalStore) -> bool:
            return level.release(key, owner, pause_seconds=0, is_undone=False)

        won: list[RenewalStore] = []
        for level, entry in self._each(self._levels, ask):
            if entry.owner != owner:
                list(self._each(won, give_back))
                return replace(entry, is_degraded=self._is_degraded())
            won.append(level)
        return Entry(seen, owner, seconds, is_degraded=self._is_degraded())

    def extend(self, key: str, owner: str, *, seconds: float) -> bool:
        return any(self._all(lambda level: level.extend(key, owner, seconds=seconds)))

    def sending(self, key: str, owner: str, *, seconds: float) -> bool:
        """Only if the lease is held on every level that answers: else it is given back, and nothing may be sent."""
        held = self._all(lambda level: level.sending(key, owner, seconds=seconds))
        if not all(held):
            self.release(key, owner, pause_seconds=0, is_undone=True)
        return all(held)

    def release(self, key: str, owner: str, *, pause_seconds: float, is_undone: bool) -> bool:
        return any(self._all(lambda level: level.release(key, owner, pause_seconds=pause_seconds, is_undone=is_undone)))

    def refuse(self, key: str, owner: str, *, pause_seconds: float) -> bool:
        return all(self._all(lambda level: level.refuse(key, owner, pause_seconds=pause_seconds)))

    def finish(self, key: str, *, version: int, successor: str) -> Entry:
        def tell(level: RenewalStore) -> Entry:
            return level.finish(key, version=version, successor=successor)

        found = {id(level): entry for level, entry in self._each(self._levels, tell)}
        for number, untold in self._untold.items():
            if number not in found and len(untold) < MAX_UNTOLD:
                untold[key] = (version, successor)
        return replace(merge(list(found.values())), is_degraded=self._is_degraded())

    def _all(self, step: Callable[[RenewalStore], Found]) -> list[Found]:
        return [found for _, found in self._each(self._levels, step)]

    def _each(
        self, levels: Iterable[RenewalStore], step: Callable[[RenewalStore], Found]
    ) -> Iterator[tuple[RenewalStore, Found]]:
        """What each level answers; one that is away is left out."""
        for level in levels:
            failed_at = self._failed_at.get(id(level))
            if failed_at is not None and self._clock() < failed_at + self._retry:
                continue
            try:
                found = step(level)
            except StoreUnavailable as error:
                self._note_failure(level, error)
                continue
            self._note_success(level)
            yield level, found

    def _tell(self, level: RenewalStore) -> None:
        """The pairs that a level missed while it was away."""
        untold = self._untold[id(level)]
        for key in list(untold):
            version, successor = untold.get(key, (0, ""))
            try:
                level.finish(key, version=version, successor=successor)
            except StoreUnavailable:
                return
            untold.pop(key, None)

    def _note_failure(self, level: RenewalStore, error: StoreUnavailable) -> None:
        self._failed_at[id(level)] = self._clock()
        if id(level) not in self._known_away:
            self._known_away.add(id(level))
            log.warning("Renewals are coordinated without %s: %s", type(level).__name__, error)

    def _note_success(self, level: RenewalStore) -> None:
        if id(level) in self._known_away:
            self._known_away.discard(id(level))
            log.warning("Renewals are coordinated with %s again", type(level).__name__)
        if self._untold[id(level)]:
            self._tell(level)

    def _is_degraded(self) -> bool:
        """Whether a level was away a moment ago."""
        return any(self._clock() < failed_at + self._degraded for failed_at in self._failed_at.values())


def merge(entries: Sequence[Entry]) -> Entry:
    """What several levels know of one token: the newest version counts, and within it whatever asks for more care.

    Where two hold different pairs of one version, the outermost is right: that is where all agree.
    """
    newest = max((entry.version for entry in entries), default=0)
    same = [entry for entry in entries if entry.version == newest]
    lease = max(same, key=lambda entry: (bool(entry.owner), entry.remaining_seconds), default=NOTHING)
    return Entry(
        version=newest,
        owner=lease.owner,
        remaining_seconds=lease.remaining_seconds,
        unsure=max((entry.unsure for entry in same), default=0),
        is_refused=any(entry.is_refused for entry in same),
        successor=next((entry.successor for entry in reversed(same) if entry.successor is not None), None),
    )
