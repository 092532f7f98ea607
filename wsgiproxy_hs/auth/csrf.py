"""The CSRF token: a cookie that only this site could have made, and its first half again in the body.

The cookie's value is ``token|hash``: 64 hexadecimal characters, and the hexadecimal SHA-256 of the token followed by
the secret; with a list of secrets, by all of them joined with commas (@auth/core 0.41.3, ``createCSRFToken``).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

TOKEN_BYTES: Final = 32
_MAX_VALUE_CHARACTERS: Final = 1024


class Csrf(NamedTuple):
    """What the CSRF cookies of a request amount to.

    ``token`` goes into forms and to ``GET csrf``; ``new_value`` is the cookie value to set, ``None`` when the cookie
    of the request is good; ``is_verified`` says that the body carried the cookie's token.
    """

    token: str
    new_value: str | None
    is_verified: bool


def check_csrf(cookie_values: Sequence[str], body_token: object, secrets: Sequence[str]) -> Csrf:
    """Judge the values of all CSRF cookies that a request carried, in its order.

    A cookie counts when its hash was made with the joined secrets, as Auth.js does it, or with a part of the list: so
    a form that was open while a secret was added or dropped is not refused. A sibling site can put a second cookie
    beside ours (F033): when two cookies are good and differ, nothing is verified, because nobody can say which one is
    the browser's own.

    :param body_token: the body's ``csrfToken``, of whatever type; ``None`` when there is none.
    """
    good = list(dict.fromkeys(token for value in cookie_values if (token := _token_of(value, secrets)) is not None))
    if not good:
        token = randomness.token_hex(TOKEN_BYTES)
        return Csrf(token, f"{token}|{csrf_hash(token, ','.join(secrets))}", False)
    is_same = isinstance(body_token, str) and hmac.compare_digest(_bytes(good[0]), _bytes(body_token))
    return Csrf(good[0], None, is_same and len(good) == 1)


def csrf_hash(token: str, secret: str) -> str:
    """The second half of the cookie's value."""
    return hashlib.sha256(_bytes(token + secret)).hexdigest()


def _token_of(value: str, secrets: Sequence[str]) -> str | None:
    """The token of a cookie that this site made; parts behind a second ``|`` mean nothing."""
    token, bar, rest = value.partition("|")
    if not bar or len(value) > _MAX_VALUE_CHARACTERS:
        return None
    given = _bytes(rest.partition("|")[0])
    matches = [hmac.compare_digest(given, _bytes(csrf_hash(token, key))) for key in _keys(tuple(secrets))]
    return token if any(matches) else None


@lru_cache(maxsize=8)
def _keys(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """What a hash may have been made with: any run of the list, as it stood before or will stand after a rotation."""
    places = range(len(secrets))
    runs = [",".join(secrets[start : end + 1]) for start in places for end in places[start:]]
    return tuple(dict.fromkeys(runs))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
