"""base64url without padding (RFC 7515, section 2), read strictly.

Python's own decoder skips characters it does not know and ignores surplus bits in the last one, so that many
texts would stand for one token. Here each value has exactly one spelling.
"""

from __future__ import annotations

import base64
import binascii

from .unsealable import Unsealable

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_PADDING = {0: b"", 2: b"==", 3: b"="}

# The characters that may end a text of this length modulo 4: those whose surplus bits are zero.
_LAST = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


def decode(text: str) -> bytes:
    """The bytes that ``text`` stands for.

    :raises Unsealable: on padding, blanks, ``+``, ``/``, anything else outside the alphabet, an impossible
        length, or surplus bits that are not zero.
    """
    surplus = len(text) % 4
    if not text.isascii() or "+" in text or "/" in text or "=" in text or not _may_end(text, surplus):
        raise Unsealable("a segment is not base64url")
    standard = text.encode("ascii").translate(_TO_STANDARD) + _PADDING[surplus]
    try:
        return binascii.a2b_base64(standard, strict_mode=True)
    except binascii.Error:
        raise Unsealable("a segment is not base64url") from None


def _may_end(text: str, surplus: int) -> bool:
    return surplus == 0 or (surplus in _LAST and text[-1] in _LAST[surplus])


def encode(data: bytes) -> str:
    """``data`` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
