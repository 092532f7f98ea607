"""A token server whose refresh tokens are good for one redemption each, and whose access tokens are JWTs."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable

import jwt

from wsgiproxy_hs.sessions import Redeemed, Refused, TokenPair, Unavailable

KEY = "the token server's own signing key, of no use elsewhere"


class TokenServer:
    """:meth:`redeem` is what the library is given.

    :param rotates: whether a redemption gives a new refresh token and ends the old one.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        rotates: bool = True,
        access_seconds: float = 300,
        refresh_seconds: float = 1e6,
    ) -> None:
        self.clock, self.rotates, self.access_seconds, self.refresh_seconds = (
            clock,
            rotates,
            access_seconds,
            refresh_seconds,
        )
        self.redemptions: Counter[str] = Counter()
        self.refusals: list[str] = []
        self.spent: set[str] = set()
        self.live: set[str] = set()
        self.dead_access: set[str] = set()
        self.failing: Unavailable | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def _jwt(self, kind: str, seconds: float, age_seconds: float = 0) -> str:
        now = self.clock() - age_seconds
        claims = {"token_type": kind, "jti": str(next(self._numbers)), "iat": int(now), "exp": int(now + seconds)}
        return jwt.encode(claims, KEY, algorithm="HS256")

    def sign_in(self, age_seconds: float = 0) -> TokenPair:
        """A pair whose access token was issued so long ago."""
        refresh = self._jwt("refresh", self.refresh_seconds)
        self.live.add(refresh)
        return TokenPair(self._jwt("access", self.access_seconds, age_seconds), refresh)

    def redeem(self, refresh: str) -> Redeemed | Refused | Unavailable:
        with self._lock:
            if self.failing is not None:
                return self.failing
            self.redemptions[refresh] += 1
            if refresh not in self.live:
                self.refusals.append(refresh)
                return Refused()
            access = self._jwt("access", self.access_seconds)
            if not self.rotates:
                return Redeemed(access)
            self.live.discard(refresh)
            self.spent.add(refresh)
            successor = self._jwt("refresh", self.refresh_seconds)
            self.live.add(successor)
            return Redeemed(access, successor)

    def accepts(self, access: str) -> bool:
        """What the API says to an access token."""
        claims = jwt.decode(access, options={"verify_signature": False})
        return access not in self.dead_access and self.clock() < claims["exp"]
