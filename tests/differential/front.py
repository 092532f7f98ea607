"""The stack that stands behind every server: a small table with every kind of row."""

from __future__ import annotations

import os
from wsgiref.types import WSGIApplication

from wsgiproxy_hs.routes import EMPTY_OR_OBJECT, NONE, RAW, CrossSite, Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

ROUTES = (
    Route("GET, POST", "items", "/v1/items/", body=EMPTY_OR_OBJECT),
    Route("GET, PUT, DELETE", "items/{item_id}", "/v1/items/{item_id}/", body=EMPTY_OR_OBJECT),
    Route("GET", "public", "/v1/public/", NONE),
    Route("POST", "raw", "/v1/raw/", NONE, RAW, cross_site=CrossSite.EXEMPT, request_headers=("Stripe-Signature",)),
    Route("POST", "raw/{name}", "/v1/raw/{name}/", body=RAW),
    Route("GET, POST", "rest/{path...}", "/v1/rest/{path...}", body=RAW),
)


def make_app() -> WSGIApplication:
    return create_app(Settings.from_environ(os.environ), routes=ROUTES)


def __getattr__(name: str) -> WSGIApplication:
    """``app``, for servers; built when it is asked for."""
    if name == "app":
        globals()["app"] = built = make_app()
        return built
    raise AttributeError(name)
