"""Which cookies may hold a session, under which names, and who unseals them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from . import authjs, signed
from .cookies import is_cookie_name
from .nextauth import unseal_v4

#: In the order of trust: no other site can set a cookie with a ``__Host-`` name (F033).
PREFIXES = ("__Host-", "__Secure-", "")

COOKIE_NAMES: Mapping[str, str] = {
    "authjs": "authjs.session-token",
    "next-auth": "next-auth.session-token",
    "signed": "wsgiproxy_hs.session",
    "flask": "session",
}
WRITE_FORMATS = ("authjs", "signed")
MAX_NAME_LENGTH = 100


class Place(NamedTuple):
    """A cookie that may hold a session: its format and its full name."""

    format: str
    name: str


def unseal(place: Place, token: str, secrets: Sequence[str], now: float) -> dict[str, object]:
    """The claims of the ``token`` that was found at ``place``.

    :raises Unsealable: whatever is wrong with it.
    """
    match place.format:
        case "authjs":
            return authjs.unseal(token, secrets=secrets, cookie_name=place.name, now=now)
        case "next-auth":
            return unseal_v4(token, secrets=secrets, now=now)
        case "signed":
            return signed.unseal_signed(token, secrets=secrets, now=now)
        case _:
            return signed.read_flask(token, *secrets, now=now)


def seal(place: Place, claims: Mapping[str, object], secrets: Sequence[str], *, now: float, max_age: int) -> str:
    """The token that stores ``claims`` at ``place``, whose format is one of ``WRITE_FORMATS``.

    :raises ValueError: when the claims cannot be written as JSON.
    """
    if place.format == "signed":
        return signed.seal_signed(claims, secrets=secrets, now=now, max_age=max_age)
    return authjs.seal(claims, secrets=secrets, cookie_name=place.name, now=now, max_age=max_age)


def places(formats: Sequence[str], names: Mapping[str, str]) -> tuple[Place, ...]:
    """Where to look for a session, in order: format by format, and the prefixed names of each first."""
    return tuple(Place(format_, prefix + names[format_]) for format_ in formats for prefix in PREFIXES)


def split_prefix(cookie_name: str) -> tuple[str, str]:
    """``("__Secure-", "x")`` for ``"__Secure-x"``."""
    prefix = next(prefix for prefix in PREFIXES if cookie_name.startswith(prefix))
    return prefix, cookie_name.removeprefix(prefix)


def format_faults(formats: Sequence[str], write_format: str, names: Mapping[str, str]) -> list[str]:
    """What is wrong with the choice of formats and cookie names, a sentence a fault."""
    known = ", ".join(COOKIE_NAMES)
    faults = [f"Session format {name!r} is not one of {known}" for name in formats if name not in COOKIE_NAMES]
    if write_format not in WRITE_FORMATS:
        faults.append(f"Session format {write_format!r} cannot be written; {' and '.join(WRITE_FORMATS)} can")
    elif write_format not in formats:
        faults.append(f"Session format {write_format!r} is written but not read: name it in the formats")
    return faults + [f"{name!r} is not a usable cookie name" for name in names.values() if not _is_usable(name)]


def _is_usable(name: str) -> bool:
    # A longer name would leave its chunks too little room (F016).
    return is_cookie_name(name) and len(name) <= MAX_NAME_LENGTH
