"""The access token: what is known of it, and the handle in the environ that hides it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import jwt
from jwt.types import Options

from wsgiproxy_hs.exceptions import Unauthorized

from .claims import CLOCK_TOLERANCE_SECONDS, check_times, numeric_date
from .unsealable import Unsealable

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


class AccessToken:
    """The handle in ``environ["wsgiproxy_hs.access_token"]``: the token itself leaves it only as a header
    value.

    It hides itself in ``repr``, ``str`` and ``format``, and cannot be pickled.

    :param token: as the upstream issued it.
    :param clock: gives the seconds since the epoch.
    :param leeway_seconds: by how much the upstream's clock may be behind ours (F014); until then the token is
        sent, and the upstream decides.
    :raises ValueError: when ``token`` could not be part of a header value, see :func:`is_sendable`.
    """

    __slots__ = ("_clock", "_expires", "_leeway", "_token")

    def __init__(
        self,
        token: str,
        *,
        clock: Callable[[], float] = time.time,
        leeway_seconds: float = CLOCK_TOLERANCE_SECONDS,
    ) -> None:
        if not is_sendable(token):
            raise ValueError("an access token consists of visible ASCII characters")
        self._token = token
        self._expires = expiry(token)
        self._clock = clock
        self._leeway = leeway_seconds

    @property
    def expires(self) -> float | None:
        """``exp`` of the token, in seconds since the epoch; ``None`` when it does not say."""
        return self._expires

    def authorization(self, scheme: str) -> str:
        """The value for the ``Authorization`` header, ``"JWT <token>"``.

        :param scheme: the authentication scheme that the upstream wants, ``JWT`` or ``Bearer``.
        :raises Unauthorized: when the token is over.
        """
        if self.is_over(self._clock()):
            raise Unauthorized
        return f"{scheme} {self._token}"

    def renew(self, rejected: str) -> bool:
        """Tell the handle that the upstream refused a header value that :meth:`authorization` gave.

        Renewal will redeem the refresh token then, once for all requests of the session, unless another
        request has already done so since; ``True`` will mean that :meth:`authorization` gives a new value,
        with which one replay is worth trying (F013). Until there is renewal the answer is always ``False``:
        pass the refusal on.

        :param rejected: the header value that was refused.
        """
        return False

    def is_over(self, now: float) -> bool:
        """Whether the token has expired beyond the leeway; never, when its expiry is unknown (F012).

        :param now: seconds since the epoch.
        """
        return self._expires is not None and now >= self._expires + self._leeway

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


# A session stays the same for many requests, and so does its token.
@lru_cache(maxsize=1024)
def expiry(token: str) -> float | None:
    """``exp`` of a JWT in seconds since the epoch, read without verifying anything; never raises.

    ``None`` when ``token`` is no JWT or does not say: use it until the upstream refuses it (F012).
    """
    try:
        return numeric_date(jwt.decode(token, options=_UNVERIFIED).get("exp"))
    except Exception:  # whatever is wrong with it, the upstream is to say so, not we
        return None


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
