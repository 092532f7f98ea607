"""Counting with the library ``limits``: in Redis where there is one, else in this process."""

from __future__ import annotations

import logging
import math
import threading
import time
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


class LimitsMeter:
    """A sliding window for each key. Opens nothing before it is first asked.

    :param storage_url: ``memory://``, or ``redis://...``; while that is away, each process counts for itself.
    """

    def __init__(self, storage_url: str = MEMORY) -> None:
        self._urls = [storage_url] if storage_url == MEMORY else [storage_url, MEMORY]
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
                log.warning("throttling: the storage is away, this process counts alone: %r", error.storage_error)
        return None

    def clear(self, name: str, key: str, rate: Rate) -> None:
        """Forget what was counted."""
        for limiter in self._in_turn():
            try:
                limiter.clear(_item(name, rate), key)
            except StorageError as error:
                log.warning("throttling: the storage is away: %r", error.storage_error)

    def _in_turn(self) -> list[SlidingWindowCounterRateLimiter]:
        return [self._limiter(url) for url in self._urls]

    def _limiter(self, url: str) -> SlidingWindowCounterRateLimiter:
        with self._lock:
            if url not in self._limiters:
                options = {} if url == MEMORY else _PATIENCE
                storage = storage_from_string(url, wrap_exceptions=True, **options)
                self._limiters[url] = SlidingWindowCounterRateLimiter(storage)
            return self._limiters[url]


def _item(name: str, rate: Rate) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=f"wsgiproxy_hs/{name}")
