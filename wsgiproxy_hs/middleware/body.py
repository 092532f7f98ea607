"""The request body is read, judged, and left for the endpoint as a rewindable spool.

::

    Stack:   errors -> routing -> cross-site -> session -> [body] -> endpoint
    Reads:   wsgiproxy_hs.route, REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE, HTTP_CONTENT_ENCODING, wsgi.input,
             wsgi.input_terminated
    Writes:  wsgiproxy_hs.json_body, wsgi.input, CONTENT_LENGTH, CONTENT_TYPE
    Raises:  BodyInvalid 400, BodyNotExpected 400, BodyIncomplete 400, ContentLengthInvalid 400, LengthRequired 411,
             BodyTooLarge 413, UnsupportedMediaType 415

The row says what the body is. Nothing is converted: the bytes that were judged are the bytes in the spool.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from typing import IO, Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.http import parse_options_header

from wsgiproxy_hs.environ import JSON_BODY, ROUTE
from wsgiproxy_hs.exceptions import (
    BodyIncomplete,
    BodyNotExpected,
    BodyTooLarge,
    ContentLengthInvalid,
    LengthRequired,
    UnsupportedMediaType,
)
from wsgiproxy_hs.routes import RAW, BodyRule, Route
from wsgiproxy_hs.routes.judge import judge

MEMORY_BYTES: Final = 65_536
"""Up to here a body stays in memory; larger ones go to a file (F073)."""
_JSON_TYPES: Final = frozenset({"", "application/json", "text/plain"})


class BodyMiddleware:
    """Reads and judges.

    :param max_bytes: largest body where the row sets no limit of its own.
    :param max_depth: deepest nesting of JSON.
    """

    def __init__(self, app: WSGIApplication, /, *, max_bytes: int = 1_048_576, max_depth: int = 64) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_depth = max_depth

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
        spool, size = read_body(environ["wsgi.input"], length, max_bytes)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = spool, str(size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        if rule is RAW:
            return
        document = judge(spool.read(), rule, max_depth=self._max_depth)
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
    if environ.get("wsgi.input_terminated"):
        return None
    if "HTTP_TRANSFER_ENCODING" in environ:
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


def read_body(stream: Any, length: int | None, max_bytes: int) -> tuple[IO[bytes], int]:
    """The whole body as a rewound file and its size.

    :raises BodyTooLarge: 413, at once when announced, else as soon as it shows (F072).
    :raises BodyIncomplete: 400 when the client stopped early (F076).
    """
    if length is not None and length > max_bytes:
        raise BodyTooLarge(max_bytes)
    small = length is not None and length <= MEMORY_BYTES
    spool: Any = io.BytesIO() if small else tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 (lives on)
    size = 0
    while length is None or size < length:
        chunk = stream.read(MEMORY_BYTES if length is None else min(MEMORY_BYTES, length - size))
        if not chunk:
            break
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLarge(max_bytes)
        spool.write(chunk)
    if length is not None and size < length:
        raise BodyIncomplete
    spool.seek(0)
    return spool, size


