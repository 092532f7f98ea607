"""Session cookies that are signed and not sealed: our own, and Flask's (both by ``itsdangerous``).

A signed cookie cannot be forged, but **everybody who holds it can read it**: the access and refresh tokens in
it are plain to the user, to whatever runs with the user's rights, and to every log that records cookies.
``HttpOnly`` keeps it from scripts, and that is all. Use the sealed form unless another program without a JWE
library must read the cookie.

Both are ``payload.timestamp.signature``, each part base64url; a leading dot marks a deflated payload. The
signature is checked before anything is inflated, and inflating is bounded (F028).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from itsdangerous import BadSignature, Signer

from . import base64url, javascript_json
from .claims import CLOCK_TOLERANCE_SECONDS, check_times, parse_claims, stamped
from .unsealable import Unsealable

#: Sets these signatures apart from all others that are made with the same secret.
SALT = "wsgiproxy_hs.session"
FLASK_SALT = "cookie-session"

#: Flask's own default, ``PERMANENT_SESSION_LIFETIME``.
FLASK_LIFETIME_SECONDS = 31 * 24 * 3600

MAX_TOKEN_LENGTH = 65_536
MAX_PAYLOAD_BYTES = 1_048_576


def seal_signed(
    claims: Mapping[str, object], *, secrets: Sequence[str], now: float, max_age: int, jti: str | None = None
) -> str:
    """``claims`` as a signed token, made with the first of ``secrets``; ``iat``, ``exp`` and ``jti`` are
    overwritten.

    ``itsdangerous.URLSafeTimedSerializer`` reads it, given this salt, SHA-256 and key derivation ``hmac``;
    without any secret, everybody reads it.

    :param now: seconds since the epoch. :param max_age: seconds until ``exp``.
    :raises ValueError: when the claims cannot be written as JSON, or there is no secret.
    """
    if not secrets:
        raise ValueError("there is no secret to sign with")
    text = javascript_json.dumps(stamped(claims, now=now, max_age=max_age, jti=jti)).encode("utf-8")
    deflated = zlib.compress(text)
    payload = "." + base64url.encode(deflated) if len(deflated) < len(text) - 1 else base64url.encode(text)
    signature_input = f"{payload}.{base64url.encode(_timestamp_bytes(int(now)))}"
    return _signer(secrets[0], SALT, "sha256").sign(signature_input).decode("ascii")


def unseal_signed(token: str, *, secrets: Sequence[str], now: float) -> dict[str, object]:
    """The claims of a token that :func:`seal_signed` made with one of ``secrets``.

    Its age is judged by the ``exp`` claim, not by the signature's timestamp.

    :param now: seconds since the epoch; see :func:`.claims.check_times`.
    :raises Unsealable: whatever is wrong with it.
    """
    payload, _ = _verified(token, secrets, SALT, "sha256")
    claims = parse_claims(payload)
    check_times(claims, now)
    return claims


def read_flask(
    value: str, *secrets: str, now: float, max_age_seconds: int = FLASK_LIFETIME_SECONDS
) -> dict[str, object]:
    """What Flask's own session cookie holds, with Flask's types as plain JSON values.

    Tuples become lists; bytes (as base64), markup, UUIDs and dates become text. ``iat`` and ``exp`` are set
    from the signature's timestamp, so that the session ends when Flask would end it.

    :param secrets: the Flask app's ``SECRET_KEY`` and its fallbacks. :param now: seconds since the epoch.
    :param max_age_seconds: the Flask app's ``PERMANENT_SESSION_LIFETIME``.
    :raises Unsealable: whatever is wrong with it.
    """
    payload, signed_at = _verified(value, secrets, FLASK_SALT, "sha1")
    if signed_at > now + CLOCK_TOLERANCE_SECONDS:
        raise Unsealable("the signature is from the future")
    claims = _untagged(parse_claims(payload))
    if not isinstance(claims, dict):
        raise Unsealable("the session is not an object")
    claims |= {"iat": signed_at, "exp": signed_at + max_age_seconds}
    check_times(claims, now)
    return claims


def _verified(token: str, secrets: Sequence[str], salt: str, digest: str) -> tuple[bytes, int]:
    """The inflated payload and the timestamp (seconds) of a token that one of ``secrets`` signed."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise Unsealable("the token is too long")
    text, timestamp, signature = _segments(token)
    base64url.decode(signature)  # itsdangerous would skip characters that it does not know
    if not any(_is_signed(token, secret, salt, digest) for secret in secrets):
        raise Unsealable("no secret matches")
    payload = base64url.decode(text.removeprefix("."))
    seconds = int.from_bytes(base64url.decode(timestamp), "big")
    return _inflated(payload) if text.startswith(".") else payload, seconds


def _segments(token: str) -> list[str]:
    segments = token.rsplit(".", 2)
    if len(segments) != 3 or not token.isascii():
        raise Unsealable("the token does not have three segments")
    return segments


def _is_signed(token: str, secret: str, salt: str, digest: str) -> bool:
    try:
        _signer(secret, salt, digest).unsign(token)
    except BadSignature:
        return False
    return True


# The key is derived from the secret once; the signers hold no other state.
@lru_cache(maxsize=64)
def _signer(secret: str, salt: str, digest: str) -> Signer:
    return Signer(secret, salt=salt, key_derivation="hmac", digest_method=getattr(hashlib, digest))


def _inflated(payload: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(payload, MAX_PAYLOAD_BYTES)
    except zlib.error:
        raise Unsealable("the payload cannot be inflated") from None
    if not inflater.eof:
        raise Unsealable("the payload is cut or inflates to too much")
    return inflated


def _timestamp_bytes(seconds: int) -> bytes:
    return seconds.to_bytes((seconds.bit_length() + 7) // 8, "big")


def _untagged(value: object) -> object:
    """Flask's ``TaggedJSONSerializer`` undone: ``{" u": "<hex>"}`` is a UUID, and so on."""
    if isinstance(value, list):
        return [_untagged(member) for member in value]
    if not isinstance(value, dict):
        return value
    members = {name: _untagged(member) for name, member in value.items()}
    if len(members) == 1:
        [(name, member)] = members.items()
        return _without_tag(name, member, members)
    return members


def _without_tag(name: str, member: object, members: dict[str, object]) -> object:
    if name == " di" and isinstance(member, dict):  # an object whose only member looks like a tag
        return {inner.removesuffix("__"): value for inner, value in member.items()}
    if name == " u" and isinstance(member, str):
        return _uuid_text(member)
    return member if name in (" t", " b", " m", " d") else members


def _uuid_text(digits: str) -> str:
    try:
        return str(UUID(digits))
    except ValueError:
        return digits
