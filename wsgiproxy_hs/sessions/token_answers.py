"""What the token endpoint's answer means for the session: new tokens, the end, or nothing yet (F009, F011)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .access_tokens import is_sendable

PAUSE_SECONDS: Final = 1.0
"""After a failure nobody asks again before."""
MAX_PAUSE_SECONDS: Final = 60.0

FATAL_CODES: Final = frozenset({"token_not_valid", "no_active_account", "user_inactive", "user_not_found"})
"""SimpleJWT's words for a refresh token that is over for good."""
FATAL_ERRORS: Final = frozenset({"invalid_grant"})
"""OAuth's (RFC 6749, section 5.2)."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """:param refresh: ``None`` when the upstream does not rotate refresh tokens."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The upstream clearly said that this refresh token is over."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """There is no knowing yet.

    :param is_undone: whether the upstream surely did not redeem the token, so that asking again is safe at any time.
    :param pause_seconds: before asking again.
    """

    is_undone: bool = False
    pause_seconds: float = PAUSE_SECONDS


Outcome = Redeemed | Refused | Unavailable


def judged(status: int, document: object, headers: Mapping[str, str]) -> Outcome:
    """The meaning of an answer.

    Only a refusal that names a fatal code ends a session, or a plain 401 in the form of Django REST framework, which is
    how SimpleJWT refuses an account that is no longer active. A good status without an access token in it is nonsense,
    and leaves open whether the refresh token was spent; so does every 5xx but 503.

    :param document: the parsed JSON body, ``None`` when it is none. :param headers: case-insensitive.
    """
    members = document if isinstance(document, dict) else {}
    if 200 <= status < 300:
        access, refresh = members.get("access"), members.get("refresh")
        if isinstance(access, str) and is_sendable(access):
            return Redeemed(access, refresh if isinstance(refresh, str) and refresh else None)
        return Unavailable()
    if status in (400, 401, 403) and _is_fatal(status, members):
        return Refused()
    is_undone = 300 <= status < 500 or status == 503
    return Unavailable(is_undone, pause_seconds(headers.get("Retry-After")))


def _is_fatal(status: int, members: Mapping[str, object]) -> bool:
    code, error = members.get("code"), members.get("error")
    if isinstance(code, str) or isinstance(error, str):
        return code in FATAL_CODES or error in FATAL_ERRORS
    return status == 401 and isinstance(members.get("detail"), str)


def pause_seconds(retry_after: str | None) -> float:
    """Seconds of a ``Retry-After`` field within bounds; a date, nonsense or nothing is the shortest pause."""
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return PAUSE_SECONDS
    return min(max(float(text), PAUSE_SECONDS), MAX_PAUSE_SECONDS)
