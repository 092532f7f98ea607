"""Renewal that logs nobody out: one redemption of a refresh token, whatever races (F001 to F005).

Everybody who needs a new pair looks into the store first. :func:`next_step` decides on plain values; the store makes
the decision hold for all threads, processes and hosts. While the old access token lives nobody waits: whoever redeems
does so in a thread of its own, and everybody else goes on. When it is over, all wait for the one who redeems, within a
bound, and take over when that one dies.

**The documented case.** Before a redemption is sent, the store records that its outcome is unsure. If whoever sent it
dies before it records the outcome, the refresh token is redeemed once more, but not before the old access token is
over: was it not spent, all is well; was it, the upstream refuses, and that person has to sign in again.
"""

from __future__ import annotations

import enum
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized

from .access_tokens import span
from .redemption import Redeem, Redemption, opened
from .stores.protocol import DEFAULT_KEEP_SECONDS, Entry, RenewalStore
from .token_pair import TokenPair

MARGIN_SECONDS: Final = 60.0
"""So long before its end a token is due; never more than a quarter of its life, or it would be due at once."""
JITTER: Final = 0.25
"""By up to this part the margin grows at random, so that what was issued together is not renewed together."""
WAIT_SECONDS: Final = 30.0
LEASE_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 1.0
DOUBT_SECONDS: Final = 30.0
"""While a store's level is away, a refusal may be another host's doing: so long it does not end the session."""
DOUBT_WAIT_SECONDS: Final = 5.0
"""So long a request waits in doubt for the other host's pair: long enough for a Redis that starts again."""
MAX_REDEMPTIONS: Final = 64
_MAX_HOPS: Final = 64
_FIRST_POLL_SECONDS, _LAST_POLL_SECONDS = 0.005, 0.1


class Step(enum.Enum):
    """What to do next about a pair."""

    USE = "use the access token"
    REDEEM = "redeem the refresh token"
    WAIT = "wait for the one who redeems"
    PAUSE = "answer 503: nobody may redeem yet"
    END = "the session is over"


def is_due(token: str, now: float, margin_seconds: float) -> bool:
    """Whether an access token should be renewed; never, when its expiry is unknown (F012).

    :param now: seconds since the epoch.
    """
    issued, expires = span(token)
    if expires is None:
        return False
    if issued is not None and expires > issued:
        margin_seconds = min(margin_seconds, (expires - issued) / 4)
    return now >= expires - margin_seconds


def lives(token: str, now: float) -> bool:
    """Whether an access token may still be used while it cannot be renewed."""
    expires = span(token)[1]
    return expires is None or now < expires


def next_step(entry: Entry, *, is_due: bool, lives: bool) -> Step:
    """What to do about the newest pair that is known, given what the store knows of its refresh token.

    :param is_due: whether the access token should be another. :param lives: whether it may be used all the same.
    """
    if not is_due:
        return Step.USE
    if entry.is_refused:
        if entry.remaining_seconds <= 0:
            return Step.END
        return Step.USE if lives else Step.PAUSE
    if lives and (entry.remaining_seconds > 0 or entry.unsure):
        return Step.USE
    if entry.owner:
        return Step.WAIT
    return Step.PAUSE if entry.remaining_seconds > 0 else Step.REDEEM


def start_thread(run: Callable[[], None]) -> None:
    """Not a daemon: a process that shuts down waits for an answer under way, and so records it."""
    threading.Thread(target=run, name="wsgiproxy_hs-renewal").start()


class Renewal:
    """Gives the present pair for one that a session holds. Safe to share between threads and processes.

    :param store: where all who may redeem agree. :param redeem: asks the token endpoint.
    :param sealing_secrets: those of the sessions: the first seals what goes into the store, all open it.
    :param margin_seconds: see :data:`MARGIN_SECONDS`. :param keep_seconds: as the store's.
    :param wait_seconds: longest wait of a request for a new pair; then it is 503.
    :param lease_seconds: how soon others take over when a process dies.
    :param patience_seconds: how long the request that renews waits while the old access token lives.
    :param clock: seconds since the epoch. :param ticks: seconds that never go back. :param sleep: waits seconds.
    :param start: runs a redemption beside the request.
    """

    def __init__(
        self,
        *,
        store: RenewalStore,
        redeem: Redeem,
        sealing_secrets: Sequence[str],
        margin_seconds: float = MARGIN_SECONDS,
        keep_seconds: float = DEFAULT_KEEP_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        doubt_seconds: float = DOUBT_SECONDS,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._store = store
        self._redeem = redeem
        self._secrets = tuple(sealing_secrets)
        self._margin = margin_seconds
        self._keep = keep_seconds
        self._wait = wait_seconds
        self._lease = lease_seconds
        self._patience = patience_seconds
        self._doubt = doubt_seconds
        self._clock = clock
        self._ticks = ticks
        self._sleep = sleep
        self._start = start
        self._places = threading.BoundedSemaphore(MAX_REDEMPTIONS)

    def is_fresh(self, pair: TokenPair, now: float) -> bool:
        """Whether there is nothing to be done: the hot path, which touches no store."""
        return not is_due(pair.access, now, self._margin * (1 + JITTER * random.random()))  # noqa: S311 - no secret

    def newest(self, pair: TokenPair) -> TokenPair:
        """The newest pair that came of this one, as far as the store knows. Redeems nothing."""
        return self._latest(pair)[0] if pair.refresh is not None else pair

    def current(self, pair: TokenPair, *, is_dead: bool = False) -> TokenPair:
        """The pair to go on with, for one that is due.

        :param is_dead: whether the access token is of no use even before its end, because the upstream refused it.
        :raises Unauthorized: when the upstream refused the refresh token.
        :raises RenewalUnavailable: 503 when the access token is over and nobody could renew it in time.
        """
        deadline = self._ticks() + self._wait
        for _ in self._polls(deadline):
            latest, entry = self._latest(pair)
            now, is_own = self._clock(), latest.access == pair.access
            due = is_own or is_due(latest.access, now, self._margin)
            alive = lives(latest.access, now) and not (is_own and is_dead)
            step = next_step(entry, is_due=due, lives=alive)
            found = self._redeemed(latest, entry, alive, deadline) if step is Step.REDEEM else None
            if step is Step.USE or found is not None:
                return found or latest
            if step is Step.END:
                raise Unauthorized
            if step is Step.PAUSE:
                self._pause(entry, deadline - self._wait + DOUBT_WAIT_SECONDS)
        raise RenewalUnavailable

    def _pause(self, entry: Entry, doubt_deadline: float) -> None:
        """Go on looking while another host's pair may come: after a refusal in doubt, for a while.

        :raises RenewalUnavailable: when there is nothing to wait for, or it did not come in time.
        """
        if not entry.is_refused:
            raise RenewalUnavailable(retry_after_seconds=entry.remaining_seconds)
        if self._ticks() >= doubt_deadline:
            raise RenewalUnavailable(retry_after_seconds=min(entry.remaining_seconds, DOUBT_WAIT_SECONDS))

    def _latest(self, pair: TokenPair) -> tuple[TokenPair, Entry]:
        """The newest pair, and what the store knows of its refresh token."""
        entry = self._store.look(pair.key())
        for _ in range(_MAX_HOPS):
            successor = opened(entry.successor, self._secrets, self._clock())
            if successor is None or successor.generation <= pair.generation:
                break
            is_rotated = successor.refresh != pair.refresh
            pair = successor
            if not is_rotated:
                break
            entry = self._store.look(pair.key())
        return pair, entry

    def _polls(self, deadline: float) -> Iterator[None]:
        """One round at once, more until the deadline, with growing pauses between them."""
        pause = _FIRST_POLL_SECONDS
        yield
        while (left := deadline - self._ticks()) > 0:
            self._sleep(min(left, pause * (1 + random.random())))  # noqa: S311 - no secret
            pause = min(pause * 1.5, _LAST_POLL_SECONDS)
            yield

    def _redeemed(self, pair: TokenPair, entry: Entry, alive: bool, deadline: float) -> TokenPair | None:
        """The pair to go on with, if we get to redeem; ``None`` to look again.

        :raises RenewalUnavailable: when the token endpoint is slower than this request may wait.
        """
        if not self._places.acquire(blocking=False):
            return pair if alive else None
        done = threading.Event()
        try:
            redemption = self._claimed(pair, entry, alive)
            if redemption is not None:
                self._start(lambda: self._run(redemption, done))
        except BaseException:
            if not done.is_set():
                self._places.release()
            raise
        if redemption is None:
            self._places.release()
            return None
        if not done.wait(self._patience if alive else max(0.0, deadline - self._ticks())):
            if alive:
                return pair
            raise RenewalUnavailable
        return redemption.pair

    def _claimed(self, pair: TokenPair, entry: Entry, alive: bool) -> Redemption | None:
        owner, key = secrets.token_hex(16), pair.key()
        claim = self._store.claim(key, owner, seen=entry.version, seconds=self._lease, may_repeat=not alive)
        if claim.owner != owner:
            return None
        return Redemption(
            store=self._store,
            redeem=self._redeem,
            sealing_secrets=self._secrets,
            pair=pair,
            owner=owner,
            version=entry.version,
            is_repeated=entry.unsure > 0,
            is_degraded=claim.is_degraded,
            lease_seconds=self._lease,
            keep_seconds=self._keep,
            doubt_seconds=self._doubt,
            clock=self._clock,
        )

    def _run(self, redemption: Redemption, done: threading.Event) -> None:
        try:
            redemption.run()
        finally:
            self._places.release()
            done.set()
