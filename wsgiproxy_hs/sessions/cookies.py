"""The ``Cookie`` request header and the ``Set-Cookie`` response header (RFC 6265; F031 to F033).

The reader never fails, whatever other software put beside our cookie, and keeps order and duplicates. The
writer makes the text that Auth.js makes, attribute by attribute.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from email.utils import formatdate
from typing import Literal
from urllib.parse import quote, unquote

SameSite = Literal["Lax", "Strict", "None"]

# What encodeURIComponent leaves alone (ECMA-262, section 19.2.6.4), beyond letters and digits.
_UNESCAPED = "-_.!~*'()"
_BLANKS = " \t"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NO_ATTRIBUTE = re.compile(r"[\x00-\x1f\x7f;]")


def parse_cookies(header: str) -> list[tuple[str, str]]:
    """All ``(name, value)`` pairs that ``header`` can be read as, in order, duplicates included; never
    raises.

    First come the cookies as sent (:func:`cookies_as_sent`), untouched. Then, for parts that could be two
    ``Cookie`` lines joined by a comma (``a=1,b=2``, F032), their pieces: a piece begins at a comma that is
    followed by a token and ``=``. So a value that merely contains a comma stays whole, and where a comma is
    ambiguous both readings are there. Whoever takes the first cookie of a name always gets the one that was
    sent.

    A piece never gets a ``__Host-`` name: that prefix is the browser's word, which the inside of a value
    cannot give.
    """
    pairs = cookies_as_sent(header)
    if "," in header:
        for part in header.split(";"):
            if "," in part:
                pairs.extend(_pieces(part))
    return pairs


def cookies_as_sent(header: str) -> list[tuple[str, str]]:
    """The ``(name, value)`` pairs of ``header``, split at ``;`` and nowhere else; never raises.

    Blanks around name and value are cut, quotes are kept, parts without ``=`` or without a name are skipped.
    A value is percent-decoded only if it holds a ``%``, and stays as it is if one escape in it is malformed.
    """
    return list(_pairs(header.split(";")))


def _pairs(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip(_BLANKS)
        if equals and name:
            value = value.strip(_BLANKS)
            yield name, _decoded(value) if "%" in value else value


def _decoded(value: str) -> str:
    if _BROKEN_ESCAPE.search(value):
        return value
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        return value


def _pieces(part: str) -> Iterator[tuple[str, str]]:
    """What ``part`` holds if its commas join cookies; nothing if none of them can."""
    pieces: list[list[str]] = [[]]
    for segment in part.split(","):
        name, equals, _ = segment.partition("=")
        name = name.strip(_BLANKS)
        if equals and pieces[0] and is_cookie_name(name) and not name.startswith("__Host-"):
            pieces.append([segment])
        else:
            pieces[-1].append(segment)
    if len(pieces) > 1:
        yield from _pairs([",".join(piece) for piece in pieces])


def set_cookie(
    name: str,
    value: str,
    *,
    secure: bool,
    expires: float | None = None,
    max_age: int | None = None,
    path: str = "/",
    same_site: SameSite = "Lax",
    http_only: bool = True,
    domain: str | None = None,
) -> str:
    """The value of one ``Set-Cookie`` header field, as Auth.js writes it.

    :param value: any text; it is percent-encoded as ``encodeURIComponent`` does.
    :param expires: seconds since the epoch. :param max_age: seconds; 0 removes the cookie.
    :raises ValueError: when a browser would refuse the cookie or read another one: a name that is no token, a
        control character or ``;`` in an attribute, lone surrogates, or a ``__Secure-`` or ``__Host-`` name
        without what it promises (RFC 6265bis, section 4.1.3).
    """
    _check(name, secure, path, domain)
    attributes = [
        f"{name}={quote(value, safe=_UNESCAPED)}",
        f"Max-Age={max_age}" if max_age is not None else "",
        f"Domain={domain}" if domain else "",
        f"Path={path}",
        f"Expires={formatdate(math.floor(expires), usegmt=True)}" if expires is not None else "",
        "HttpOnly" if http_only else "",
        "Secure" if secure else "",
        f"SameSite={same_site}",
    ]
    return "; ".join(filter(None, attributes))


def is_cookie_name(name: str) -> bool:
    """Whether ``name`` is a token (RFC 9110, section 5.6.2), as a cookie's name must be."""
    return _TOKEN.fullmatch(name) is not None


def _check(name: str, secure: bool, path: str, domain: str | None) -> None:
    if not is_cookie_name(name):
        raise ValueError("a cookie name must be a token")
    if _NO_ATTRIBUTE.search(path) or _NO_ATTRIBUTE.search(domain or ""):
        raise ValueError("a cookie attribute holds a control character or a semicolon")
    if needs_secure(name) and not secure:
        raise ValueError("a cookie with this name must be secure")
    if name.startswith("__Host-") and (path != "/" or domain):
        raise ValueError("a __Host- cookie has the path / and no domain")


def needs_secure(name: str) -> bool:
    """Whether browsers take a cookie of this name only with ``Secure``."""
    return name.startswith(("__Secure-", "__Host-"))
