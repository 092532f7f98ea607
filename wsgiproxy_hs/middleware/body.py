"""The request body is read, judged, and left for the endpoint as a rewindable spool.

::

    Stack:   errors -> limits -> routing -> cross-site -> session -> throttle -> [body] -> endpoint
    Reads:   wsgiproxy_hs.route, REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE, HTTP_CONTENT_ENCODING,
             HTTP_TRANSFER_ENCODING, wsgi.input, wsgi.input_terminated, SERVER_SOFTWARE
    Writes:  wsgiproxy_hs.json_body, wsgi.input, CONTENT_LENGTH, CONTENT_TYPE, HTTP_TRANSFER_ENCODING
    Raises:  BodyInvalid 400, BodyTooComplex 400, BodyNotExpected 400, BodyIncomplete 400, ContentLengthInvalid 400,
             UploadTooSlow 408, LengthRequired 411, BodyTooLarge 413, UnsupportedMediaType 415

The row says what the body is. Nothing is converted: the bytes that were judged are the bytes in the spool.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.http import parse_options_header

from wsgiproxy_hs.environ import JSON_BODY, ROUTE
from wsgiproxy_hs.exceptions import BodyNotExpected, ContentLengthInvalid, LengthRequired, UnsupportedMediaType
from wsgiproxy_hs.routes import RAW, BodyRule, Route
from wsgiproxy_hs.routes.judge import judge
from wsgiproxy_hs.routes.spool import USUAL_PACE, Pace, spool_body
from wsgiproxy_hs.routes.strict_json import USUAL_LIMITS, JsonLimits

_HIDES_CUTS: Final = "Granian"
"""A server that ends a chunked body that was cut as if it were whole, so that no such body can be believed (F076)."""
_JSON_TYPES: Final = frozenset({"", "application/json", "text/plain"})


class BodyMiddleware:
    """Reads and judges.

    :param max_bytes: largest body where the row sets no limit of its own.
    :param json_limits: how deep, how many and how long the parts of JSON may be.
    :param pace: how slowly a body may arrive.
    """

    def __init__(
        self,
        app: WSGIApplication,
        /,
        *,
        max_bytes: int = 1_048_576,
        json_limits: JsonLimits = USUAL_LIMITS,
        pace: Pace = USUAL_PACE,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._json_limits = json_limits
        self._pace = pace

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route = environ[ROUTE]
        length = content_length(environ)
        if route.takes_body(environ["REQUEST_METHOD"]):
            self._take(environ, route.body, length, route.max_bytes or self._max_bytes)
        elif length or "HTTP_TRANSFER_ENCODING" in environ:
            raise BodyNotExpected
        return self._app(environ, start_response)

    def _take(self, environ: WSGIEnvironment, rule: BodyRule, length: int | None, max_bytes: int) -> None:
        """Spool the body, put the spool in its place, then judge it."""
        if rule is not RAW:
            check_type(environ, is_empty=length == 0)
        spool, size = spool_body(environ["wsgi.input"], length, max_bytes, self._pace)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = spool, str(size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        if rule is RAW:
            return
        document = judge(spool.read(), rule, self._json_limits)
        spool.seek(0)
        if size:
            environ[JSON_BODY] = document
            environ["CONTENT_TYPE"] = "application/json"
        else:
            environ.pop("CONTENT_TYPE", None)


def content_length(environ: WSGIEnvironment) -> int | None:
    """The announced length in bytes; ``None`` when the body ends where the server says (F074).

    :raises ContentLengthInvalid: 400, :raises LengthRequired: 411 when nobody can tell where the body ends.
    """
    text = environ.get("CONTENT_LENGTH") or ""
    if text:
        if not (text.isascii() and text.isdecimal()) or len(text) > 18:
            raise ContentLengthInvalid
        return int(text)
    is_chunked = "HTTP_TRANSFER_ENCODING" in environ
    if is_chunked and environ.get("SERVER_SOFTWARE", "").startswith(_HIDES_CUTS):
        raise LengthRequired
    if environ.get("wsgi.input_terminated"):
        return None
    if is_chunked:
        raise LengthRequired
    return 0


def check_type(environ: WSGIEnvironment, *, is_empty: bool) -> None:
    """JSON, or what browsers send when nobody said so: ``text/plain``, or nothing (F065, F067, F081).

    :raises UnsupportedMediaType: 415.
    """
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType
    given = environ.get("CONTENT_TYPE") or ""
    if is_empty or given in _JSON_TYPES:
        return
    kind, options = parse_options_header(given)
    if kind.lower() not in _JSON_TYPES or options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
