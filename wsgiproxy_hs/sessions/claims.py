"""What a session token says: claims as JSON (RFC 7519, section 4) and the rules on time."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import NoReturn
from uuid import uuid4

from .unsealable import Unsealable

#: Seconds by which the clocks of two machines may differ (F014); Auth.js allows the same.
CLOCK_TOLERANCE_SECONDS = 15

#: Levels of nesting; whoever copies or writes the claims goes down by recursion.
MAX_DEPTH = 100

# Beyond this a number is no date, and its arithmetic would overflow.
_LATEST = 1e15


def parse_claims(plaintext: bytes) -> dict[str, object]:
    """The claims that ``plaintext`` holds: one JSON object in valid UTF-8.

    :raises Unsealable: for anything else. The JSON error is dropped, because it carries the whole text.
    """
    claims: object = None
    with contextlib.suppress(ValueError, RecursionError):
        claims = json.loads(plaintext.decode("utf-8"), parse_constant=_refuse_constant)
    if not isinstance(claims, dict):
        raise Unsealable("the claims are not a JSON object")
    if plaintext.count(b"{") + plaintext.count(b"[") > MAX_DEPTH and _is_too_deep(claims):
        raise Unsealable("the claims are nested too deeply")
    return claims


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [member for container in level for member in _members(container)]
    return bool(level)


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def check_times(claims: Mapping[str, object], now: float, tolerance_seconds: int = CLOCK_TOLERANCE_SECONDS) -> None:
    """Hold ``exp``, ``nbf`` and ``iat`` against the clock as Auth.js does.

    None of them is required. ``exp`` is accepted up to 14 seconds late, ``nbf`` up to 15 seconds early (whole
    seconds); ``iat`` only has to be a number.

    :param now: seconds since the epoch.
    :raises Unsealable: when the session is over, not yet begun, or one of the three is not a number.
    """
    second = math.floor(now)
    expires, begins = _date(claims, "exp"), _date(claims, "nbf")
    _date(claims, "iat")
    if expires is not None and expires <= second - tolerance_seconds:
        raise Unsealable("exp is past")
    if begins is not None and begins > second + tolerance_seconds:
        raise Unsealable("nbf is ahead")


def _date(claims: Mapping[str, object], name: str) -> float | None:
    if name not in claims:
        return None
    value = numeric_date(claims[name])
    if value is None:
        raise Unsealable(f"{name} is not a date")
    return value


def numeric_date(value: object) -> float | None:
    """``value`` if it is a NumericDate (RFC 7519, section 2), in seconds; ``None`` if not.

    ``True`` is an ``int`` to Python and no date; nor are NaN, the infinities and numbers past the year 31
    million.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) <= _LATEST else None


def stamped(claims: Mapping[str, object], *, now: float, max_age: int, jti: str | None = None) -> dict[str, object]:
    """``claims`` with ``iat``, ``exp`` and ``jti`` set, whatever they were.

    As in Auth.js a member that is there keeps its place, a new one goes to the end.

    :param now: seconds since the epoch. :param max_age: seconds until ``exp``.
    :param jti: the token's identifier; a random UUID when not given.
    """
    issued = math.floor(now)
    return {**claims, "iat": issued, "exp": issued + max_age, "jti": jti or str(uuid4())}
