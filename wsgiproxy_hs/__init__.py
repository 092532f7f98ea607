"""A backend-for-frontend proxy as a stack of small WSGI middleware around one table of routes.

``app`` is the whole stack with the settings of the process environment, built when it is first asked for:
``gunicorn wsgiproxy_hs:app``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wsgiproxy_hs import redaction
from wsgiproxy_hs.exceptions import ConfigurationError as ConfigurationError
from wsgiproxy_hs.exceptions import ProxyError as ProxyError
from wsgiproxy_hs.middleware import BodyMiddleware as BodyMiddleware
from wsgiproxy_hs.middleware import CrossSiteMiddleware as CrossSiteMiddleware
from wsgiproxy_hs.middleware import ErrorMiddleware as ErrorMiddleware
from wsgiproxy_hs.middleware import LimitsMiddleware as LimitsMiddleware
from wsgiproxy_hs.middleware import RouteMiddleware as RouteMiddleware
from wsgiproxy_hs.middleware import SessionMiddleware as SessionMiddleware
from wsgiproxy_hs.middleware import ThrottleMiddleware as ThrottleMiddleware
from wsgiproxy_hs.routes import EMPTY_OR_OBJECT as EMPTY_OR_OBJECT
from wsgiproxy_hs.routes import NONE as NONE
from wsgiproxy_hs.routes import OPTIONAL as OPTIONAL
from wsgiproxy_hs.routes import RAW as RAW
from wsgiproxy_hs.routes import REQUIRED as REQUIRED
from wsgiproxy_hs.routes import CrossSite as CrossSite
from wsgiproxy_hs.routes import Route as Route
from wsgiproxy_hs.routes import RouteTable as RouteTable
from wsgiproxy_hs.sessions import Sessions as Sessions
from wsgiproxy_hs.settings import Settings as Settings
from wsgiproxy_hs.stack import compose as compose
from wsgiproxy_hs.stack import create_app as create_app
from wsgiproxy_hs.upstream import Transport as Transport

redaction.install()

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    app: WSGIApplication


@cache
def _app() -> WSGIApplication:
    import os

    return create_app(Settings.from_environ(os.environ))


def __getattr__(name: str) -> Any:
    if name == "app":
        return _app()
    if name == "ROUTES":
        from wsgiproxy_hs.table import ROUTES

        return ROUTES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
