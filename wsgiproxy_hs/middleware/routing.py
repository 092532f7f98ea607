"""The request line becomes a row of the table and its path parameters.

::

    Stack:   errors -> limits -> [routing] -> cross-site -> session -> throttle -> body -> endpoint
    Reads:   REQUEST_METHOD, PATH_INFO, QUERY_STRING, RAW_URI, REQUEST_URI, HTTP_HOST, HTTP_ORIGIN,
             HTTP_ACCESS_CONTROL_REQUEST_METHOD
    Writes:  wsgiproxy_hs.route, wsgiproxy_hs.path_params
    Raises:  PathRefused 400, RouteNotFound 404, MethodNotAllowed 405

``PATH_INFO`` alone decides. Where the server also gives the request target as it was sent, it is used only to refuse
what was decoded away: an encoded slash, NUL or backslash, a fragment, another host (F040 to F047). OPTIONS is answered
here, by ``Allow``. A CORS preflight may be left to a layer further in: it goes on with the row of the method that it
asks for, if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import PATH_PARAMS, ROUTE
from wsgiproxy_hs.exceptions import PathRefused, RouteNotFound
from wsgiproxy_hs.routes import Route, RouteTable

_REFUSED: Final = re.compile(r"%(?:2f|5c|[01][0-9a-f]|7f)|#|\\|%(?![0-9a-f]{2})", re.IGNORECASE)
_DOTS: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
"""Hosts that clean a path up before they hand it on would hide these from ``PATH_INFO`` (F041)."""
_MARKS: Final = ("%", "#", "\\", "/.", "//")
_NOT_A_QUERY: Final = re.compile(r"[\x00-\x20\x7f#]")
"""Travels byte for byte, and so must not end the request line or begin a fragment."""
_ABSOLUTE: Final = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)


class RouteMiddleware:
    """Finds the row.

    :param routes: rows, or a table made of them.
    :param prefix: what precedes every public path when ``routes`` is not a table yet.
    :param preflights: whether a layer further in answers CORS preflights.
    :raises ConfigurationError: when two rows could match the same request.
    """

    def __init__(
        self,
        app: WSGIApplication,
        /,
        *,
        routes: RouteTable | Iterable[Route],
        prefix: str = "/api",
        preflights: bool = False,
    ) -> None:
        self._app = app
        self._preflights = preflights
        self._table = routes if isinstance(routes, RouteTable) else RouteTable(routes, prefix=prefix)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if target is not None:
            check_target(target, environ.get("HTTP_HOST", ""))
        if _NOT_A_QUERY.search(environ.get("QUERY_STRING", "")):
            raise PathRefused("The query has a character that is not accepted")
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if method == "OPTIONS":
            return self._options(environ, path, start_response)
        environ[ROUTE], environ[PATH_PARAMS] = self._table.match(method, path)
        return self._app(environ, start_response)

    def _options(self, environ: WSGIEnvironment, path: str, start_response: StartResponse) -> Iterable[bytes]:
        found = self._table.find(path)
        if found is None:
            raise RouteNotFound
        asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") if self._preflights else None
        if asked in found.allow and asked != "OPTIONS" and "HTTP_ORIGIN" in environ:
            environ[ROUTE], environ[PATH_PARAMS] = self._table.match(asked, path)
            return self._app(environ, start_response)
        start_response("204 No Content", [("Allow", ", ".join(found.allow))])
        return []


def check_target(target: str, host: str) -> None:
    """Refuse a request target that ``PATH_INFO`` does not tell the whole truth about.

    :param target: as the client sent it: a path with query, or an absolute URL (RFC 9112, section 3.2.2).
    :raises PathRefused: 400.
    """
    if not target.startswith("/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None or absolute[1].lower() != host.lower():
            raise PathRefused("The request target names another host than the Host header")
        target = target[absolute.end() :]
    if not any(map(target.__contains__, _MARKS)):
        return  # nothing below could match, and so it is with almost every request
    path, _, query = target.partition("?")
    if path.startswith("//") or _REFUSED.search(path) or _DOTS.search(path) or "#" in query:
        raise PathRefused
