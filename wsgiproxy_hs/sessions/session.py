"""One session: the claims of an unsealed session token."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .claims import numeric_date


@dataclass(frozen=True, repr=False)
class Session:
    """Who is signed in: the claims of a session token, those that carry tokens included.

    The same object serves many requests, so its claims are for reading. ``repr`` shows the names of the
    claims alone.
    """

    claims: Mapping[str, object]

    @property
    def issued(self) -> float:
        """``iat`` in seconds since the epoch; 0 when the token does not say."""
        return numeric_date(self.claims.get("iat")) or 0.0

    @property
    def expires(self) -> float | None:
        """``exp`` in seconds since the epoch; ``None`` when the token does not say."""
        return numeric_date(self.claims.get("exp"))

    def public(self, hidden: Collection[str]) -> dict[str, object]:
        """The claims without ``hidden``, copied in depth: whoever gets them may change them."""
        return {name: _copied(value) for name, value in self.claims.items() if name not in hidden}

    def __repr__(self) -> str:
        return f"<Session {', '.join(map(repr, self.claims))}>"


def _copied(value: object) -> object:
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copied(member) for member in value]
    return value
