"""A circuit breaker: an upstream that fails again and again is left alone, and after a moment tried with one request.

It spares the upstream what it cannot answer, and people the wait for what will fail (F142). One bad row among good ones
never opens it, because every answer that shows life begins the count anew; no status below 500 is a failure (F143).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from urllib3.exceptions import EmptyPoolError

FAILING_STATUSES: Final = frozenset({502, 503, 504})
"""What stands before an upstream says these when the upstream is not there; an upstream itself, when it cannot."""

_log = logging.getLogger("wsgiproxy_hs")


class Resting(EmptyPoolError):
    """Nothing is sent: the upstream failed too often.

    :param seconds: until it is tried again.
    """

    def __init__(self, upstream: object, seconds: float) -> None:
        super().__init__(upstream, "the upstream failed too often and is left alone")  # type: ignore[arg-type]
        self.seconds = seconds


class Breaker:
    """Counts failures in a row; threads share it.

    :param upstream: named in the log and in errors.
    :param failures: how many in a row open it; 0 for never.
    :param seconds: how long it stays open before one request is let through to try.
    """

    def __init__(
        self,
        upstream: object,
        *,
        failures: int = 10,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstream = upstream
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._tries_at: float | None = None  # while open: when the next request may try

    @property
    def is_open(self) -> bool:
        return self._tries_at is not None

    def admit(self) -> bool:
        """Let a request through; ``True`` when it is the one that tries for all others.

        :raises Resting: while it is open.
        """
        if self._tries_at is None:
            return False
        with self._lock:
            if self._tries_at is None:
                return False
            now = self._clock()
            if now < self._tries_at:
                raise Resting(self._upstream, self._tries_at - now)
            self._tries_at = now + self._seconds  # should the one that tries never come back
            return True

    def succeeded(self) -> None:
        """The upstream gave an answer that shows life."""
        if not self._count:
            return
        with self._lock:
            self._count = 0
            if self._tries_at is not None:
                _log.info("%s answers again", self._upstream)
            self._tries_at = None

    def failed(self, *, is_trial: bool) -> None:
        """It could not be reached, was too slow, broke off, or said 502, 503 or 504.

        :param is_trial: what :meth:`admit` said; late failures of requests from before do not keep it open.
        """
        with self._lock:
            self._count += 1
            opens = self._tries_at is None and 0 < self._failures <= self._count
            if opens:
                _log.warning("%s failed %d times in a row: left alone for a moment", self._upstream, self._count)
            if opens or is_trial:
                self._tries_at = self._clock() + self._seconds
