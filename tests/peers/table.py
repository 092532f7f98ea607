"""The table of a proxy that lets httpbin through as it is: ``WSGIPROXY_ROUTES=tests.peers.table:ROUTES``."""

from __future__ import annotations

from wsgiproxy_hs import NONE, RAW, Route
from wsgiproxy_hs.routes.route import ANY

ROUTES = [
    Route("GET", "bin", "/", NONE, reshape_errors=False, redirects=True),
    Route(ANY, "bin/{path...}", "/{path...}", NONE, RAW, delete_body=True, reshape_errors=False, redirects=True),
]
