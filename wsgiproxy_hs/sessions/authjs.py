"""The session token of Auth.js (next-auth 5, ``@auth/core``): read and written byte for byte as the library
does.

A JWE (see :mod:`.jwe`) whose key is derived from the secret and the *full* cookie name, so that a token made
for ``authjs.session-token`` cannot be read under ``__Secure-authjs.session-token``. ``kid`` names the key,
which makes rotating secrets cheap: the first writes, all read (F025).

Stricter than the library, all on purpose: ``zip`` is refused (F028), base64url has one spelling, a byte order
mark before the claims is refused, and a token is at most 64 KiB.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import base64url, javascript_json, jwe
from .claims import check_times, parse_claims, stamped
from .unsealable import Unsealable


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str
    protected: str
    octets: bytes = field(repr=False)


def seal(
    claims: Mapping[str, object],
    *,
    secrets: Sequence[str],
    cookie_name: str,
    now: float,
    max_age: int,
    jti: str | None = None,
    iv: bytes | None = None,
) -> str:
    """``claims`` as a session token, made with the first of ``secrets``.

    ``iat``, ``exp`` and ``jti`` are always overwritten; members that are there keep their place, new ones are
    appended in that order.

    :param cookie_name: unchunked and with its prefix; it is part of the key.
    :param now: seconds since the epoch. :param max_age: seconds until ``exp``.
    :param jti: a random UUID when not given. :param iv: 16 random bytes when not given; give it in tests
        only.
    :raises ValueError: when the claims cannot be written as JSON, or there is no secret.
    """
    if not secrets:
        raise ValueError("there is no secret to seal with")
    key = _key(secrets[0], cookie_name, jwe.CBC_HS512)
    plaintext = javascript_json.dumps(stamped(claims, now=now, max_age=max_age, jti=jti)).encode("utf-8")
    return jwe.encrypt_cbc(plaintext, key.octets, os.urandom(16) if iv is None else iv, key.protected)


def unseal(
    token: str, *, secrets: Sequence[str], cookie_name: str, now: float, max_length: int = jwe.MAX_TOKEN_LENGTH
) -> dict[str, object]:
    """The claims of a session token.

    :param cookie_name: unchunked and with its prefix. :param max_length: see :func:`.jwe.parse`.
    :param now: seconds since the epoch; see :func:`.claims.check_times`.
    :raises Unsealable: whatever is wrong with it (F026 to F029).
    """
    envelope = jwe.parse(token, max_length)
    key = _matching_key(envelope.header, secrets, cookie_name)
    claims = parse_claims(jwe.decrypt(envelope, key.octets))
    check_times(claims, now)
    return claims


def _matching_key(header: jwe.Header, secrets: Sequence[str], cookie_name: str) -> _Key:
    for secret in secrets:
        key = _key(secret, cookie_name, header.enc)
        # Without kid the first secret alone is tried. kid is public: comparing it has no timing to hide.
        if header.kid is None or header.kid == key.kid:
            return key
    raise Unsealable("no secret matches")


@lru_cache(maxsize=256)
def _key(secret: str, cookie_name: str, enc: str) -> _Key:
    info = f"Auth.js Generated Encryption Key ({cookie_name})".encode()
    salt = cookie_name.encode()
    octets = HKDF(SHA256(), jwe.KEY_BYTES[enc], salt, info).derive(secret.encode())
    kid = _thumbprint(octets)
    protected = base64url.encode(f'{{"alg":"dir","enc":"{enc}","kid":"{kid}"}}'.encode())
    return _Key(kid, protected, octets)


def _thumbprint(octets: bytes) -> str:
    """RFC 7638, with the hash that has as many bits as the key."""
    jwk = f'{{"k":"{base64url.encode(octets)}","kty":"oct"}}'.encode()
    return base64url.encode(hashlib.new(f"sha{len(octets) * 8}", jwk).digest())
