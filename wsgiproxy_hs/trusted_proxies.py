"""The proxies in front of this server whose word about the client counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

MAX_HOPS: Final = 10
"""More proxies in a row than anybody has, and the most entries of a header that are read."""
UNIX: Final = "unix"
"""The word in ``TRUSTED_PROXIES`` for a proxy that comes through a Unix socket, which has no address."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies in front of this server whose word counts. The default is nobody.

    :param networks: where they are.
    :param hops: instead: how many of them every request comes through.
    :param through_unix: whether a peer without an address is one of them.
    """

    networks: tuple[Network, ...] = ()
    hops: int = 0
    through_unix: bool = False

    def __bool__(self) -> bool:
        return bool(self.networks or self.hops or self.through_unix)

    @classmethod
    def parse(cls, text: str) -> TrustedProxies:
        """``"10.0.0.0/8, 2001:db8::1, unix"``, or a number of hops: ``"1"``; nothing or ``"0"`` is nobody.

        :raises ValueError: with a sentence that says what to write instead.
        """
        entries = [entry.strip() for entry in text.split(",") if entry.strip()]
        if len(entries) == 1 and entries[0].isdecimal():
            return cls(hops=_hops(entries[0]))
        networks = [_network(entry) for entry in entries if entry != UNIX]
        return cls(networks=tuple(networks), through_unix=UNIX in entries)

    def trusts(self, address: str) -> bool:
        """Whether an address, in the form that :func:`canonical_address` gives, is that of a trusted proxy."""
        return _is_within(address, self.networks)

    def trusts_peer(self, peer: str | None) -> bool:
        """Whether whoever connected to this server is a trusted proxy; every peer is, when hops are counted."""
        if self.hops:
            return True
        return self.through_unix if peer is None else self.trusts(peer)


@lru_cache(maxsize=4096)
def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in networks)


def _hops(text: str) -> int:
    hops = int(text) if text.isascii() and len(text) < 5 else MAX_HOPS + 1
    if hops > MAX_HOPS:
        raise ValueError("nobody has so many proxies in a row; write how many there are, or where")
    return hops


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(_network_fault(text)) from None
    if network.prefixlen == 0:
        raise ValueError("that would believe everybody; write the networks of your own proxies, or their number")
    return network


def _network_fault(text: str) -> str:
    """What is wrong; what is no network is not repeated, for it may be something else's secret."""
    try:
        return f"a network has no bits beyond its prefix; did you mean {ip_network(text, strict=False)}?"
    except ValueError:
        return "write networks and addresses, 10.0.0.0/8, 192.0.2.7, unix, or nothing but the number of proxies"
