"""Sessions as values: cookies, session tokens, access tokens. Nothing here knows WSGI.

:class:`Sessions` is the whole in one object; the functions are its parts, each usable alone.
"""

from wsgiproxy_hs.secret_strength import secret_faults

from .access_tokens import AccessToken, expiry, is_sendable, verified_claims
from .authjs import seal, unseal
from .chunks import (
    CHUNK_SIZE_V4,
    CHUNK_SIZE_V5,
    candidates,
    clear_session_cookies,
    split_chunks,
    write_session_cookies,
)
from .cookies import cookies_as_sent, parse_cookies, set_cookie
from .nextauth import unseal_v4
from .session import Session
from .sessions import Sessions
from .signed import read_flask, seal_signed, unseal_signed
from .unsealable import Unsealable

__all__ = [
    "CHUNK_SIZE_V4",
    "CHUNK_SIZE_V5",
    "AccessToken",
    "Session",
    "Sessions",
    "Unsealable",
    "candidates",
    "clear_session_cookies",
    "cookies_as_sent",
    "expiry",
    "is_sendable",
    "parse_cookies",
    "read_flask",
    "seal",
    "seal_signed",
    "secret_faults",
    "set_cookie",
    "split_chunks",
    "unseal",
    "unseal_signed",
    "unseal_v4",
    "verified_claims",
    "write_session_cookies",
]
