"""Forwards a request to the upstream and streams the answer back.

::

    Stack:   errors -> limits -> routing -> cross-site -> session -> throttle -> body -> [endpoint]
    Reads:   wsgiproxy_hs.route, wsgiproxy_hs.path_params, wsgiproxy_hs.access_token, wsgiproxy_hs.request_id,
             REQUEST_METHOD, QUERY_STRING, CONTENT_TYPE, CONTENT_LENGTH, wsgi.input, REMOTE_ADDR, HTTP_VIA,
             HTTP_X_FORWARDED_FOR, HTTP_FORWARDED, HTTP_CONNECTION, SERVER_PROTOCOL, SERVER_SOFTWARE, SCRIPT_NAME,
             the headers of wsgiproxy_hs.upstream.headers.REQUEST_HEADERS
    Writes:  -
    Raises:  UpstreamStatus, UpstreamUnreachable 502, UpstreamAnswerInvalid 502, UpstreamRedirect 502,
             UpstreamBusy 503, UpstreamUnavailable 503, UpstreamTimeout 504, UpstreamLoop 508, BodyIncomplete 400,
             UploadTooSlow 408, Unauthorized 401, RenewalUnavailable 503

What was checked is what is sent: the path is rebuilt from the row and its parameters, the query and the body are the
bytes received, headers leave by allow-list. Answers below 400 go back byte for byte as they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from wsgiproxy_hs.endpoints.redirects import Redirects
from wsgiproxy_hs.environ import ACCESS_TOKEN, PATH_PARAMS, ROUTE
from wsgiproxy_hs.error_document import reason_phrase
from wsgiproxy_hs.exceptions import UPLOAD_DRAIN_BYTES, Header
from wsgiproxy_hs.routes import Route
from wsgiproxy_hs.routes.draining import Drained
from wsgiproxy_hs.routes.spool import Streamed
from wsgiproxy_hs.servers import hides_cuts
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.upstream.addresses import host_header
from wsgiproxy_hs.upstream.clocks import Clocks
from wsgiproxy_hs.upstream.faults import upstream_fault
from wsgiproxy_hs.upstream.headers import (
    Forwarding,
    answer_headers,
    environ_names,
    forwarding_headers,
    request_headers,
)
from wsgiproxy_hs.upstream.passing import begun, gathered, held, is_rewound, stream
from wsgiproxy_hs.upstream.reshape import MAX_ERROR_BYTES, read_error_body, upstream_status
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
    :param redirects: the way back from upstream paths to public ones; without it no redirect to the upstream passes.
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
        redirects: Redirects | None = None,
    ) -> None:
        self._redirects = redirects or Redirects(upstream_url=upstream_url)
        self._upstream_url = upstream_url.rstrip("/")
        self._host = host_header(upstream_url)
        self._transport = transport
        self._scheme = scheme
        self._clocks = clocks or Clocks()
        self._heartbeat_seconds = heartbeat_seconds
        self._forwarding = forwarding or Forwarding()
        self._names = self._forwarding.names

    @classmethod
    def from_settings(
        cls, settings: Settings, *, transport: BaseAdapter, routes: Iterable[Route] = (), **_: object
    ) -> Forwarder:
        """The forwarder to ``settings.backend_url``."""
        return cls(
            upstream_url=settings.backend_url,
            transport=transport,
            scheme=settings.authorization_scheme,
            clocks=Clocks(**settings.clocks),
            forwarding=Forwarding(**settings.forwarding),
            heartbeat_seconds=settings.heartbeat_seconds,
            redirects=Redirects(
                routes,
                prefix=settings.prefix,
                upstream_url=settings.backend_url,
                public_origin=settings.public_origin,
            ),
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route: Route = environ[ROUTE]
        request = self._request(route, environ)
        response = self._sent(route, request)
        if response.status_code in (401, 403) and self._may_replay(response, request, environ):
            response.raw.close()
            response = self._sent(route, request)
        return self._answer(request, response, environ, start_response)

    def _sent(self, route: Route, request: PreparedRequest) -> Response:
        try:
            return self._transport.send(request, stream=True, timeout=self._clocks_of(route))  # type: ignore[arg-type]
        except _TRANSPORT_FAULTS as error:
            raise upstream_fault(error) from error

    def _may_replay(self, response: Response, request: PreparedRequest, environ: WSGIEnvironment) -> bool:
        """Whether the upstream refused the access token alone, and there are another and the body to go with it (F013).

        Whether the status is 401 or 403 depends on the upstream's first authentication class; the code tells. What is
        read for it is there for the next reader.
        """
        if ACCESS_TOKEN not in environ or not self._is_token_refused(response):
            return False
        token = environ[ACCESS_TOKEN]
        if not token.renew(request.headers["Authorization"]):
            return False
        request.headers["Authorization"] = token.authorization(self._scheme)
        return is_rewound(request.body)

    @staticmethod
    def _is_token_refused(response: Response) -> bool:
        if getattr(response.raw, "is_stream", False):
            return False
        try:
            response.raw, body = held(response.raw, MAX_ERROR_BYTES)
        except _TRANSPORT_FAULTS as error:
            response.raw.close()
            raise upstream_fault(error) from error
        refusal = upstream_status(response.status_code, response.raw.headers.iteritems(), body)
        return refusal.upstream_code == "token_not_valid"

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

    def _answer(
        self, request: PreparedRequest, response: Response, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Start our answer from the upstream's; an error of the upstream becomes an exception."""
        raw = response.raw
        pairs: list[Header] = list(raw.headers.iteritems())
        try:
            pairs = self._checked(request, response, pairs, environ)
            body = self._body_of(raw, pairs, environ)
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
        if isinstance(request.body, Streamed) and not request.body.is_whole:
            return Drained(body, environ, UPLOAD_DRAIN_BYTES)
        return body

    def _checked(
        self, request: PreparedRequest, response: Response, pairs: list[Header], environ: WSGIEnvironment
    ) -> list[Header]:
        """The answer's headers, ``Location`` led back to a public path.

        :raises UpstreamStatus: an error, in the documented shape; :raises UpstreamRedirect: one that must not pass; the
            log says where it would have led, without a query, which may hold a signature.
        """
        route: Route = environ[ROUTE]
        status = response.status_code
        if status >= 400 and route.reshape_errors:
            raise upstream_status(status, pairs, read_error_body(stream(response.raw)))
        if status == 201 or (300 <= status < 400 and status != 304):
            place = environ.get("SCRIPT_NAME", "")
            return self._redirects.located(pairs, status, request, passes=route.redirects, script_name=place)
        return pairs

    def _body_of(self, raw: Any, pairs: list[Header], environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body of the answer, begun; ``pairs`` may gain its length, and lose it where we add to the body."""
        events = self._stream(raw)
        if events is not None:
            pairs[:] = [pair for pair in pairs if pair[0].lower() != "content-length"]
            return events
        if getattr(raw, "is_complete", False) or not hides_cuts(environ) or raw.headers.get("Content-Length"):
            return begun(raw)
        body = gathered(raw)
        if isinstance(body, list):
            pairs.append(("Content-Length", str(len(body[0]))))
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
