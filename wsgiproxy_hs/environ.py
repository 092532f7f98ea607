"""The environ keys through which the layers meet. One writer a key.

===============================  ========================================  ======================
key                              value                                     written by
===============================  ========================================  ======================
``wsgiproxy_hs.request_id``      ``str``, 8 to 128 of ``A-Za-z0-9._-``     ``ErrorMiddleware``
``wsgiproxy_hs.route``           ``wsgiproxy_hs.routes.Route``             ``RouteMiddleware``
``wsgiproxy_hs.path_params``     ``dict[str, str]``, decoded, checked      ``RouteMiddleware``
``wsgiproxy_hs.session``         ``dict[str, object]``: claims, no tokens  ``SessionMiddleware``
``wsgiproxy_hs.access_token``    ``wsgiproxy_hs.sessions.AccessToken``     ``SessionMiddleware``
``wsgiproxy_hs.client_address``  ``str``, where it is surely the client's  ``ThrottleMiddleware``
``wsgiproxy_hs.json_body``       the parsed JSON document                  ``BodyMiddleware``
===============================  ========================================  ======================

A key that does not apply to a request is absent: no session, no ``session`` key.
"""

from __future__ import annotations

from typing import Final

REQUEST_ID: Final = "wsgiproxy_hs.request_id"
ROUTE: Final = "wsgiproxy_hs.route"
PATH_PARAMS: Final = "wsgiproxy_hs.path_params"
SESSION: Final = "wsgiproxy_hs.session"
ACCESS_TOKEN: Final = "wsgiproxy_hs.access_token"
CLIENT_ADDRESS: Final = "wsgiproxy_hs.client_address"
JSON_BODY: Final = "wsgiproxy_hs.json_body"

KEYS: Final = (REQUEST_ID, ROUTE, PATH_PARAMS, SESSION, ACCESS_TOKEN, CLIENT_ADDRESS, JSON_BODY)
