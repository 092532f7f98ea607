"""Who the client is, as far as the servers in front may be believed; and what the upstream is told about it.

Anybody can send ``X-Forwarded-For`` and ``Forwarded`` (RFC 7239), so both count only where a proxy that the operator
named wrote them. Such a proxy appends what it saw, so the list is read from its end: each entry was written by the one
to the right of it, and the first that is not a trusted proxy is the client. What stands to the left of that is the
client's own invention and is not even looked at (F091). Both headers are read by the same rule, and where they
contradict each other neither is believed: a proxy that keeps up one of them passes the other on as the client sent it
(F092).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from wsgiproxy_hs.trusted_proxies import MAX_HOPS
from wsgiproxy_hs.trusted_proxies import TrustedProxies as TrustedProxies

_PORT: Final = r"(?::[0-9]{1,5})?"
_LISTED: Final = re.compile(rf"\[([0-9A-Fa-f:.]+)\]{_PORT}|([0-9.]+){_PORT}|([0-9A-Fa-f:.]+)")
_NODE: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9A-Za-z._-]+)?|([0-9.]+)(?::[0-9A-Za-z._-]+)?")
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: Final = re.compile(rf'({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\\x00-\x1f\x7f])*)")')

NOBODY: Final = TrustedProxies()


def client_address(environ: Mapping[str, Any], trusted: TrustedProxies = NOBODY) -> str | None:
    """The client's IP address in canonical form; ``None`` where nobody who is trusted says who it is.

    Without trusted proxies it is the peer's. Reads ``REMOTE_ADDR``, and only where the peer is trusted
    ``HTTP_X_FORWARDED_FOR`` and ``HTTP_FORWARDED``. Whoever limits by address should let all that are ``None`` share
    one limit when there are trusted proxies: a client of theirs can contradict itself in order not to be known.
    """
    peer = peer_address(environ)
    if not trusted or not trusted.trusts_peer(peer):
        return peer
    found = set()
    is_listed = False
    for key, read in _HEADERS:
        if key in environ:
            is_listed = True
            entries = [entry.strip(" \t") for entry in environ[key].rsplit(",", MAX_HOPS)]
            if len(entries) >= trusted.hops:
                found.add(_walk(reversed(entries), read, trusted))
    if not is_listed:
        return peer  # the proxy's own request, such as a health check
    return found.pop() if len(found) == 1 else None


def peer_address(environ: Mapping[str, Any]) -> str | None:
    """Who connected to this server, without the zone of a link-local address; ``None`` through a Unix socket."""
    return canonical_address(environ.get("REMOTE_ADDR", "").partition("%")[0])


@lru_cache(maxsize=4096)
def canonical_address(text: str) -> str | None:
    """One spelling an address: no zeros to spare, IPv4 within IPv6 as IPv4; ``None`` for what is no address."""
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def forwarded_node(address: str | None) -> str:
    """``for=192.0.2.1``, ``for="[2001:db8::1]"``, ``for=unknown`` (RFC 7239, section 6)."""
    if address is None:
        return "for=unknown"
    return f'for="[{address}]"' if ":" in address else f"for={address}"


def _walk(entries: Iterator[str], read: Callable[[str], str | None], trusted: TrustedProxies) -> str | None:
    """The client of a list that is read from its end; what cannot be read ends the walk without one."""
    address: str | None = None
    for distance, entry in enumerate(entries, start=1):
        address = read(entry)
        if address is None or distance == trusted.hops:
            return address
        if not trusted.hops and not trusted.trusts(address):
            return address
    return address


def _listed(entry: str) -> str | None:
    """The address of an entry of ``X-Forwarded-For``; some proxies write the port as well."""
    found = _LISTED.fullmatch(entry)
    return canonical_address(found[1] or found[2] or found[3]) if found else None


def _element(entry: str) -> str | None:
    """The address of an element of ``Forwarded``; ``unknown``, ``_hidden`` and what is crooked have none.

    An element with a comma in a quoted string is split in two by the caller, and neither half is well-formed: so
    nothing can hide in a string, and no quotation mark of the client can swallow what a proxy appended.
    """
    nodes = []
    for pair in entry.split(";"):
        found = _PAIR.fullmatch(pair.strip(" \t"))
        if found is None:
            return None
        if found[1].lower() == "for":
            nodes.append(found[2] or found[3] or "")
    node = _NODE.fullmatch(nodes[0]) if len(nodes) == 1 else None
    return canonical_address(node[1] or node[2]) if node else None


_HEADERS: Final = (("HTTP_X_FORWARDED_FOR", _listed), ("HTTP_FORWARDED", _element))
