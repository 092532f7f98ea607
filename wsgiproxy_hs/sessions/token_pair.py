"""An access token with the refresh token that renews it, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .claims import numeric_date

RENEWAL_CLAIM: Final = "renewal"
"""The claim of a session that says how often and when its tokens were renewed; no business of the browser's."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a session holds of the upstream's tokens.

    :param refresh: ``None`` when the upstream gave none: such a session ends with its access token.
    :param generation: how often it was renewed; a cookie of a lower generation never replaces one of a higher (F008).
    :param renewed: when, in seconds since the epoch by the clock of whoever did it; 0 for a pair from signing in.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    generation: int = 0
    renewed: float = 0.0

    def key(self) -> str:
        """The digest of the refresh token, under which stores keep what became of it."""
        return hashlib.sha256(b"wsgiproxy_hs renewal\0" + (self.refresh or "").encode("utf-8", "replace")).hexdigest()

    def next(self, access: str, refresh: str | None, now: float) -> TokenPair:
        """What a redemption made of this pair; without a new refresh token the old one stays (F015)."""
        return TokenPair(access, refresh or self.refresh, self.generation + 1, now)


def pair_of(claims: Mapping[str, object], access: str, refresh_token_claim: str) -> TokenPair:
    """The pair of a session; what is not as we wrote it counts as absent."""
    refresh = claims.get(refresh_token_claim)
    return TokenPair(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        generation_of(claims),
        numeric_date(_renewal_of(claims).get("at")) or 0.0,
    )


def generation_of(claims: Mapping[str, object]) -> int:
    """How often the tokens of a session were renewed."""
    generation = _renewal_of(claims).get("generation")
    return generation if isinstance(generation, int) and generation > 0 else 0


def _renewal_of(claims: Mapping[str, object]) -> Mapping[str, object]:
    mark = claims.get(RENEWAL_CLAIM)
    return mark if isinstance(mark, dict) else {}
