"""Who asks: under which key somebody is counted. No key shows an address, an account or a user."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""The one address of all whom the trusted proxies do not name: nobody escapes by contradicting oneself."""
_IDENTITIES: Final = ("sub", "id", "user_id", "email")
_TIMES: Final = frozenset({"iat", "exp", "nbf", "jti"})


def address_key(address: str) -> str:
    """An IPv6 client owns the 2**64 addresses of its network, and is counted as that network."""
    if address != UNKNOWN and isinstance(ip_address(address), IPv6Address):
        address = str(ip_network((address, 64), strict=False))
    return _hidden("address", address)


def account_key(account: str) -> str:
    """One account, however it is typed."""
    return _hidden("account", unicodedata.normalize("NFKC", account).strip().casefold())


def user_key(claims: Mapping[str, object]) -> str:
    """The person of a session; a session that names nobody is known by its claims without their times."""
    for name in _IDENTITIES:
        identity = claims.get(name)
        if isinstance(identity, (str, int)) and identity != "":
            return _hidden(name, str(identity))
    return _hidden("claims", repr(sorted((name, repr(claims[name])) for name in claims.keys() - _TIMES)))


def _hidden(kind: str, value: str) -> str:
    return sha256(f"{kind}:{value}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
