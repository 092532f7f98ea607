"""What another site made is refused before it costs anything; further origins that are named may cross.

::

    Stack:   errors -> limits -> routing -> [cross-site] -> session -> throttle -> body -> endpoint
    Reads:   wsgiproxy_hs.route, REQUEST_METHOD, HTTP_SEC_FETCH_SITE, HTTP_SEC_FETCH_MODE, HTTP_SEC_FETCH_DEST,
             HTTP_ORIGIN, HTTP_ACCESS_CONTROL_REQUEST_METHOD, HTTP_COOKIE, HTTP_X_REQUESTED_WITH, HTTP_X_CSRF
    Writes:  -
    Raises:  CrossSiteRefused 403, CrossSiteHeaderMissing 403

A form of another site can send JSON as ``text/plain`` without a preflight, and the browser adds our cookie to it. So
an unsafe request must show that it came from our own pages (RFC 10017, section 6.1; F146, F147): by ``Sec-Fetch-Site``,
by ``Origin``, or, from clients that send neither, by a header that only our own pages can add. Preflights that the
routing layer lets pass are answered here.

With further origins the layer wraps ``start_response``: only the answer itself can say who may read it (F158). Errors
say it where they are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ROUTE
from wsgiproxy_hs.exceptions import CrossSiteHeaderMissing, CrossSiteRefused, Header
from wsgiproxy_hs.routes import SAFE_METHODS, CrossSite, Route
from wsgiproxy_hs.routes.cors import grant, preflight_grant
from wsgiproxy_hs.routes.fetch_metadata import (
    Ask,
    Maker,
    is_navigation,
    judge_safe,
    judge_unsafe,
    maker_of,
    may_cross,
)


class CrossSiteMiddleware:
    """Judges where requests come from.

    :param origins: our own origins, such as ``https://app.example.com``.
    :param further_origins: other origins whose pages may send requests with our cookie and read the answers.
    """

    def __init__(
        self, app: WSGIApplication, /, *, origins: Collection[str], further_origins: Collection[str] = ()
    ) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._further = frozenset(further_origins) - self._origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        maker = self._maker(environ)
        method, route = environ["REQUEST_METHOD"], environ.get(ROUTE)
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") if method == "OPTIONS" else None
        if asked is not None and route is not None:
            return _preflight(maker, asked, environ, route, start_response)
        _check(_judged(maker, method, route, environ), environ)
        if not self._further:
            return self._app(environ, start_response)
        granted = grant(environ["HTTP_ORIGIN"] if maker is Maker.FRIEND else None)
        return self._crossing(environ, start_response, granted)

    def _maker(self, environ: WSGIEnvironment) -> Maker:
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        return maker_of(site, origin, own=self._origins, further=self._further)

    def _crossing(
        self, environ: WSGIEnvironment, start_response: StartResponse, granted: list[Header]
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[Header], *exc_info: Any) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *granted], *exc_info)

        return self._app(environ, start)


def _judged(maker: Maker, method: str, route: Route | None, environ: WSGIEnvironment) -> Ask:
    policy = route.cross_site if route is not None else CrossSite.CHECKED
    has_cookie = "HTTP_COOKIE" in environ
    if method not in SAFE_METHODS or policy is CrossSite.CHECKED_GET:
        return judge_unsafe(maker, policy, has_cookie=has_cookie)
    goes_there = is_navigation(method, environ.get("HTTP_SEC_FETCH_MODE"), environ.get("HTTP_SEC_FETCH_DEST"))
    return judge_safe(maker, route, has_cookie=has_cookie, is_navigation=goes_there)


def _check(ask: Ask, environ: WSGIEnvironment) -> None:
    if ask is Ask.REFUSE:
        raise CrossSiteRefused
    if ask is Ask.HEADER and not ("HTTP_X_REQUESTED_WITH" in environ or "HTTP_X_CSRF" in environ):
        raise CrossSiteHeaderMissing


def _preflight(
    maker: Maker, asked: str, environ: WSGIEnvironment, route: Route, start_response: StartResponse
) -> Iterable[bytes]:
    """:raises CrossSiteRefused: to everybody but the further origins."""
    if not may_cross(maker, asked, route):
        raise CrossSiteRefused
    start_response("204 No Content", preflight_grant(environ["HTTP_ORIGIN"], route))
    return []
