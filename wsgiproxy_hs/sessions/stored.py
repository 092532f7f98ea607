"""Sessions that are kept in a store: the cookie holds an id and nothing else.

The id is 256 random bits, so there is nothing in it to sign: it cannot be guessed, and a forged one leads nowhere. The
store knows the digest of it, and the claims sealed with the session secret. The claims name the key that they are
kept under, so that what somebody puts under another key, or changes, is no session.

A session that is still sealed into its cookie has an id too, the digest of its token. Under it the session moves into
the store at its next write, from whichever request that comes, and under it a revocation of it is remembered.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets as randomness
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, NamedTuple

from wsgiproxy_hs.exceptions import RenewalUnavailable

from . import base64url
from .authjs import seal, unseal
from .claims import CLOCK_TOLERANCE_SECONDS, check_times
from .generations import GenerationalCache
from .session import Session
from .signed import FLASK_LIFETIME_SECONDS
from .stores.protocol import MAX_STORED_LENGTH, StoreUnavailable
from .stores.session_store import Revoked, Saving, SessionStore, StoredRow
from .token_pair import generation_of
from .unsealable import Unsealable

log = logging.getLogger(__name__)

STORED_CLAIM: Final = "storeKey"
"""The claim that names the key of a session; no business of the browser's."""
ID_BYTES: Final = 32
REMEMBER_SECONDS: Final = 60.0
"""So long a revocation is remembered: a late answer to the old id must not take a new session's cookie away."""

_SEALED_AS: Final = "wsgiproxy_hs.stored-session"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class Carried(NamedTuple):
    """A session that a request carried: its id, its key, and whether it is sealed into the cookie."""

    id: str
    key: str
    is_sealed: bool = False


def carried_id(value: str) -> Carried | None:
    """What a cookie with an id leads to; ``None`` for what is none of ours."""
    return Carried(value, _digest("session", value)) if _ID.fullmatch(value) else None


def carried_token(token: str) -> Carried:
    """The id of a session that is sealed into its cookie: known to whoever holds the cookie, and to nobody else."""
    made = base64url.encode(hashlib.sha256(b"wsgiproxy_hs moved session\0" + token.encode()).digest())
    return Carried(made, _digest("session", made), is_sealed=True)


def user_key(user_id: object) -> str:
    """The digest of a user's id, the claim ``sub``; empty when there is none."""
    return _digest("user", str(user_id)) if isinstance(user_id, (str, int)) and user_id != "" else ""


def _digest(kind: str, text: str) -> str:
    return hashlib.sha256(f"wsgiproxy_hs {kind}\0{text}".encode("utf-8", "replace")).hexdigest()


class StoredSessions:
    """The sessions of a store. Every method may raise :class:`.RenewalUnavailable`, 503: nobody can tell just now.

    :param secrets: the first seals, all open. :param max_age_seconds: from a write to the end of a session.
    :param max_cached: how many unsealed sessions to remember; the store is asked every time all the same.
    """

    def __init__(
        self, store: SessionStore, secrets: Sequence[str], max_age_seconds: float, max_cached: int = 1024
    ) -> None:
        self._store = store
        self._secrets = tuple(secrets)
        self._long = max(max_age_seconds, FLASK_LIFETIME_SECONDS)  # no sealed session lives longer
        self._cache: GenerationalCache[bytes, Session] = GenerationalCache(max_cached)

    def find(self, carried: Carried, now: float) -> Session | None:
        """The session that is kept under an id."""
        with answering():
            row = self._store.look(carried.key)
        return self._opened(row, carried.key, now)

    def follow(self, carried: Carried, session: Session, now: float) -> Session | None:
        """What became of a session that is sealed into its cookie: it moved, it was revoked, or nothing yet."""
        with answering():
            row = self._store.look(carried.key, user=user_key(session.claims.get("sub")))
        if row.sealed is not None:
            return self._opened(row, carried.key, now)
        if row.is_revoked or session.issued <= row.cut:
            return None
        return Session(MappingProxyType({**session.claims, STORED_CLAIM: carried.key}))

    def _opened(self, row: StoredRow, key: str, now: float) -> Session | None:
        if row.sealed is None:
            return None
        digest = hashlib.blake2b(f"{key}{row.sealed}".encode("utf-8", "replace"), digest_size=16).digest()
        session = self._cache.get(digest)
        try:
            if session is None:
                session = Session(MappingProxyType(self._unsealed(row.sealed, key, now)))
                self._cache.put(digest, session)
            check_times(session.claims, now)
        except Unsealable as reason:
            log.debug("no session in the store: %s", reason)
            return None
        return session

    def _unsealed(self, sealed: str, key: str, now: float) -> dict[str, object]:
        options = {"secrets": self._secrets, "cookie_name": _SEALED_AS, "now": now}
        claims = unseal(sealed, max_length=MAX_STORED_LENGTH, **options)  # type: ignore[arg-type]
        if claims.get(STORED_CLAIM) != key:
            raise Unsealable("it is another session's")
        return claims

    def save(self, claims: Mapping[str, object], carried: Sequence[Carried], *, now: float, max_age: int) -> str | None:
        """Keep ``claims``; the id for the cookie, or ``None`` when the session was revoked meanwhile.

        Claims that came from one of the ``carried`` sessions are kept under its id. All others begin a new session:
        its id is random, whatever the request carried, and what it carried is revoked (no fixation).

        :raises ValueError: when the claims cannot be written as JSON, or are larger than any store takes.
        """
        mark = claims.get(STORED_CLAIM)
        former = next((each for each in carried if each.key == mark), None)
        own = former or Carried(new := randomness.token_urlsafe(ID_BYTES), _digest("session", new))
        saving = Saving.NEW if former is None else Saving.MOVED if former.is_sealed else Saving.KEPT
        sealed = self._sealed({**claims, STORED_CLAIM: own.key}, now, max_age)
        issued = Session(claims).issued
        with answering():
            is_kept = self._store.save(
                own.key,
                sealed,
                saving=saving,
                user=user_key(claims.get("sub")),
                generation=generation_of(claims),
                issued=issued,
                keep_seconds=max_age + CLOCK_TOLERANCE_SECONDS,
            )
        if former is None:
            self.revoke(carried)
        return own.id if is_kept else None

    def _sealed(self, claims: Mapping[str, object], now: float, max_age: int) -> str:
        sealed = seal(claims, secrets=self._secrets, cookie_name=_SEALED_AS, now=now, max_age=max_age)
        if len(sealed) > MAX_STORED_LENGTH:
            raise ValueError(f"a sealed session must not be longer than {MAX_STORED_LENGTH:,} characters")
        return sealed

    def revoke(self, carried: Sequence[Carried]) -> list[Revoked]:
        """Strike out what a request carried; what was found, one by one."""
        if not carried:
            return []
        remember = [self._long if each.is_sealed else REMEMBER_SECONDS for each in carried]
        with answering():
            keys = [each.key for each in carried]
            return self._store.revoke(keys, remember_seconds=remember, long_seconds=self._long)

    def revoke_all(self, user_id: str, now: float) -> int:
        """Strike out all sessions of a user, sealed ones included; how many were kept."""
        with answering():
            return self._store.revoke_all(user_key(user_id), now=now, long_seconds=self._long)


@contextmanager
def answering() -> Iterator[None]:
    """Without the store nobody can tell whether there is a session: 503, not 401."""
    try:
        yield
    except StoreUnavailable as error:
        raise RenewalUnavailable from error
