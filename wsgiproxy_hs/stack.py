"""THE REQUEST PATH: every layer once, in request order.

::

    ErrorMiddleware      exceptions -> error document                                500
    LimitsMiddleware     length of the URL, size of the header fields                400 414 431
    RouteMiddleware      method, path -> route, path parameters                      400 404 405
    CrossSiteMiddleware  refuse what another site made                               403
    SessionMiddleware    cookie -> session -> access token, renewed when due         401 503
    ThrottleMiddleware   how often, and how many at once                             429
    BodyMiddleware       length, strict JSON, body check                             400 408 411 413 415
    Endpoints            Forwarder | auth handler | contact | translate              502 503 504, or the upstream's own

Errors first, so that every refusal has one shape. Limits before anything looks at what may be too large. Routing next,
because the row says whether a token is needed, what the body is and what another site may do, and because an unknown
path must never unseal a cookie. Cross-site before session, so that a forged request costs nothing. Session before
throttle, so that people are counted as themselves and another site cannot use up their share. Both before body, so that
a stranger cannot make us read a megabyte. Body last, so that what was checked is what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from requests.adapters import BaseAdapter

from wsgiproxy_hs.assembly import (
    configured,
    load_routes,
    make_body_limits,
    make_endpoints,
    make_meter,
    make_renewal,
    make_sessions,
    make_sign_in_throttle,
    make_throttles,
    make_transport,
)
from wsgiproxy_hs.exceptions import ConfigurationError, ProxyError
from wsgiproxy_hs.middleware import (
    BodyMiddleware,
    CrossSiteMiddleware,
    ErrorMiddleware,
    LimitsMiddleware,
    RouteMiddleware,
    SessionMiddleware,
    ThrottleMiddleware,
)
from wsgiproxy_hs.routes import Route, RouteTable
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.upstream import Transport

Layer = Callable[[WSGIApplication], WSGIApplication]


def create_app(
    settings: Settings,
    *,
    routes: Iterable[Route] | None = None,
    transport: BaseAdapter | None = None,
    sessions: Sessions | None = None,
    otherwise: WSGIApplication | None = None,
) -> WSGIApplication:
    """The whole stack as one WSGI app.

    :param routes: the table; the one that the settings name when not given.
    :param transport: a ``requests`` transport adapter for all upstream traffic; our own when not given.
    :param sessions: reads and writes sessions; made from the settings when not given.
    :param otherwise: a host app; paths outside the table go to it before any layer.
    :raises ConfigurationError: naming every fault.
    """
    routes = routes if routes is not None else load_routes(settings)
    if isinstance(routes, RouteTable) and routes.prefix != settings.prefix:
        raise ConfigurationError(f"The table's prefix is {routes.prefix!r}, WSGIPROXY_PREFIX is {settings.prefix!r}")
    table = RouteTable(configured(routes, settings), prefix=settings.prefix)
    outside = transport if transport is not None else Transport()
    transport = transport if transport is not None else make_transport(settings)
    sessions = sessions if sessions is not None else make_sessions(settings)
    renewal = make_renewal(settings, transport)
    meter, throttles = make_meter(settings), make_throttles(settings, table)
    layers: list[Layer] = [
        partial(ErrorMiddleware, further_origins=settings.allowed_origins),
        partial(LimitsMiddleware, **settings.head_limits),
        partial(RouteMiddleware, routes=table, preflights=True),
        partial(CrossSiteMiddleware, origins=[settings.public_origin], further_origins=settings.allowed_origins),
        partial(SessionMiddleware, sessions=sessions, renewal=renewal),
        partial(
            ThrottleMiddleware,
            throttles=throttles,
            meter=meter,
            trusted=settings.trusted_proxies,
            max_at_once=settings.max_requests_at_once,
        ),
        partial(BodyMiddleware, max_bytes=settings.max_body_bytes, **make_body_limits(settings)),
    ]
    build: dict[str, Any] = {"transport": transport, "outside": outside, "sessions": sessions, "renewal": renewal}
    build["throttle"] = make_sign_in_throttle(settings, meter)
    app = compose(layers, make_endpoints(settings, table, build))
    return app if otherwise is None else Otherwise(app, table=table, host=otherwise)


def compose(layers: Sequence[Layer], app: WSGIApplication) -> WSGIApplication:
    """Fold a list of layers, outermost first, around an app."""
    return reduce(lambda inner, layer: layer(inner), reversed(layers), app)


class Otherwise:
    """Sends what the table does not have to the host app, untouched: same environ, same body, same answer."""

    def __init__(self, app: WSGIApplication, /, *, table: RouteTable, host: WSGIApplication) -> None:
        self._app = app
        self._table = table
        self._host = host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self._app if self._has(environ.get("PATH_INFO", "")) else self._host
        return app(environ, start_response)

    def _has(self, path: str) -> bool:
        """Whether the path is in the table; a crooked one below the prefix is ours to refuse."""
        try:
            return self._table.find(path) is not None
        except ProxyError:
            return True
