"""JSON Web Encryption as Auth.js and NextAuth write it: compact, direct key (RFC 7516, section 7.1; RFC 7518,
4.5).

Written on the primitives of ``cryptography`` and judged by ``joserfc``, which opens and makes the same tokens
in the tests. ``joserfc`` is not used at run time for three reasons. It cannot be given an initialisation
vector, so nothing that it writes can be compared byte for byte. It decodes base64url leniently and inflates
``zip``, so header and segments would all have to be checked before it and parsed a second time by it. And it
costs more: a typical session takes 18 us of CPU here, claims and clock included, and 28 us there without
them; a forged one that carries the right ``kid`` takes 9 us here and 23 us there.

Nothing is decrypted before it is authenticated, and nothing is decoded before the header was found to be one
of ours.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from . import base64url
from .unsealable import Unsealable

#: Characters; no browser and no server carries a longer session token.
MAX_TOKEN_LENGTH = 65_536
MAX_HEADER_LENGTH = 1_024

CBC_HS512 = "A256CBC-HS512"
GCM = "A256GCM"

#: Key, initialisation vector and authentication tag, in bytes (RFC 7518, sections 5.2.5 and 5.3).
KEY_BYTES = {CBC_HS512: 64, GCM: 32}
_IV_BYTES = {CBC_HS512: 16, GCM: 12}
_TAG_BYTES = {CBC_HS512: 32, GCM: 16}


class Header(NamedTuple):
    """What counts of a protected header: the content encryption, and the key's name if there is one."""

    enc: str
    kid: str | None


class Envelope(NamedTuple):
    """The segments of a token whose header was accepted; everything but the header is still undecoded."""

    header: Header
    protected: str
    iv: str
    ciphertext: str
    tag: str


def parse(token: str, max_length: int = MAX_TOKEN_LENGTH) -> Envelope:
    """Take ``token`` apart and judge its header, at the price of a split (F028, F029).

    :param max_length: more than the default only for what did not come from a browser.
    :raises Unsealable: unless it has five segments of which the second is empty, is at most
        ``max_length`` long, and its header says ``alg: dir``, one of the two ``enc``, and neither
        ``crit`` nor ``zip``.
    """
    if len(token) > max_length:
        raise Unsealable("the token is too long")
    segments = token.split(".", 5)
    if len(segments) != 5:
        raise Unsealable("the token does not have five segments")
    protected, encrypted_key, iv, ciphertext, tag = segments
    if encrypted_key:
        raise Unsealable("the token carries an encrypted key")
    return Envelope(_header(protected), protected, iv, ciphertext, tag)


# All tokens that one key made share one header, so it is parsed once.
@lru_cache(maxsize=64)
def _header(protected: str) -> Header:
    if len(protected) > MAX_HEADER_LENGTH:
        raise Unsealable("the header is too long")
    header: object = None
    with contextlib.suppress(ValueError, RecursionError):
        header = json.loads(base64url.decode(protected).decode("utf-8"))
    if not isinstance(header, dict):
        raise Unsealable("the header is not a JSON object")
    if header.get("alg") != "dir":
        raise Unsealable("alg is not dir")
    if header.get("enc") not in (CBC_HS512, GCM):
        raise Unsealable("enc is not one of ours")
    if "crit" in header or "zip" in header:
        raise Unsealable("the header asks for an extension or for compression")
    kid = header.get("kid")
    if "kid" in header and not isinstance(kid, str):
        raise Unsealable("kid is not text")
    return Header(header["enc"], kid)


def decrypt(envelope: Envelope, key: bytes) -> bytes:
    """The plaintext of ``envelope``, authenticated first.

    :param key: as many bytes as ``KEY_BYTES`` says for the envelope's ``enc``.
    :raises Unsealable: when a segment is malformed or the tag does not match.
    """
    iv, tag = base64url.decode(envelope.iv), base64url.decode(envelope.tag)
    enc = envelope.header.enc
    if len(iv) != _IV_BYTES[enc] or len(tag) != _TAG_BYTES[enc]:
        raise Unsealable("the initialisation vector or the tag has the wrong length")
    open_ = _decrypt_cbc if enc == CBC_HS512 else _decrypt_gcm
    return open_(base64url.decode(envelope.ciphertext), key, iv, tag, envelope.protected.encode("ascii"))


def _decrypt_cbc(ciphertext: bytes, key: bytes, iv: bytes, tag: bytes, aad: bytes) -> bytes:
    if not hmac.compare_digest(_tag(ciphertext, key, iv, aad), tag):
        raise Unsealable("the tag does not match")
    cipher = Cipher(AES(key[32:]), CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = cipher.update(ciphertext) + cipher.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:  # authentic, yet not made as it should be
        raise Unsealable("the plaintext is not padded") from None


def _tag(ciphertext: bytes, key: bytes, iv: bytes, aad: bytes) -> bytes:
    """RFC 7518, section 5.2.2.1."""
    length = (len(aad) * 8).to_bytes(8, "big")
    return hmac.digest(key[:32], aad + iv + ciphertext + length, "sha512")[:32]


def _decrypt_gcm(ciphertext: bytes, key: bytes, iv: bytes, tag: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, aad)
    except InvalidTag:
        raise Unsealable("the tag does not match") from None


def encrypt_cbc(plaintext: bytes, key: bytes, iv: bytes, protected: str) -> str:
    """The compact A256CBC-HS512 token for ``plaintext``.

    :param key: 64 bytes, MAC key first. :param iv: 16 bytes, never used twice.
    :param protected: the encoded header.
    """
    if len(iv) != _IV_BYTES[CBC_HS512]:
        raise ValueError("the initialisation vector must have 16 bytes")
    padder = PKCS7(128).padder()
    cipher = Cipher(AES(key[32:]), CBC(iv)).encryptor()
    ciphertext = cipher.update(padder.update(plaintext) + padder.finalize()) + cipher.finalize()
    tag = _tag(ciphertext, key, iv, protected.encode("ascii"))
    return ".".join((protected, "", base64url.encode(iv), base64url.encode(ciphertext), base64url.encode(tag)))
