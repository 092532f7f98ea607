"""What a store of sessions promises: sealed sessions under the digests of their ids, which can be struck out.

::

    nothing ----save----> kept ----save----> kept, at least as new
                            |
                            +---revoke----> revoked: remembered for a while, never kept again

Every change is atomic for all who share the store. Neither ids nor claims are ever in a store in plain.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Saving(enum.Enum):
    """What has to be there for a session to be saved."""

    NEW = "new"
    """Nothing: somebody signed in, and the id is random."""
    KEPT = "kept"
    """The session itself: one that was revoked meanwhile does not come back."""
    MOVED = "moved"
    """Nothing that speaks against it: a session that was sealed into the cookie so far moves into the store."""


class Revoked(enum.IntEnum):
    """What revoking found."""

    NOTHING = 0
    KEPT = 1
    BEFORE = 2
    """It was revoked already, and that is still remembered."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What a store knows of a key.

    :param sealed: the session; ``None`` when none is kept.
    :param is_revoked: whether one was, and may never be again.
    :param cut: sealed sessions of the user that were issued until then are over, in seconds since the epoch.
    """

    sealed: str | None = None
    is_revoked: bool = False
    cut: float = 0.0


class SessionStore(Protocol):
    """Each may raise :class:`.protocol.StoreUnavailable`. ``user`` is the digest of a user's id, or empty."""

    def look(self, key: str, *, user: str = "") -> StoredRow:
        """What is kept under ``key``, and with a ``user`` until when that user's sealed sessions are over."""
        ...

    def save(
        self,
        key: str,
        sealed: str,
        *,
        saving: Saving,
        user: str,
        generation: int,
        issued: float,
        keep_seconds: float,
    ) -> bool:
        """Keep a session for ``keep_seconds``; ``False`` when it was revoked and is not kept.

        :param generation: an older one never replaces a newer one; that counts as saved.
        :param issued: of a session that moves: not saved, when the user's sessions were revoked since.
        """
        ...

    def revoke(self, keys: Sequence[str], *, remember_seconds: Sequence[float], long_seconds: float) -> list[Revoked]:
        """Strike sessions out, for ever.

        :param remember_seconds: for each, how long to remember; at least ``long_seconds`` for one that moved, as its
            sealed form still exists.
        """
        ...

    def revoke_all(self, user: str, *, now: float, long_seconds: float) -> int:
        """Strike all sessions of a user out, and all sealed ones that were issued until ``now``; how many were kept."""
        ...
