"""Nobody asks more often than the row allows, nor for more at once than one person needs.

::

    Stack:   errors -> limits -> routing -> cross-site -> session -> [throttle] -> body -> endpoint
    Reads:   wsgiproxy_hs.route, wsgiproxy_hs.session, REMOTE_ADDR, HTTP_X_FORWARDED_FOR, HTTP_FORWARDED
    Writes:  wsgiproxy_hs.client_address
    Raises:  Throttled 429, TooManyAtOnce 429

The row names the rule. By address somebody is counted only where the address is surely the client's; it is written
down for endpoints that count by themselves, as sign-in does, which knows the account only from the body. A request
with a session is under way until its answer is closed: so here, and nowhere else, the iterable is wrapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import CLIENT_ADDRESS, ROUTE, SESSION
from wsgiproxy_hs.exceptions import TooManyAtOnce
from wsgiproxy_hs.routes import Route
from wsgiproxy_hs.throttling import By, Held, Meter, Slots, Throttle, throttled
from wsgiproxy_hs.throttling.keys import UNKNOWN, address_key, user_key
from wsgiproxy_hs.upstream.forwarded import NOBODY, TrustedProxies, client_address


class ThrottleMiddleware:
    """Counts.

    :param throttles: the rule of every name that rows have; ``None`` where it is off or the endpoint's own affair.
    :param meter: where it is counted; without one nothing is.
    :param trusted: the proxies in front that may say who the client is.
    :param max_at_once: most requests of one person under way, in this process.
    """

    def __init__(
        self,
        app: WSGIApplication,
        /,
        *,
        throttles: Mapping[str, Throttle | None],
        meter: Meter | None,
        trusted: TrustedProxies = NOBODY,
        max_at_once: int = 32,
    ) -> None:
        self._app = app
        self._throttles = dict(throttles)
        self._meter = meter
        self._trusted = trusted
        self._slots = Slots(max_at_once)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route | None = environ.get(ROUTE)
        if route is not None and route.throttle is not None and self._meter is not None:
            self._count(environ, route.throttle, self._meter)
        claims = environ.get(SESSION)
        if claims is None:
            return self._app(environ, start_response)
        return self._holding(user_key(claims), environ, start_response)

    def _count(self, environ: WSGIEnvironment, name: str, meter: Meter) -> None:
        address = known_address(environ, self._trusted)
        if address is not None:
            environ[CLIENT_ADDRESS] = address
        throttle = self._throttles[name]
        key = None if throttle is None else _key(throttle.by, address, environ.get(SESSION))
        if throttle is None or key is None:
            return
        wait_seconds = meter.hit(name, key, throttle.rate)
        if wait_seconds is not None:
            raise throttled(name, throttle.rate, wait_seconds)

    def _holding(self, key: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._slots.take(key):
            raise TooManyAtOnce(headers=[("Retry-After", "1")])
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            self._slots.give_back(key)
            raise
        return Held(answer, self._slots, key)


def known_address(environ: Mapping[str, Any], trusted: TrustedProxies) -> str | None:
    """The client's address where it is surely the client's, else ``None``.

    Without trusted proxies a peer that is private may be a proxy that nobody named: all clients would share its limit.
    With them, whom they do not name shares one: nobody escapes by contradicting oneself.
    """
    address = client_address(environ, trusted)
    if trusted:
        return address or UNKNOWN
    return address if address is not None and ip_address(address).is_global else None


def _key(by: By, address: str | None, claims: Mapping[str, object] | None) -> str | None:
    """Under which key a request is counted; ``None`` where nobody knows who asks."""
    if by is By.USER:
        return user_key(claims) if claims is not None else None
    return address_key(address) if address is not None else None
