"""One redemption of a refresh token by whoever holds the lease, and what is recorded of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from .authjs import seal, unseal
from .claims import numeric_date
from .stores.protocol import MAX_STORED_LENGTH, RenewalStore
from .token_answers import Outcome, Redeemed, Refused, Unavailable
from .token_pair import TokenPair
from .unsealable import Unsealable

log = logging.getLogger(__name__)

Redeem = Callable[[str], Outcome]
"""Asks the token endpoint; gets a refresh token. It may take long; what it raises counts as an unknown outcome."""

_SEALED_AS: Final = "wsgiproxy_hs.renewal"
_CLOCKS_MAY_DIFFER_SECONDS: Final = 600


class Redemption:
    """:meth:`run` asks the token endpoint once, and leaves the outcome in the store.

    :param pair: whose refresh token is redeemed. :param owner: holds the lease. :param version: of the entry so far.
    :param is_repeated: whether somebody sent the same refresh token before and died.
    :param is_degraded: whether not all who may redeem could be asked for the lease.
    :param lease_seconds: the lease is renewed three times as often while the call is running (F005).
    """

    def __init__(
        self,
        *,
        store: RenewalStore,
        redeem: Redeem,
        sealing_secrets: Sequence[str],
        pair: TokenPair,
        owner: str,
        version: int,
        is_repeated: bool,
        is_degraded: bool,
        lease_seconds: float,
        keep_seconds: float,
        doubt_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._redeem = redeem
        self._secrets = tuple(sealing_secrets)
        self._old = pair
        self._key = pair.key()
        self._owner = owner
        self._version = version
        self._is_repeated = is_repeated
        self._is_degraded = is_degraded
        self._lease = lease_seconds
        self._keep = keep_seconds
        self._doubt = doubt_seconds
        self._clock = clock
        #: The new pair, when there is one.
        self.pair: TokenPair | None = None

    def run(self) -> None:
        """Send, and record the outcome. When the lease was lost before, nothing is sent."""
        with beating(self._extend, self._lease / 3):
            if self._store.sending(self._key, self._owner, seconds=self._lease):
                self._record(self._asked())

    def _extend(self) -> None:
        self._store.extend(self._key, self._owner, seconds=self._lease)

    def _asked(self) -> Outcome:
        try:
            return self._redeem(self._old.refresh or "")
        except Exception:
            log.exception("The token endpoint could not be asked")
            return Unavailable()

    def _record(self, outcome: Outcome) -> None:
        if isinstance(outcome, Redeemed):
            new = self._old.next(outcome.access, outcome.refresh, self._clock())
            sealed = sealed_pair(new, self._secrets, self._clock(), self._keep)
            entry = self._store.finish(self._key, version=self._version + 1, successor=sealed)
            self.pair = opened(entry.successor, self._secrets, self._clock()) or new
        elif isinstance(outcome, Refused):
            self._record_refusal()
        else:
            log.warning("Tokens cannot be renewed just now; sessions stay")
            self._store.release(
                self._key, self._owner, pause_seconds=outcome.pause_seconds, is_undone=outcome.is_undone
            )

    def _record_refusal(self) -> None:
        """Nothing is asked again after a refusal: a second redemption may cost a live pair its life (F003)."""
        if self._is_repeated:
            log.warning("A refresh token was refused whose first redemption nobody recorded: a person must sign in")
        is_in_doubt = self._is_degraded or self._store.look(self._key).is_degraded
        self._store.refuse(self._key, self._owner, pause_seconds=self._doubt if is_in_doubt else 0.0)


@contextmanager
def beating(beat: Callable[[], object], every_seconds: float) -> Iterator[None]:
    """Call ``beat`` now and then beside what is done inside; its failures do no harm."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every_seconds):
            try:
                beat()
            except Exception:
                log.warning("A lease could not be renewed", exc_info=True)

    threading.Thread(target=run, name="wsgiproxy_hs-lease", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def sealed_pair(pair: TokenPair, secrets: Sequence[str], now: float, keep_seconds: float) -> str:
    """The pair as stores hold it: sealed as sessions are, under a name that no cookie has."""
    claims = {"access": pair.access, "refresh": pair.refresh, "generation": pair.generation, "at": pair.renewed}
    max_age = int(keep_seconds) + _CLOCKS_MAY_DIFFER_SECONDS
    return seal(claims, secrets=secrets, cookie_name=_SEALED_AS, now=now, max_age=max_age)


def opened(sealed: str | None, secrets: Sequence[str], now: float) -> TokenPair | None:
    """The pair that :func:`sealed_pair` sealed with one of ``secrets``; ``None`` for anything else."""
    if sealed is None:
        return None
    try:
        claims = unseal(sealed, secrets=secrets, cookie_name=_SEALED_AS, now=now, max_length=MAX_STORED_LENGTH)
    except Unsealable as reason:
        log.warning("What the store holds of a renewal cannot be opened: %s", reason)
        return None
    access, refresh, generation = claims["access"], claims["refresh"], claims["generation"]
    if not isinstance(access, str) or not isinstance(generation, int):
        return None
    return TokenPair(
        access, refresh if isinstance(refresh, str) else None, generation, numeric_date(claims["at"]) or 0.0
    )
