"""What may happen how often, by whom it is counted, and what is said to those who passed it."""

from __future__ import annotations

import enum
from typing import NamedTuple, Protocol

from wsgiproxy_hs.exceptions import Throttled
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.throttling.keys import account_key, address_key


class By(enum.Enum):
    """By whom requests are counted."""

    ADDRESS = "by address"
    USER = "by user"


class Throttle(NamedTuple):
    """A rule: so often, by so many."""

    rate: Rate
    by: By


class Meter(Protocol):
    """Where it is counted. A wait is in seconds; ``None`` means that there is none."""

    def hit(self, name: str, key: str, rate: Rate) -> int | None:
        """Count one; how long to wait when that is one too many, which then does not count."""
        ...

    def clear(self, name: str, key: str, rate: Rate) -> None:
        """Forget what was counted."""
        ...


def throttled(name: str, rate: Rate, wait_seconds: int) -> Throttled:
    """The refusal, with ``Retry-After`` and what the rule is (draft-ietf-httpapi-ratelimit-headers)."""
    return Throttled(
        headers=[
            ("Retry-After", str(wait_seconds)),
            ("RateLimit-Policy", f'"{name}";q={rate.amount};w={rate.seconds}'),
            ("RateLimit", f'"{name}";r=0;t={wait_seconds}'),
        ]
    )


class SignInThrottle:
    """How often somebody may try to sign in: from one address, and to one account (ASVS 6.3.1).

    An account is counted whether it exists or not, so nothing is told about that; a sign-in that succeeds clears what
    was counted for the account, and so its owner starts anew.

    :param by_address: of all attempts from one address; ``None`` for no such rule.
    :param by_account: of attempts that follow one another without success.
    """

    def __init__(self, meter: Meter, *, by_address: Rate | None, by_account: Rate | None) -> None:
        self._meter = meter
        self._by_address = by_address
        self._by_account = by_account

    def wait_seconds(self, address: str | None, account: object) -> int | None:
        """Count an attempt; how long to wait when it is one too many."""
        wait = None
        if self._by_address is not None and address is not None:
            wait = self._meter.hit("sign-in-address", address_key(address), self._by_address)
        if wait is None and self._by_account is not None and isinstance(account, str):
            wait = self._meter.hit("sign-in-account", account_key(account), self._by_account)
        return wait

    def succeeded(self, account: object) -> None:
        """The right password: the attempts before it are forgotten."""
        if self._by_account is not None and isinstance(account, str):
            self._meter.clear("sign-in-account", account_key(account), self._by_account)
