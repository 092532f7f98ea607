"""The access token: what is known of it, and the handle in the environ that hides it."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn, Protocol

import jwt
from jwt.types import Options

from wsgiproxy_hs.exceptions import Unauthorized

from .claims import CLOCK_TOLERANCE_SECONDS, check_times, numeric_date
from .token_pair import TokenPair
from .unsealable import Unsealable

JUST_RENEWED_SECONDS: Final = 30.0
"""A token that was renewed so lately is not renewed again because the upstream refuses it."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")

# PyJWT asks the wall clock, so times are checked here; aud, iss, sub and jti are the upstream's to judge.
_UNVERIFIED: Options = {"verify_signature": False}
_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class Renewing(Protocol):
    """What a handle asks of :class:`.renewal.Renewal`."""

    def is_fresh(self, pair: TokenPair, now: float) -> bool: ...

    def current(self, pair: TokenPair, *, is_dead: bool = False) -> TokenPair: ...

    def newest(self, pair: TokenPair) -> TokenPair: ...


class AccessToken:
    """The handle in ``environ["wsgiproxy_hs.access_token"]``: the token itself leaves it only as a header
    value.

    It hides itself in ``repr``, ``str`` and ``format``, and cannot be pickled. One handle serves one request.

    :param token: as the upstream issued it.
    :param clock: gives the seconds since the epoch.
    :param leeway_seconds: by how much the upstream's clock may be behind ours (F014); until then a token that
        cannot be renewed is sent, and the upstream decides.
    :param pair: the token with its refresh token. :param renewal: renews it; ``None`` when nothing does.
    :param is_dead: whether the token is known to be of no use, whatever its expiry says.
    :raises ValueError: when ``token`` could not be part of a header value, see :func:`is_sendable`.
    """

    __slots__ = ("_clock", "_first", "_is_dead", "_leeway", "_pair", "_renewal", "is_refused")

    def __init__(
        self,
        token: str,
        *,
        clock: Callable[[], float] = time.time,
        leeway_seconds: float = CLOCK_TOLERANCE_SECONDS,
        pair: TokenPair | None = None,
        renewal: Renewing | None = None,
        is_dead: bool = False,
    ) -> None:
        if not is_sendable(token):
            raise ValueError("an access token consists of visible ASCII characters")
        self._first = self._pair = pair or TokenPair(token)
        self._renewal = renewal if self._pair.refresh is not None else None
        self._is_dead = is_dead
        self._clock = clock
        self._leeway = leeway_seconds
        #: Whether the upstream refused the refresh token: the session is over, and so are its cookies.
        self.is_refused = False

    @property
    def expires(self) -> float | None:
        """``exp`` of the token, in seconds since the epoch; ``None`` when it does not say."""
        return expiry(self._pair.access)

    @property
    def pair(self) -> TokenPair:
        """The token with its refresh token, for whoever writes sessions."""
        return self._pair

    @property
    def can_renew(self) -> bool:
        """Whether there is a refresh token, and something that redeems it."""
        return self._renewal is not None

    def renewed_pair(self) -> TokenPair | None:
        """What the session's cookie must say from now on; ``None`` when that is what it says already.

        Asks the store for the newest there is: while this request was under way another one may have gone on (F008).
        """
        if self._renewal is None or self._pair is self._first:
            return None
        return self._renewal.newest(self._pair)

    def authorization(self, scheme: str) -> str:
        """The value for the ``Authorization`` header, ``"JWT <token>"``; the token is renewed first when due.

        :param scheme: the authentication scheme that the upstream wants, ``JWT`` or ``Bearer``.
        :raises Unauthorized: when the token is over and cannot be renewed, or the upstream refuses to.
        :raises RenewalUnavailable: 503 when it is over and whether it can be renewed is not known yet.
        """
        self.settle()
        return f"{scheme} {self._pair.access}"

    def settle(self) -> None:
        """Renew the token when it is due.

        :raises Unauthorized, RenewalUnavailable: as :meth:`authorization`.
        """
        now = self._clock()
        if self._renewal is None:
            if self.is_over(now):
                raise Unauthorized
        elif self._is_dead or not self._renewal.is_fresh(self._pair, now):
            self._renew(self._renewal)

    def renew(self, rejected: str) -> bool:
        """Tell the handle that the upstream refused a header value that :meth:`authorization` gave.

        The refresh token is redeemed then, once for all requests of the session, unless another request has already
        done so since. ``True`` means that :meth:`authorization` gives another value, with which one replay is worth
        trying (F013); ``False``, that the refusal is to be passed on: the token cannot be renewed, or was renewed a
        moment ago and the upstream does not like the new one either.

        :param rejected: the header value that was refused.
        :raises Unauthorized, RenewalUnavailable: as :meth:`authorization`.
        """
        token = rejected.rpartition(" ")[2]
        if not hmac.compare_digest(token.encode(), self._pair.access.encode()):
            return True
        if self._renewal is None or self._is_just_renewed(self._clock()):
            return False
        self._is_dead = True
        self._renew(self._renewal)
        return self._pair.access != token

    def _is_just_renewed(self, now: float) -> bool:
        expires = expiry(self._pair.access)
        return self._pair.renewed + JUST_RENEWED_SECONDS > now and (expires is None or now < expires)

    def _renew(self, renewal: Renewing) -> None:
        try:
            self._pair = renewal.current(self._pair, is_dead=self._is_dead)
        except Unauthorized:
            self.is_refused = True
            raise
        self._is_dead = False

    def is_over(self, now: float) -> bool:
        """Whether the token is of no use: beyond its expiry and the leeway, or known to be dead; never, when its expiry
        is unknown (F012).

        :param now: seconds since the epoch.
        """
        expires = expiry(self._pair.access)
        return self._is_dead or (expires is not None and now >= expires + self._leeway)

    def __repr__(self) -> str:
        return "<AccessToken>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an access token cannot be pickled")


def is_sendable(token: object) -> bool:
    """Whether ``token`` is text of visible ASCII characters, which can stand in a header value (RFC 9110,
    section 5.5).

    Anything else (blanks, CR, LF, other control characters, non-ASCII) would end the header or alter it, and
    is treated as no token.
    """
    return isinstance(token, str) and _VISIBLE.fullmatch(token) is not None


def expiry(token: str) -> float | None:
    """``exp`` of a JWT in seconds since the epoch, read without verifying anything; never raises.

    ``None`` when ``token`` is no JWT or does not say: use it until the upstream refuses it (F012).
    """
    return span(token)[1]


# A session stays the same for many requests, and so does its token.
@lru_cache(maxsize=1024)
def span(token: str) -> tuple[float | None, float | None]:
    """``iat`` and ``exp`` of a JWT, as :func:`expiry` reads them: by the upstream's clock both, so that their
    difference is right whatever our clock says.
    """
    try:
        claims = jwt.decode(token, options=_UNVERIFIED)
        return numeric_date(claims.get("iat")), numeric_date(claims.get("exp"))
    except Exception:  # whatever is wrong with it, the upstream is to say so, not we
        return None, None


def session_end(expires: float, refresh_token: object) -> float:
    """When a session ends that would end at ``expires``: no later than its refresh token, if that says (F010).

    Both in seconds since the epoch.
    """
    end = expiry(refresh_token) if isinstance(refresh_token, str) else None
    return expires if end is None else min(expires, end)


def verified_claims(
    token: str,
    *,
    key: Any,
    algorithms: Sequence[str],
    now: float,
    leeway_seconds: int = CLOCK_TOLERANCE_SECONDS,
) -> dict[str, object] | None:
    """The claims of a JWT whose signature ``key`` verifies and whose time has come; ``None`` for any other
    token.

    :param key: a secret, a public key, or a ``jwt.PyJWK``, as PyJWT takes them.
    :param algorithms: the only ones accepted (RFC 8725, section 3.1); the token's own word does not count.
    :param now: seconds since the epoch.
    :raises ValueError: when the list is empty, holds ``none``, or mixes HMAC with signatures, which would let
        a public key serve as a secret.
    :raises Exception: whatever PyJWT raises for a ``key`` that does not fit the algorithms.
    """
    families = {name.startswith("HS") for name in algorithms}
    if len(families) != 1 or any(name.lower() == "none" for name in algorithms):
        raise ValueError("algorithms must name one family, HMAC or signatures, and not none")
    try:
        claims = jwt.decode(token, key, algorithms=list(algorithms), options=_SIGNATURE_ONLY)
        check_times(claims, now, leeway_seconds)
    except (jwt.InvalidTokenError, Unsealable, RecursionError):
        return None
    return dict(claims)
