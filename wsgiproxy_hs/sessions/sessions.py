"""From the ``Cookie`` header to a session, and back to ``Set-Cookie`` lines."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.secret_strength import secret_faults

from .access_tokens import AccessToken, Renewing, is_sendable, session_end
from .chunks import Cookies, clear_session_cookies, session_cookie_names, write_session_cookies
from .claims import check_times
from .cookies import cookies_as_sent, parse_cookies
from .formats import COOKIE_NAMES, STORED, Place, format_faults, places, prefix_of, seal, split_prefix, tokens, unseal
from .generations import GenerationalCache
from .session import Session
from .stored import STORED_CLAIM, Carried, StoredSessions, carried_id, carried_token
from .stores.session_store import Revoked, SessionStore
from .token_pair import RENEWAL_CLAIM, TokenPair, pair_of
from .unsealable import Unsealable

log = logging.getLogger(__name__)


class Sessions:
    """Reads and writes the session of a request. Safe to share between threads.

    :param secrets: the first writes, all read (F025).
    :param secure: whether the site's *public* URL is https; never taken from a request (F023, F024).
    :param cookie_name: of the Auth.js cookie; a prefix is added as Auth.js does to its default name.
    :param formats: which cookies to read, in this order: ``authjs``, ``next-auth``, ``signed``, and
        ``flask``, the cookie of a Flask app with the same secret, which is only read: setting and clearing it
        is left to that app; ``stored``, the id of a session that ``store`` keeps.
    :param write_format: ``authjs``, ``signed`` or ``stored``. A session of another format moves there at its next
        write.
    :param max_age_seconds: from a write to the end of the session.
    :param access_token_claim: the claim that carries the upstream's access token.
    :param refresh_token_claim: the claim that carries its refresh token.
    :param clock: gives the seconds since the epoch.
    :param cookie_names: cookie names by format, where the default does not fit.
    :param prefix: of the cookie that is written. ``None``: ``__Secure-`` if ``secure``, else none. Auth.js
        itself adds none to a name of your own choice: pass ``""`` to share such a cookie with it.
    :param max_cached: how many unsealed sessions to remember.
    :param verify_access_token: ``(token, now) -> claims or None``; a token for which it gives ``None`` is
        none. See :func:`.access_tokens.verified_claims`.
    :param store: keeps the sessions of the format ``stored``. When it cannot be asked, what needs it raises
        :class:`.RenewalUnavailable`: without it nobody can tell whether there is a session.
    :raises ConfigurationError: naming all faults at once, weak secrets among them (F036, F037).
    """

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        secure: bool,
        cookie_name: str = COOKIE_NAMES["authjs"],
        formats: Sequence[str] = ("authjs", "next-auth", "signed"),
        write_format: str = "authjs",
        max_age_seconds: int = 2_592_000,
        access_token_claim: str = "accessToken",  # noqa: S107 - the name of a claim
        refresh_token_claim: str = "refreshToken",  # noqa: S107 - the name of a claim
        clock: Callable[[], float] = time.time,
        cookie_names: Mapping[str, str] | None = None,
        prefix: str | None = None,
        max_cached: int = 1024,
        verify_access_token: Callable[[str, float], object] | None = None,
        store: SessionStore | None = None,
    ) -> None:
        given, base = split_prefix(cookie_name)
        prefix = prefix_of(given, secure) if prefix is None else prefix
        names = {**COOKIE_NAMES, "authjs": base, **(cookie_names or {})}
        faults = secret_faults(secrets) + format_faults(formats, write_format, names, has_store=store is not None)
        if faults := faults + _other_faults(prefix, secure, max_age_seconds):
            raise ConfigurationError(faults)
        self._secrets = tuple(secrets)
        self._secure = secure
        self._max_age = max_age_seconds
        self._clock = clock
        self._verify = verify_access_token
        self._places = places(formats, names)
        self._names = tuple(place.name for place in self._places)
        self._ours = tuple(place.name for place in self._places if place.format != "flask")
        self._written = Place(write_format, prefix + names[write_format])
        self._cache: GenerationalCache[bytes, Session] = GenerationalCache(max_cached)
        self._access_token_claim = access_token_claim
        self._refresh_token_claim = refresh_token_claim
        self.hidden_claims = frozenset({access_token_claim, refresh_token_claim, RENEWAL_CLAIM, STORED_CLAIM})
        self._stored = StoredSessions(store, secrets, max_age_seconds, max_cached) if store is not None else None

    def read(self, cookie_header: str) -> Session | None:
        """The session that the ``Cookie`` header carries; ``None`` when there is none that can be unsealed.

        The first format with a session wins, in it the most trustworthy name, under that name the newest
        ``iat`` (F018). What a comma may have joined (F032) is looked at only when the cookies as sent hold no
        session: so no value that contains another cookie's text takes the place of a genuine session.

        :param cookie_header: as WSGI gives it, latin-1. Whatever is in it, nothing is raised (F026, F027,
            F031) but :class:`.RenewalUnavailable`, when the store cannot be asked.
        """
        session = self._first(cookies_as_sent(self._own_part(cookie_header)))
        if session is None and "," in cookie_header:
            session = self._first(parse_cookies(cookie_header))
        return session

    def _own_part(self, cookie_header: str) -> str:
        # Most of a header is other software's: it need not be parsed to be passed over.
        parts = cookie_header.split(";")
        return ";".join([part for part in parts if part.lstrip(" \t").startswith(self._names)])

    def _first(self, cookies: Cookies) -> Session | None:
        names = {name for name, _ in cookies}
        stems = names | {name.rpartition(".")[0] for name in names}
        now = self._clock()
        found = (self._newest(cookies, place, now) for place in self._places if place.name in stems)
        return next((session for session in found if session is not None), None)

    def _newest(self, cookies: Cookies, place: Place, now: float) -> Session | None:
        newest: Session | None = None
        newest_token = ""
        for token in tokens(cookies, place):
            if newest is not None and newest_token.startswith(token):
                continue  # a duplicate, or the chunks of a genuine token less the last
            session = self._followed(token, place, now)
            if session is not None and (newest is None or session.issued > newest.issued):
                newest, newest_token = session, token
        return newest

    def _followed(self, token: str, place: Place, now: float) -> Session | None:
        """The session that a cookie's value leads to. Where sessions are written to the store, it has the last word."""
        if place.format == STORED:
            carried = carried_id(token)
            return self._stored.find(carried, now) if self._stored and carried else None
        session = self._unsealed(token, place, now)
        if session is None or self._stored is None or self._written.format != STORED:
            return session
        return self._stored.follow(carried_token(token), session, now)

    def _unsealed(self, token: str, place: Place, now: float) -> Session | None:
        key = place.digest(token)
        session = self._cache.get(key)
        try:
            if session is not None:
                check_times(session.claims, now)
                return session
            session = Session(MappingProxyType(unseal(place, token, self._secrets, now)))
        except Unsealable as reason:
            log.debug("no session in %s: %s", place.name, reason)
            return None
        self._cache.put(key, session)
        return session

    def write(self, claims: Mapping[str, object], cookie_header: str, *, expires: float | None = None) -> list[str]:
        """The ``Set-Cookie`` values that store ``claims``; each must become a header line of its own (F021).

        Removes whatever else of a session the request carried: other formats, the other prefix, stale chunks.

        :param cookie_header: the request's.
        :param expires: the end of token and cookie, in seconds since the epoch; :meth:`end` when not given.
        :raises ValueError: when the claims cannot be written as JSON, or are too large for any browser.
        """
        now = self._clock()
        max_age = math.floor(self.end(claims) if expires is None else expires) - math.floor(now)
        cookies = parse_cookies(cookie_header)
        token = self._token(claims, cookies, now, max_age)
        if token is None:
            return []
        name, ends = self._written.name, now + max_age
        others = [other for other in self._ours if other != name]
        return [
            *clear_session_cookies(cookies, others, secure=self._secure),
            *write_session_cookies(cookies, name, token, secure=self._secure, expires=ends),
        ]

    def _token(self, claims: Mapping[str, object], cookies: Cookies, now: float, max_age: int) -> str | None:
        """The value of the cookie that is written; ``None`` when the session is over by now."""
        if self._stored is not None and self._written.format == STORED:
            carried = [each for each, _ in self._carried(cookies, now)]
            return self._stored.save(claims, carried, now=now, max_age=max_age)
        held = {name: value for name, value in claims.items() if name != STORED_CLAIM}
        return seal(self._written, held, self._secrets, now=now, max_age=max_age)

    def _carried(self, cookies: Cookies, now: float) -> Iterator[tuple[Carried, str]]:
        """The sessions of a request as the store knows them, each with the name of its cookie.

        What cannot be unsealed is none: a stranger must not fill the store.
        """
        for place in self._places:
            for token in tokens(cookies, place):
                if place.format == STORED:
                    carried = carried_id(token)
                else:
                    carried = carried_token(token) if self._unsealed(token, place, now) is not None else None
                if carried is not None:
                    yield carried, place.name

    def clear(self, cookie_header: str) -> list[str]:
        """The ``Set-Cookie`` values that remove all session cookies that the request carried (F026, F038).

        Sessions in the store are revoked. What was revoked a moment ago keeps its cookie: it may be another's by now.
        """
        cookies = parse_cookies(cookie_header)
        found = self._revoke(cookies)
        late = {name for each, name, result in found if result is Revoked.BEFORE and not each.is_sealed}
        names = [name for name in self._ours if name not in late]
        return clear_session_cookies(cookies, names, secure=self._secure)

    def revoke(self, cookie_header: str) -> int:
        """End the stored sessions that these cookies lead to, wherever copies of the cookies are; how many there were.

        Where sessions are written to the store, those that are still sealed into the cookie are over, too.

        :raises RenewalUnavailable: when the store cannot be asked.
        """
        return sum(result is Revoked.KEPT for _, _, result in self._revoke(parse_cookies(cookie_header)))

    def revoke_all(self, user_id: str) -> int:
        """End all sessions of a user, the claim ``sub``; how many were in the store.

        :raises RenewalUnavailable: when the store cannot be asked. :raises ValueError: when there is no store.
        """
        if self._stored is None:
            raise ValueError("sessions that are sealed into cookies cannot be revoked: there is no store")
        return self._stored.revoke_all(user_id, self._clock())

    def _revoke(self, cookies: Cookies) -> list[tuple[Carried, str, Revoked]]:
        if self._stored is None:
            return []
        is_written = self._written.format == STORED
        carried = [each for each in self._carried(cookies, self._clock()) if is_written or not each[0].is_sealed]
        results = self._stored.revoke([each for each, _ in carried])
        return [(each, name, result) for (each, name), result in zip(carried, results, strict=True)]

    def has_cookie(self, cookie_header: str) -> bool:
        """Whether the request carried a session cookie, readable or not."""
        return bool(session_cookie_names(parse_cookies(cookie_header), self._names))

    def public(self, session: Session) -> dict[str, object]:
        """The claims that may leave this process: all but the tokens, as a copy."""
        return session.public(self.hidden_claims)

    def access_token(self, session: Session, renewal: Renewing | None = None) -> AccessToken | None:
        """The handle on the session's access token.

        ``None`` when there is none, when it could not stand in a header value, or when it does not verify and
        cannot be renewed.

        :param renewal: redeems refresh tokens; without it the session ends with its access token.
        """
        token = session.claims.get(self._access_token_claim)
        if not isinstance(token, str) or not is_sendable(token):
            return None
        pair = pair_of(session.claims, token, self._refresh_token_claim)
        is_dead = self._verify is not None and self._verify(token, self._clock()) is None
        if is_dead and (renewal is None or pair.refresh is None):
            return None
        return AccessToken(token, clock=self._clock, pair=pair, renewal=renewal, is_dead=is_dead)

    def with_pair(self, claims: Mapping[str, object], pair: TokenPair) -> dict[str, object]:
        """``claims`` with the tokens of ``pair`` in place of those that are there."""
        mark = {"generation": pair.generation, "at": math.floor(pair.renewed)}
        return {
            **claims,
            self._access_token_claim: pair.access,
            self._refresh_token_claim: pair.refresh,
            RENEWAL_CLAIM: mark,
        }

    def end(self, claims: Mapping[str, object]) -> float:
        """When a session that is written now ends, in seconds since the epoch: no later than its refresh token."""
        return session_end(self._clock() + self._max_age, claims.get(self._refresh_token_claim))


def _other_faults(prefix: str, secure: bool, max_age_seconds: int) -> list[str]:
    faults = []
    if prefix and not secure:
        faults.append(f"Browsers take cookies whose name begins with {prefix} over https only")
    if max_age_seconds <= 0:
        faults.append("The session's max_age_seconds must be positive")
    return faults
