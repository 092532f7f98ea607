"""A request whose head is larger than anything that we serve needs is refused before it is looked at.

::

    Stack:   errors -> [limits] -> routing -> cross-site -> session -> throttle -> body -> endpoint
    Reads:   RAW_URI, REQUEST_URI, PATH_INFO, QUERY_STRING, HTTP_COOKIE
    Writes:  -
    Raises:  UrlTooLong 414, HeadersTooLarge 431

Servers have limits of their own, each another one; these hold behind all of them. Every ``HTTP_`` key counts: what is
measured is what the server made of the header fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.exceptions import HeadersTooLarge, UrlTooLong


class LimitsMiddleware:
    """Measures the head of the request.

    :param max_url_bytes: longest path and query together.
    :param max_header_bytes: most bytes of all header fields, names and values.
    :param max_cookie_bytes: longest ``Cookie`` header.
    """

    def __init__(
        self,
        app: WSGIApplication,
        /,
        *,
        max_url_bytes: int = 8_192,
        max_header_bytes: int = 65_536,
        max_cookie_bytes: int = 32_768,
    ) -> None:
        self._app = app
        self._max_url_bytes = max_url_bytes
        self._max_header_bytes = max_header_bytes
        self._max_cookie_bytes = max_cookie_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if url_bytes(environ) > self._max_url_bytes:
            raise UrlTooLong
        if len(environ.get("HTTP_COOKIE", "")) > self._max_cookie_bytes:
            raise HeadersTooLarge("The Cookie header of this request is too large; delete the cookies of this site")
        if header_bytes(environ) > self._max_header_bytes:
            raise HeadersTooLarge
        return self._app(environ, start_response)


def url_bytes(environ: Mapping[str, Any]) -> int:
    """The length of the request target as it was sent; where the server does not give it, of what it made of it."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is not None:
        return len(target)
    return len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) + 1


def header_bytes(environ: Mapping[str, Any]) -> int:
    """The size of all header fields, about as they stood on the wire: name, colon, blank, value, line end."""
    return sum([len(key) + len(value) - 1 for key, value in environ.items() if key.startswith("HTTP_")])
