"""Forwards a request to the upstream and streams the answer back.

::

    Stack:   errors -> limits -> routing -> cross-site -> session -> throttle -> body -> [endpoint]
    Reads:   wsgiproxy_hs.route, wsgiproxy_hs.path_params, wsgiproxy_hs.access_token, wsgiproxy_hs.request_id,
             REQUEST_METHOD, QUERY_STRING, CONTENT_TYPE, CONTENT_LENGTH, wsgi.input, REMOTE_ADDR, HTTP_VIA,
             HTTP_X_FORWARDED_FOR, HTTP_FORWARDED, SERVER_PROTOCOL,
             the headers of wsgiproxy_hs.upstream.headers.REQUEST_HEADERS
    Writes:  -
    Raises:  UpstreamStatus, UpstreamUnreachable 502, UpstreamAnswerInvalid 502, UpstreamRedirect 502,
             UpstreamBusy 503, UpstreamTimeout 504, UpstreamLoop 508, Unauthorized 401, RenewalUnavailable 503

What was checked is what is sent: the path is rebuilt from the row and its parameters, the query and the body are the
bytes received, headers leave by allow-list. Answers below 400 go back byte for byte as they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from wsgiproxy_hs.environ import ACCESS_TOKEN, PATH_PARAMS, REQUEST_ID, ROUTE
from wsgiproxy_hs.error_document import reason_phrase
from wsgiproxy_hs.exceptions import Header, UpstreamRedirect, UpstreamStatus
from wsgiproxy_hs.routes import Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.upstream.addresses import host_header
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.faults import upstream_fault
from wsgiproxy_hs.upstream.headers import (
    REQUEST_HEADERS,
    Forwarding,
    answer_headers,
    environ_names,
    forwarding_headers,
    request_headers,
)
from wsgiproxy_hs.upstream.reshape import read_error_body, upstream_status
from wsgiproxy_hs.upstream.streams import EventStream

_TRANSPORT_FAULTS: Final = (RequestException, HTTPError, OSError)


class Forwarder:
    """A WSGI app that asks the upstream. Safe to share between threads.

    :param upstream_url: ``http://127.0.0.1:8000``, without a slash at its end.
    :param transport: any ``requests`` transport adapter.
    :param scheme: the word before the access token in ``Authorization``.
    :param clocks: of a row that sets none of its own.
    :param forwarding: what the upstream is told about the client and about us.
    :param heartbeat_seconds: longest silence of an event stream towards the client.
    """

    def __init__(
        self,
        *,
        upstream_url: str,
        transport: BaseAdapter,
        scheme: str = "JWT",
        clocks: Clocks | None = None,
        forwarding: Forwarding | None = None,
        heartbeat_seconds: float = 15.0,
    ) -> None:
        self._upstream_url = upstream_url.rstrip("/")
        self._host = host_header(upstream_url)
        self._transport = transport
        self._scheme = scheme
        self._clocks = clocks or Clocks()
        self._heartbeat_seconds = heartbeat_seconds
        self._names = environ_names(REQUEST_HEADERS)
        self._forwarding = forwarding or Forwarding()

    @classmethod
    def from_settings(cls, settings: Settings, *, transport: BaseAdapter, **_: object) -> Forwarder:
        """The forwarder to ``settings.backend_url``."""
        return cls(
            upstream_url=settings.backend_url,
            transport=transport,
            scheme=settings.authorization_scheme,
            clocks=Clocks(**settings.clocks),
            forwarding=Forwarding(**settings.forwarding),
            heartbeat_seconds=settings.heartbeat_seconds,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route = environ[ROUTE]
        request = self._request(route, environ)
        try:
            return self._answer(route, self._sent(route, request), start_response)
        except UpstreamStatus as error:
            if not self._may_replay(error, request, environ):
                raise
        return self._answer(route, self._sent(route, request), start_response)

    def _sent(self, route: Route, request: PreparedRequest) -> Response:
        try:
            return self._transport.send(request, stream=True, timeout=self._clocks_of(route))  # type: ignore[arg-type]
        except _TRANSPORT_FAULTS as error:
            raise upstream_fault(error) from error

    def _may_replay(self, error: UpstreamStatus, request: PreparedRequest, environ: WSGIEnvironment) -> bool:
        """Whether the upstream refused the access token alone, and there are another and the body to go with it (F013).

        Whether the status is 401 or 403 depends on the upstream's first authentication class; the code tells.
        """
        is_about_token = error.status in (401, 403) and error.upstream_code == "token_not_valid"
        if not is_about_token or ACCESS_TOKEN not in environ:
            return False
        token = environ[ACCESS_TOKEN]
        if not token.renew(request.headers["Authorization"]):
            return False
        request.headers["Authorization"] = token.authorization(self._scheme)
        return is_rewound(request.body)

    def _request(self, route: Route, environ: WSGIEnvironment) -> PreparedRequest:
        """What is sent, from the row and what the layers checked."""
        request = PreparedRequest()
        request.method = environ["REQUEST_METHOD"]
        query = environ.get("QUERY_STRING", "")
        path = route.upstream_path(environ[PATH_PARAMS])
        request.url = f"{self._upstream_url}{path}?{query}" if query else self._upstream_url + path
        headers = self._headers(route, environ)
        request.body = self._body(route, environ, headers)
        request.headers = CaseInsensitiveDict(headers)
        return request

    def _headers(self, route: Route, environ: WSGIEnvironment) -> dict[str, str]:
        names = self._names + environ_names(route.request_headers) if route.request_headers else self._names
        headers = {
            "Host": self._host,
            **request_headers(environ, names),
            **forwarding_headers(environ, self._forwarding),
        }
        if ACCESS_TOKEN in environ:
            headers["Authorization"] = environ[ACCESS_TOKEN].authorization(self._scheme)
        if REQUEST_ID in environ:
            headers["X-Request-ID"] = environ[REQUEST_ID]
        return headers

    @staticmethod
    def _body(route: Route, environ: WSGIEnvironment, headers: dict[str, str]) -> Any:
        """The body as bytes, or as a file when it is large; ``None`` where the method has none."""
        if not route.takes_body(environ["REQUEST_METHOD"]):
            return None
        length = int(environ.get("CONTENT_LENGTH") or 0)
        headers["Content-Length"] = str(length)
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        return environ["wsgi.input"].read(length) if length <= 65_536 else environ["wsgi.input"]

    def _answer(self, route: Route, response: Response, start_response: StartResponse) -> Iterable[bytes]:
        """Start our answer from the upstream's; an error of the upstream becomes an exception."""
        raw = response.raw
        pairs: list[Header] = list(raw.headers.iteritems())
        try:
            check_answer(route, response, pairs)
            body = self._stream(raw) or _first_piece(raw)
            headers = answer_headers(pairs)
            if isinstance(body, EventStream):
                headers.append(("X-Accel-Buffering", "no"))  # nginx would hold events back (F111)
            status = response.status_code
            start_response(f"{status} {response.reason}" if response.reason else reason_phrase(status), headers)
        except _TRANSPORT_FAULTS as error:
            raw.close()
            raise upstream_fault(error) from error
        except BaseException:
            raw.close()
            raise
        return body

    def _stream(self, raw: Any) -> EventStream | None:
        """The body of an event stream that is still on its way."""
        if not getattr(raw, "is_stream", False) or raw.is_complete:
            return None
        return EventStream(raw, heartbeat_seconds=self._heartbeat_seconds)

    def _clocks_of(self, route: Route) -> Clocks:
        if route.timeout_seconds is None:
            return self._clocks
        clocks = self._clocks
        return Clocks(
            connect=clocks.connect_seconds,
            first_byte=route.timeout_seconds,
            idle=max(clocks.idle_seconds, route.timeout_seconds),
            total=max(clocks.total_seconds, route.timeout_seconds),
            stream_idle=clocks.stream_idle_seconds,
        )


def is_rewound(body: Any) -> bool:
    """Whether a request body can be sent once more; a file is wound back for it."""
    if body is None or isinstance(body, (bytes, str)):
        return True
    try:
        body.seek(0)
    except (AttributeError, OSError, ValueError):
        return False
    return True


def check_answer(route: Route, response: Response, pairs: list[Header]) -> None:
    """Raise what is not to be passed on as it is.

    :raises UpstreamStatus: an error, in the documented shape; :raises UpstreamRedirect: one that the row does not let
        pass; the log says where it would have led, without a query, which may hold a signature.
    """
    status = response.status_code
    if status >= 400 and route.reshape_errors:
        raise upstream_status(status, pairs, read_error_body(_pieces(response.raw)))
    if 300 <= status < 400 and status != 304 and not route.redirects:
        target = (response.raw.headers.get("Location") or "").partition("?")[0]
        raise UpstreamRedirect from LookupError(f"{status} Location: {target}")


def _pieces(raw: Any) -> Iterator[bytes]:
    """The body as it arrives, from our own answers and from urllib3's."""
    return raw.stream(65_536, decode_content=False)  # type: ignore[no-any-return]


def _first_piece(raw: Any) -> Iterable[bytes]:
    """The body, once its first piece is here: until then a failure can still be told by a status."""
    if getattr(raw, "is_complete", False):
        return raw.buffered()  # type: ignore[no-any-return]
    pieces = _pieces(raw)
    first = next(pieces, b"")
    if getattr(raw, "is_complete", False):
        return [first, *raw.buffered()]
    return Body(raw, chain([first], pieces))


class Body:
    """The answer's body on its way; :meth:`close` ends the exchange with the upstream (F114)."""

    def __init__(self, raw: Any, pieces: Iterator[bytes]) -> None:
        self._raw = raw
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._raw.close()
