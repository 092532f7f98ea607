"""Sessions as values: cookies, session tokens, access tokens. Nothing here knows WSGI.

:class:`Sessions` is the whole in one object; the functions are its parts, each usable alone.
"""

from wsgiproxy_hs.secret_strength import secret_faults

from .access_tokens import AccessToken, Renewing, expiry, is_sendable, session_end, verified_claims
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
from .redemption import Redeem
from .renewal import Renewal
from .session import Session
from .sessions import Sessions
from .signed import read_flask, seal_signed, unseal_signed
from .token_answers import Redeemed, Refused, Unavailable, judged
from .token_pair import TokenPair
from .unsealable import Unsealable
from .write_back import SessionTokens, cookies_after, current_claims, newest_claims

__all__ = [
    "CHUNK_SIZE_V4",
    "CHUNK_SIZE_V5",
    "AccessToken",
    "Redeem",
    "Redeemed",
    "Refused",
    "Renewal",
    "Renewing",
    "Session",
    "SessionTokens",
    "Sessions",
    "TokenPair",
    "Unavailable",
    "Unsealable",
    "candidates",
    "clear_session_cookies",
    "cookies_after",
    "cookies_as_sent",
    "current_claims",
    "expiry",
    "is_sendable",
    "judged",
    "newest_claims",
    "parse_cookies",
    "read_flask",
    "seal",
    "seal_signed",
    "secret_faults",
    "session_end",
    "set_cookie",
    "split_chunks",
    "unseal",
    "unseal_signed",
    "unseal_v4",
    "verified_claims",
    "write_session_cookies",
]
