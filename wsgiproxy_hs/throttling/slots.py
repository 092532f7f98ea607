"""How many requests of one person are under way in this process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator


class Slots:
    """So many at once for each key. Safe to share between threads.

    :param most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Take one, if one is left."""
        with self._lock:
            if self._taken[key] >= self._most:
                return False
            self._taken[key] += 1
            return True

    def give_back(self, key: str) -> None:
        """A key that holds none any more is forgotten."""
        with self._lock:
            self._taken[key] -= 1
            if self._taken[key] <= 0:
                del self._taken[key]


class Held:
    """An answer that holds a slot until it is closed, or until nobody has it any more (F164).

    Its pieces are the answer's own, at the same moments.
    """

    def __init__(self, answer: Iterable[bytes], slots: Slots, key: str) -> None:
        self._answer = answer
        self._slots = slots
        self._key: str | None = key

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Close the answer and give the slot back, once."""
        key, self._key = self._key, None
        if key is None:
            return
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._slots.give_back(key)

    def __del__(self) -> None:
        if self._key is not None:
            self._slots.give_back(self._key)
