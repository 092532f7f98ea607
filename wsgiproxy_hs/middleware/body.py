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
from wsgiproxy_hs.exceptions import BodyNotExpected, UnsupportedMediaType
from wsgiproxy_hs.routes import RAW, Route
from wsgiproxy_hs.routes.framing import content_length
from wsgiproxy_hs.routes.judge import judge
from wsgiproxy_hs.routes.spool import USUAL_PACE, Pace, take_body
from wsgiproxy_hs.routes.strict_json import USUAL_LIMITS, JsonLimits

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
            self._take(environ, route, length, route.max_bytes or self._max_bytes)
        elif length or "HTTP_TRANSFER_ENCODING" in environ:
            raise BodyNotExpected
        return self._app(environ, start_response)

    def _take(self, environ: WSGIEnvironment, route: Route, length: int | None, max_bytes: int) -> None:
        """Spool the body, put the spool in its place, then judge it."""
        rule = route.body
        if rule is not RAW:
            check_type(environ, is_empty=length == 0)
        whole = not route.stream_body
        spool, size = take_body(environ["wsgi.input"], length, max_bytes, self._pace, whole=whole)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = spool, str(size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        if rule is RAW:
            return
        document = judge(spool.read(), rule, self._json_limits)
        spool.seek(0)  # type: ignore[union-attr]  # what is judged was held whole
        if size:
            environ[JSON_BODY] = document
            environ["CONTENT_TYPE"] = "application/json"
        else:
            environ.pop("CONTENT_TYPE", None)


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
