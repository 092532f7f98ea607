"""What a request leaves in the browser: the cookies that a renewal made, or the removal of those that are of no use."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized

from .access_tokens import AccessToken, Renewing
from .session import Session
from .token_pair import TokenPair

log = logging.getLogger(__name__)


class SessionTokens(Protocol):
    """What is asked of :class:`.sessions.Sessions`."""

    def read(self, cookie_header: str) -> Session | None: ...

    def access_token(self, session: Session, renewal: Renewing | None = None) -> AccessToken | None: ...

    def public(self, session: Session) -> dict[str, object]: ...

    def with_pair(self, claims: Mapping[str, object], pair: TokenPair) -> dict[str, object]: ...

    def write(self, claims: Mapping[str, object], cookie_header: str, *, expires: float | None = None) -> list[str]: ...

    def clear(self, cookie_header: str) -> list[str]: ...


def cookies_after(sessions: SessionTokens, session: Session, token: AccessToken, cookie_header: str) -> list[str]:
    """The ``Set-Cookie`` values for an answer that begins now; none when nothing changed (F007, F008, F010).

    Never fails: the answer is there, and what could not be stored is stored by a later one.
    """
    try:
        if token.is_refused:
            return sessions.clear(cookie_header)
        pair = token.renewed_pair()
        return [] if pair is None else sessions.write(sessions.with_pair(session.claims, pair), cookie_header)
    except ValueError as error:
        log.error("A renewed session cannot be stored: %s", error)
    except RenewalUnavailable:
        log.warning("A renewed session cannot be stored just now; its old form leads to the new tokens")
    return []


def newest_claims(sessions: SessionTokens, session: Session, renewal: Renewing | None) -> Mapping[str, object]:
    """The claims with the newest tokens that are known of the session: other requests may have renewed them (F008)."""
    token = sessions.access_token(session, renewal) if renewal is not None else None
    if token is None or renewal is None or not token.can_renew:
        return session.claims
    newest = renewal.newest(token.pair)
    return session.claims if newest is token.pair else sessions.with_pair(session.claims, newest)


def current_claims(sessions: SessionTokens, session: Session, renewal: Renewing | None) -> Mapping[str, object] | None:
    """As :func:`newest_claims`, renewed when due; ``None`` when the upstream refused to: the session is over.

    When the tokens cannot be renewed just now, the session stays as it is (F009).
    """
    claims = newest_claims(sessions, session, renewal)
    token = sessions.access_token(Session(claims), renewal) if renewal is not None else None
    if token is None or not token.can_renew:
        return claims
    try:
        token.settle()
    except Unauthorized:
        return None
    except RenewalUnavailable:
        log.info("A session is shown whose tokens cannot be renewed just now")
    renewed = token.renewed_pair()
    return claims if renewed is None else sessions.with_pair(claims, renewed)
