"""Which cookies may hold a session, under which names, and who unseals them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from . import authjs, signed
from .chunks import Cookies, candidates
from .cookies import is_cookie_name
from .nextauth import unseal_v4

#: In the order of trust: no other site can set a cookie with a ``__Host-`` name (F033).
PREFIXES = ("__Host-", "__Secure-", "")

COOKIE_NAMES: Mapping[str, str] = {
    "authjs": "authjs.session-token",
    "next-auth": "next-auth.session-token",
    "signed": "wsgiproxy_hs.session",
    "flask": "session",
    "stored": "wsgiproxy_hs.session-id",
}
WRITE_FORMATS = ("authjs", "signed", "stored")
STORED = "stored"
"""The cookie holds an id, and the session is in a store: see :mod:`.stored`."""
MAX_IDS = 4
"""Of one name: a bound on what one request can make us ask the store."""
MAX_NAME_LENGTH = 100


class Place(NamedTuple):
    """A cookie that may hold a session: its format and its full name."""

    format: str
    name: str

    def digest(self, token: str) -> bytes:
        """Stands for a token that was found here."""
        text = f"{self.format}\0{self.name}\0{token}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def tokens(cookies: Cookies, place: Place) -> Iterator[str]:
    """What may be a session at ``place``, the likeliest first; an id is never in chunks."""
    if place.format == STORED:
        return islice((value for name, value in cookies if name == place.name), MAX_IDS)
    return candidates(cookies, place.name)


def unseal(place: Place, token: str, secrets: Sequence[str], now: float) -> dict[str, object]:
    """The claims of the ``token`` that was found at ``place``; not of an id, which holds none.

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
    """The token that holds ``claims`` at ``place``, whose format is ``authjs`` or ``signed``.

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


def prefix_of(given: str, secure: bool) -> str:
    """The prefix of the cookie that is written, where its name was given with the prefix ``given``."""
    if given == "__Host-":
        return given
    return "__Secure-" if secure else ""


def format_faults(formats: Sequence[str], write_format: str, names: Mapping[str, str], *, has_store: bool) -> list[str]:
    """What is wrong with the choice of formats and cookie names, a sentence a fault."""
    known = ", ".join(COOKIE_NAMES)
    faults = [f"Session format {name!r} is not one of {known}" for name in formats if name not in COOKIE_NAMES]
    if write_format not in WRITE_FORMATS:
        faults.append(f"Session format {write_format!r} cannot be written; {' and '.join(WRITE_FORMATS)} can")
    elif write_format not in formats:
        faults.append(f"Session format {write_format!r} is written but not read: name it in the formats")
    if STORED in formats and not has_store:
        faults.append(f"Session format {STORED!r} needs a store")
    return faults + [f"{name!r} is not a usable cookie name" for name in names.values() if not _is_usable(name)]


def _is_usable(name: str) -> bool:
    # A longer name would leave its chunks too little room (F016).
    return is_cookie_name(name) and len(name) <= MAX_NAME_LENGTH
