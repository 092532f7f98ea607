"""What another site made is refused before it costs anything.

::

    Stack:   errors -> routing -> [cross-site] -> session -> body -> endpoint
    Reads:   wsgiproxy_hs.route, REQUEST_METHOD, HTTP_SEC_FETCH_SITE, HTTP_ORIGIN, HTTP_COOKIE,
             HTTP_X_REQUESTED_WITH, HTTP_X_CSRF
    Writes:  -
    Raises:  CrossSiteRefused 403, CrossSiteHeaderMissing 403

A form of another site can send JSON as ``text/plain`` without a preflight, and the browser adds our cookie to it. So
an unsafe request must show that it came from our own pages (RFC 10017, section 6.1; F146, F147): by ``Sec-Fetch-Site``,
by ``Origin``, or, from clients that send neither, by a header that only our own pages can add.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ROUTE
from wsgiproxy_hs.exceptions import CrossSiteHeaderMissing, CrossSiteRefused
from wsgiproxy_hs.routes import SAFE_METHODS, CrossSite, Route


class CrossSiteMiddleware:
    """Judges unsafe requests.

    :param origins: our own origins, such as ``https://app.example.com``.
    """

    def __init__(self, app: WSGIApplication, /, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            route: Route | None = environ.get(ROUTE)
            self._judge(environ, route.cross_site if route is not None else CrossSite.CHECKED)
        return self._app(environ, start_response)

    def _judge(self, environ: WSGIEnvironment, policy: CrossSite) -> None:
        if policy is CrossSite.EXEMPT or self._is_ours(environ) or policy is CrossSite.OWN_TOKEN:
            return
        if "HTTP_COOKIE" in environ and not _has_header(environ):
            raise CrossSiteHeaderMissing

    def _is_ours(self, environ: WSGIEnvironment) -> bool:
        """Whether the browser says that our own page made this.

        :raises CrossSiteRefused: when it says otherwise.
        """
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        if site == "cross-site" or (origin is not None and origin not in self._origins):
            raise CrossSiteRefused
        return origin is not None or site in ("same-origin", "none")


def _has_header(environ: WSGIEnvironment) -> bool:
    """Whether a header is there that no form can send, and no foreign script without our leave."""
    return "HTTP_X_REQUESTED_WITH" in environ or "HTTP_X_CSRF" in environ
