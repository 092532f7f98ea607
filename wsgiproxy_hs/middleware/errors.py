"""Exceptions become the error document; nothing else does.

::

    Stack:   [errors] -> limits -> routing -> cross-site -> session -> throttle -> body -> endpoint
    Reads:   HTTP_X_REQUEST_ID, REQUEST_METHOD, HTTP_ORIGIN, CONTENT_LENGTH, HTTP_TRANSFER_ENCODING, wsgi.input,
             gunicorn.socket, wsgi.input_terminated
    Writes:  wsgiproxy_hs.request_id
    Raises:  -

A :class:`~wsgiproxy_hs.exceptions.ProxyError` is rendered as it says; anything else is a bug: it is logged with its
traceback and answered by a bare 500 in the same shape. What is left of a refused request's body is read up to a bound,
so that the client gets the answer and not a reset (F084). Pages of further origins may read every error, whichever
layer it came from: else a script sees a network error and nobody knows why.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Collection, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgiproxy_hs.environ import REQUEST_ID
from wsgiproxy_hs.error_document import error_document
from wsgiproxy_hs.exceptions import ProxyError
from wsgiproxy_hs.routes.cors import error_grant
from wsgiproxy_hs.routes.draining import Drained, announces_body, is_read

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,128}")
_log = logging.getLogger("wsgiproxy_hs")


class ErrorMiddleware:
    """The outermost layer.

    :param drain_bytes: how much of a refused body is read away at most.
    :param further_origins: other origins whose pages may read errors, as they may read answers.
    """

    def __init__(
        self, app: WSGIApplication, /, *, drain_bytes: int = 262_144, further_origins: Collection[str] = ()
    ) -> None:
        self._app = app
        self._drain_bytes = drain_bytes
        self._further = frozenset(further_origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[REQUEST_ID] = request_id(environ.get("HTTP_X_REQUEST_ID"))
        stream = environ["wsgi.input"]
        try:
            return self._app(environ, start_response)
        except ProxyError as error:
            return self._answer(error, environ, stream, start_response)
        except Exception as error:
            _log.exception("request %s: %s", environ[REQUEST_ID], type(error).__name__)
            return self._answer(ProxyError(), environ, stream, start_response, sys.exc_info())

    def _answer(
        self, error: ProxyError, environ: WSGIEnvironment, stream: Any, start_response: StartResponse, *exc_info: Any
    ) -> Iterable[bytes]:
        """Answer with the error; ``exc_info`` only for a bug, which may come after the answer began (PEP 3333)."""
        if error.status >= 500 and error.__cause__ is not None:
            _log.warning("request %s: %s: %r", environ[REQUEST_ID], error.code, error.__cause__)
        status, headers, body = error_document(error, environ[REQUEST_ID])
        headers += error_grant(environ["REQUEST_METHOD"], environ.get("HTTP_ORIGIN"), self._further)
        start_response(status, headers, *exc_info)
        pieces = [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        if error.drain_bytes is None or is_read(environ["wsgi.input"], stream) or not announces_body(environ):
            return pieces
        return Drained(pieces, environ, max(self._drain_bytes, error.drain_bytes))


def request_id(given: str | None) -> str:
    """The client's request id where it is safe to log, else a new one (F156)."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(16).hex()
