"""What an answer says about who may read it (Fetch standard, section 3.2): exactly one origin, never a wildcard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from wsgiproxy_hs.exceptions import Header
from wsgiproxy_hs.routes.route import Route

ALLOWED_HEADERS: Final = (
    "Accept, Accept-Language, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, "
    "If-Unmodified-Since, Last-Event-ID, Range, X-CSRF, X-Request-ID, X-Requested-With"
)
"""Request headers that a page of a further origin may set."""
EXPOSED_HEADERS: Final = "Content-Disposition, ETag, RateLimit, RateLimit-Policy, Retry-After"
"""Headers of an answer that its scripts may see, beside those that scripts always see."""
PREFLIGHT_SECONDS: Final = 600
VARY: Final[Header] = ("Vary", "Origin")
"""No cache gives the answer for one origin to another: on every answer, for the others are told nothing (F158)."""


def grant(origin: str | None) -> list[Header]:
    """What lets the pages of an origin read an answer to a request with a cookie; ``None`` lets nobody."""
    if origin is None:
        return [VARY]
    return [
        VARY,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", EXPOSED_HEADERS),
    ]


def error_grant(method: str, origin: str | None, further: Collection[str]) -> list[Header]:
    """What an error says about who may read it, whichever layer it came from; of a refused preflight, nobody.

    An error holds nothing of anybody, so ``Origin`` alone decides: the browser itself put it there, and compares it.

    :param further: the origins that may read; when there are none, nothing need be said.
    """
    if not further:
        return []
    return grant(origin if origin in further and method != "OPTIONS" else None)


def preflight_grant(origin: str, route: Route) -> list[Header]:
    """What lets the pages of an origin send a request to a row."""
    return [
        VARY,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", ", ".join(route.method_names)),
        ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
        ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
    ]
