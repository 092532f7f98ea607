"""The session token of NextAuth 4, for reading only: a session moves to the Auth.js form at its next write
(F030).

A JWE (see :mod:`.jwe`), ``A256GCM``, without ``kid``; the key depends on the secret alone, whatever the
cookie is called. Unlike the library, which knows one secret, this reader tries several (F025).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import jwe
from .claims import check_times, parse_claims
from .unsealable import Unsealable

_INFO = "NextAuth.js Generated Encryption Key"


def unseal_v4(token: str, *, secrets: Sequence[str], now: float, salt: str = "") -> dict[str, object]:
    """The claims of a NextAuth 4 token.

    :param now: seconds since the epoch; see :func:`.claims.check_times`.
    :param salt: empty for the session; the cookie name for the short-lived cookies of an OAuth sign-in.
    :raises Unsealable: whatever is wrong with it.
    """
    envelope = jwe.parse(token)
    if envelope.header.enc != jwe.GCM:
        raise Unsealable("enc is not the one of NextAuth 4")
    claims = parse_claims(_decrypt(envelope, secrets, salt))
    check_times(claims, now)
    return claims


def _decrypt(envelope: jwe.Envelope, secrets: Sequence[str], salt: str) -> bytes:
    for secret in secrets:
        try:
            return jwe.decrypt(envelope, _key(secret, salt))
        except Unsealable:
            continue
    raise Unsealable("no secret matches")


@lru_cache(maxsize=256)
def _key(secret: str, salt: str) -> bytes:
    info = f"{_INFO} ({salt})" if salt else _INFO
    return HKDF(SHA256(), jwe.KEY_BYTES[jwe.GCM], salt.encode(), info.encode()).derive(secret.encode())
