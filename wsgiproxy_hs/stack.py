"""THE REQUEST PATH: every layer once, in request order.

::

    ErrorMiddleware      exceptions -> error document                                500
    RouteMiddleware      method, path -> route, path parameters                      400 404 405
    CrossSiteMiddleware  refuse what another site made                               403
    SessionMiddleware    cookie -> session -> access token                           401
    BodyMiddleware       length, strict JSON, body check                             400 411 413 415
    Endpoints            Forwarder | auth handler | contact | translate              502 503 504, or the upstream's own

Errors first, so that every refusal has one shape. Routing next, because the row says whether a token is needed, what
the body is and what another site may do, and because an unknown path must never unseal a cookie. Cross-site before
session, so that a forged request costs nothing. Session before body, so that a stranger cannot make us read a megabyte.
Body last, so that what was checked is what is sent.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from requests.adapters import BaseAdapter

from wsgiproxy_hs.endpoints.dispatch import Endpoints
from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.exceptions import ConfigurationError, ProxyError
from wsgiproxy_hs.middleware import (
    BodyMiddleware,
    CrossSiteMiddleware,
    ErrorMiddleware,
    RouteMiddleware,
    SessionMiddleware,
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
    table = RouteTable(_configured(routes, settings), prefix=settings.prefix)
    outside = transport if transport is not None else Transport()
    transport = transport if transport is not None else make_transport(settings)
    sessions = sessions if sessions is not None else make_sessions(settings)
    layers: list[Layer] = [
        partial(ErrorMiddleware),
        partial(RouteMiddleware, routes=table),
        partial(CrossSiteMiddleware, origins=[settings.public_origin]),
        partial(SessionMiddleware, sessions=sessions),
        partial(BodyMiddleware, max_bytes=settings.max_body_bytes),
    ]
    build = {"transport": transport, "outside": outside, "sessions": sessions}
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


def load_routes(settings: Settings) -> Iterable[Route]:
    """The table that ``WSGIPROXY_ROUTES`` names; the documented one by default."""
    module, _, name = settings.routes.partition(":")
    try:
        routes = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"WSGIPROXY_ROUTES (routes) is wrong: {settings.routes}: {error}") from error
    if not isinstance(routes, (tuple, list, RouteTable)) or not all(isinstance(route, Route) for route in routes):
        raise ConfigurationError(f"WSGIPROXY_ROUTES (routes) is wrong: {settings.routes} is not a sequence of Route")
    return routes


def make_transport(settings: Settings) -> Transport:
    """Our own transport with the settings' limits and certificates."""
    return Transport(
        max_connections=settings.max_connections,
        ca_bundle=settings.ca_bundle,
        client_certificate=settings.client_certificate,
    )


def make_sessions(settings: Settings) -> Sessions:
    """The sessions that the settings describe."""
    return Sessions(
        secrets=settings.secret_texts,
        secure=settings.secure,
        cookie_name=settings.session_cookie_name,
        formats=settings.session_formats,
        write_format=settings.session_format,
        max_age_seconds=settings.session_max_age_seconds,
        access_token_claim=settings.access_token_claim,
        refresh_token_claim=settings.refresh_token_claim,
    )


def make_endpoints(settings: Settings, routes: Iterable[Route], build: Mapping[str, Any]) -> Endpoints:
    """The app behind the layers: a forwarder, and one app for each endpoint that a row names.

    :param build: what ``from_settings`` takes: ``transport`` to the upstream; ``outside``, the transport to other
        services, which knows nothing of the upstream's certificates; ``sessions``.
    """
    named = {route.to for route in routes if not isinstance(route.to, str)}
    apps: Mapping[object, WSGIApplication] = {
        to: to.from_settings(settings, **build) if hasattr(to, "from_settings") else to for to in named
    }
    return Endpoints(forwarder=Forwarder.from_settings(settings, **build), apps=apps)


def _configured(routes: Iterable[Route], settings: Settings) -> Iterable[Route]:
    """Rows whose upstream path is a setting get it."""
    for route in routes:
        path = getattr(settings, route.path_setting) if route.path_setting else None
        yield replace(route, to=path) if path else route
