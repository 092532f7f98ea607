"""Counting with the library ``limits``: in Redis where there is one, else in this process."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from wsgiproxy_hs.rates import Rate

log = logging.getLogger("wsgiproxy_hs")

MEMORY: Final = "memory://"
_PATIENCE: Final = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
"""Seconds: a Redis that is away must not make everybody wait."""
REST_SECONDS: Final = 5.0
"""Nor must it be waited for again and again: for so long nobody asks it after a failure."""


class LimitsMeter:
    """A sliding window for each key. Opens nothing before it is first asked.

    :param storage_url: ``memory://``, or ``redis://...``; while that is away, each process counts for itself.
    :param clock: seconds that only grow.
    """

    def __init__(self, storage_url: str = MEMORY, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = storage_url
        self._clock = clock
        self._away_until = -math.inf
        self._limiters: dict[str, SlidingWindowCounterRateLimiter] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # the URL of a storage may hold a password

    def hit(self, name: str, key: str, rate: Rate) -> int | None:
        """Count one; how long to wait, in seconds, when that is one too many."""
        item = _item(name, rate)
        for limiter in self._in_turn():
            try:
                if limiter.hit(item, key):
                    return None
                until = limiter.get_window_stats(item, key).reset_time
                return min(rate.seconds, max(1, math.ceil(until - time.time())))
            except StorageError as error:
                self._leave_alone(error)
        return None

    def clear(self, name: str, key: str, rate: Rate) -> None:
        """Forget what was counted."""
        for limiter in self._in_turn():
            try:
                limiter.clear(_item(name, rate), key)
            except StorageError as error:
                self._leave_alone(error)

    def _in_turn(self) -> Iterator[SlidingWindowCounterRateLimiter]:
        """The storage, unless it failed a moment ago; then this process's own."""
        if self._url != MEMORY and self._clock() >= self._away_until:
            yield self._limiter(self._url)
        yield self._limiter(MEMORY)

    def _leave_alone(self, error: StorageError) -> None:
        self._away_until = self._clock() + REST_SECONDS
        log.warning("throttling: the storage is away, this process counts alone: %r", error.storage_error)

    def _limiter(self, url: str) -> SlidingWindowCounterRateLimiter:
        with self._lock:
            if url not in self._limiters:
                options = {} if url == MEMORY else _PATIENCE
                storage = storage_from_string(url, wrap_exceptions=True, **options)
                self._limiters[url] = SlidingWindowCounterRateLimiter(storage)
            return self._limiters[url]


def _item(name: str, rate: Rate) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=f"wsgiproxy_hs/{name}")
