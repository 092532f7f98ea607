"""A request whose head is larger than anything that we serve needs, or broken, is refused before it is looked at.

::

    Stack:   errors -> [limits] -> routing -> cross-site -> session -> throttle -> body -> endpoint
    Reads:   RAW_URI, REQUEST_URI, PATH_INFO, QUERY_STRING, HTTP_COOKIE, CONTENT_TYPE
    Writes:  -
    Raises:  HeadersInvalid 400, UrlTooLong 414, HeadersTooLarge 431

Servers have limits of their own, each another one; these hold behind all of them. Every ``HTTP_`` key counts: what is
measured is what the server made of the header fields. Few servers let a line end or NUL through in one of them; such a
request is refused whole, as RFC 9110, section 5.5, wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.exceptions import HeadersInvalid, HeadersTooLarge, UrlTooLong


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
        fields = header_fields(environ)
        if len(fields) > self._max_header_bytes:
            raise HeadersTooLarge
        if not is_clean(fields) or not is_clean(environ.get("CONTENT_TYPE") or ""):
            raise HeadersInvalid
        return self._app(environ, start_response)


def url_bytes(environ: Mapping[str, Any]) -> int:
    """The length of the request target as it was sent; where the server does not give it, of what it made of it."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is not None:
        return len(target)
    return len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) + 1


def header_fields(environ: Mapping[str, Any]) -> str:
    """All header fields in one text, about as long as they stood on the wire: name, colon, blank, value, line end."""
    return "".join([key[1:] + value for key, value in environ.items() if key.startswith("HTTP_")])


def is_clean(text: str) -> bool:
    """Whether nothing in a text ends a line of a header, or a string of C."""
    return "\n" not in text and "\r" not in text and "\0" not in text
