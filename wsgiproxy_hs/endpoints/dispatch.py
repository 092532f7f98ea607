"""The end of the list: calls the app that the row names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import ROUTE
from wsgiproxy_hs.routes import Route


class Endpoints:
    """A WSGI app that hands each request to its row's endpoint.

    :param forwarder: serves the rows that name an upstream path.
    :param apps: the apps of the rows that name an endpoint, by what they name.
    """

    def __init__(self, *, forwarder: WSGIApplication, apps: Mapping[Any, WSGIApplication]) -> None:
        self._forwarder = forwarder
        self._apps = dict(apps)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route = environ[ROUTE]
        app = self._forwarder if isinstance(route.to, str) else self._apps[route.to]
        return app(environ, start_response)
