"""Ask an upstream through a forwarder, as a browser would see it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.test import EnvironBuilder

from wsgiproxy_hs.endpoints.forwarder import Forwarder
from wsgiproxy_hs.environ import PATH_PARAMS, ROUTE
from wsgiproxy_hs.middleware.errors import ErrorMiddleware
from wsgiproxy_hs.routes.route import ANY, NONE, RAW, Route
from wsgiproxy_hs.upstream import Clocks, Transport

PATIENT = Clocks(connect=5, first_byte=10, idle=10, total=20)
HASTY = Clocks(connect=0.3, first_byte=0.3, idle=0.3, total=0.8)


class Outcome(NamedTuple):
    """What a browser got. ``cut`` is the exception that ended the body, after which a server breaks the connection."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    cut: BaseException | None

    def all(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def make_app(
    url: str, *, transport: Transport, clocks: Clocks = PATIENT, route: Route | None = None, **options: Any
) -> WSGIApplication:
    """Errors around a forwarder to ``thing/``."""
    row = route or Route(ANY, "thing", "/thing/", token=NONE, body=RAW)
    forwarder = Forwarder(upstream_url=url, transport=transport, clocks=clocks, **options)

    def routed(environ: WSGIEnvironment, start_response: Any) -> Iterable[bytes]:
        environ[ROUTE], environ[PATH_PARAMS] = row, {}
        return forwarder(environ, start_response)

    return ErrorMiddleware(routed)


def ask(
    app: WSGIApplication,
    method: str = "GET",
    *,
    query: str = "",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Outcome:
    """One request, its answer read to the end, whatever the end is."""
    builder = EnvironBuilder(path="/api/thing", method=method, headers=headers or {}, input_stream=None)
    environ = builder.get_environ()
    builder.close()
    environ["QUERY_STRING"] = query
    if body is not None:
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    told: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told[:] = [status, fields]

    pieces = app(environ, start_response)
    received, cut = [], None
    try:
        for piece in pieces:
            received.append(piece)
    except Exception as error:
        cut = error
    finally:
        getattr(pieces, "close", lambda: None)()
    return Outcome(int(told[0].split()[0]), told[1], b"".join(received), cut)
