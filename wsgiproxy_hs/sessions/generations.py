"""A bounded cache without a lock."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class GenerationalCache(Generic[Key, Value]):
    """At most ``max_entries``, the least recently used ones forgotten first, in two generations.

    What is stored or found enters the young generation; when that is full, it becomes the old one and the
    former old one is dropped, all at once. That is nearly least-recently-used, at the price of two plain
    ``dict`` operations, each of which is atomic: threads need no lock. Two threads that fill the last place
    at once may each begin a new generation; entries are lost then, and nothing else.
    """

    def __init__(self, max_entries: int) -> None:
        self._half = max(1, max_entries // 2)
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The entry for ``key``, which is thereby young again; ``None`` when there is none."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.get(key)
            if entry is not None:
                self.put(key, entry)
        return entry

    def put(self, key: Key, value: Value) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
