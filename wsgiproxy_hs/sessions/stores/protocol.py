"""What a store of renewals promises, and the rules that every store follows.

An entry belongs to one refresh token, under the digest of it. The token itself is never in a store; the pair that came
of it is there sealed with the session secret.

::

    free ----claim----> leased ---sending---> leased, outcome unsure
     ^                    |                      |          |
     +------release-------+<------release--------+          +--finish--> free again, with a successor, version + 1
                                                 +--refuse--> refused

Every change is atomic for all who share the store. Leases run by the *store's* clock, so that clocks of hosts that
differ do no harm. Whoever dies keeps its lease until it runs out, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

DEFAULT_KEEP_SECONDS: Final = 86_400.0
"""How long an entry is kept after its last change: as long an old cookie still leads to the present pair (F002)."""

MAX_STORED_LENGTH: Final = 1_048_576
"""Characters of what a store holds sealed: room for tokens that no cookie could carry."""


class StoreUnavailable(Exception):
    """The store cannot be asked now: its server is away, its disk is full, its directory is not ours."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a store knows of a refresh token.

    :param version: how many redemptions ended with a new pair.
    :param owner: who redeems it now; empty when nobody does.
    :param remaining_seconds: until the owner's lease, or without an owner a pause, runs out; never negative.
    :param unsure: how many redemptions were sent whose outcome nobody recorded.
    :param is_refused: whether the upstream said that the token is over.
    :param successor: the pair that the last redemption brought, sealed.
    :param is_degraded: whether a level of the store did not take part, so that others may know more.
    """

    version: int = 0
    owner: str = ""
    remaining_seconds: float = 0.0
    unsure: int = 0
    is_refused: bool = False
    successor: str | None = None
    is_degraded: bool = False


NOTHING: Final = Entry()


class RenewalStore(Protocol):
    """Atomic steps of a redemption. Each may raise :class:`StoreUnavailable`."""

    def look(self, key: str) -> Entry:
        """The entry; an empty one when there is none."""
        ...

    def claim(self, key: str, owner: str, *, seen: int, seconds: float, may_repeat: bool) -> Entry:
        """Take the lease for ``seconds`` if nobody holds it and nobody finished since version ``seen``.

        An entry whose outcome is unsure is given only to those who ``may_repeat``. The caller has the lease if it is
        the ``owner`` of the entry that comes back.
        """
        ...

    def extend(self, key: str, owner: str, *, seconds: float) -> bool:
        """Let the lease run ``seconds`` from now; ``False`` when it is no longer the owner's (F005)."""
        ...

    def sending(self, key: str, owner: str, *, seconds: float) -> bool:
        """As :meth:`extend`, and record that from now on the outcome is unsure."""
        ...

    def release(self, key: str, owner: str, *, pause_seconds: float, is_undone: bool) -> bool:
        """Give the lease back, for nobody to take before the pause is over.

        :param is_undone: the upstream surely did not redeem, so what :meth:`sending` recorded is taken back.
        """
        ...

    def refuse(self, key: str, owner: str, *, pause_seconds: float) -> bool:
        """Record that the token is over; during the pause that is in doubt."""
        ...

    def finish(self, key: str, *, version: int, successor: str) -> Entry:
        """Record the pair that a redemption brought, whoever holds the lease by now: a pair in the hand counts.

        Nothing changes when the entry has this version already.
        """
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is kept; ``until`` in seconds of the store's clock."""

    version: int = 0
    owner: str = ""
    until: float = 0.0
    unsure: int = 0
    is_refused: bool = False
    successor: str | None = None

    def entry(self, now: float) -> Entry:
        remaining = max(0.0, self.until - now)
        owner = self.owner if remaining > 0 else ""
        return Entry(self.version, owner, remaining, self.unsure, self.is_refused, self.successor)


def claimed(row: Row, now: float, *, owner: str, seen: int, seconds: float, may_repeat: bool) -> Row | None:
    """The row after a claim; ``None`` when the claim is refused."""
    if row.until > now or row.is_refused or row.version > seen or (row.unsure and not may_repeat):
        return None
    return replace(row, version=seen, owner=owner, until=now + seconds)


def extended(row: Row, now: float, *, owner: str, seconds: float, sending: bool) -> Row | None:
    """The row after its owner's sign of life; ``None`` when the lease is lost."""
    if row.owner != owner or row.until <= now:
        return None
    return replace(row, until=now + seconds, unsure=row.unsure + sending)


def released(row: Row, now: float, *, owner: str, pause_seconds: float, is_undone: bool) -> Row | None:
    """The row after its owner gave up; ``None`` when it is another's by now."""
    if row.owner != owner:
        return None
    return replace(row, owner="", until=now + pause_seconds, unsure=max(0, row.unsure - is_undone))


def refused(row: Row, now: float, *, owner: str, pause_seconds: float) -> Row | None:
    """The row of a token that is over; ``None`` when it is another's by now."""
    if row.owner != owner:
        return None
    return replace(row, owner="", until=now + pause_seconds, is_refused=True)


def finished(row: Row, *, version: int, successor: str) -> Row | None:
    """The row with a new pair; ``None`` when it is as new already."""
    if row.version >= version:
        return None
    return Row(version=version, successor=successor)
