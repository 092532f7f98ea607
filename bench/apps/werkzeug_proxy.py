"""Werkzeug's ``ProxyMiddleware``, which is meant for development."""

import os

from werkzeug.exceptions import NotFound
from werkzeug.middleware.http_proxy import ProxyMiddleware

app = ProxyMiddleware(NotFound(), {"/api/": {"target": os.environ["BACKEND_URL"]}})
