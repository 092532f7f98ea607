"""The transport: a ``requests`` transport adapter over our own connections.

It fills ``HTTPAdapter``'s documented hooks and leaves ``send`` as it is, so ``responses`` intercepts it in tests and a
team can put any other adapter in its place. Why our own connections: what arrives must be what was sent, and
high-level clients rewrite paths, read ``.netrc`` and proxy variables, merge headers and decode bodies (F042, F085,
F096, F097, F105); and one exchange costs a fraction of theirs.
"""

from __future__ import annotations

import os
import ssl
from datetime import timedelta
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.upstream.addresses import parse_origin, split_url
from wsgiproxy_hs.upstream.answers import Answer
from wsgiproxy_hs.upstream.breaker import Breaker
from wsgiproxy_hs.upstream.pool import Pool


class TransportResponse(Response):
    """A ``requests`` response that builds what is rarely asked for only when it is asked for."""

    def __init__(self, request: PreparedRequest, raw: Answer, adapter: HTTPAdapter) -> None:
        self._content = False
        self._content_consumed = False
        self.status_code = raw.status
        self.reason = raw.reason
        self.raw = raw
        self.url = request.url or ""
        self.request = request
        self.connection = adapter

    def __getattr__(self, name: str) -> Any:
        """What was left out above, when it is asked for the first time."""
        if name not in _LATER:
            raise AttributeError(name)
        value = _LATER[name](self)
        setattr(self, name, value)
        return value


def _headers(response: Response) -> CaseInsensitiveDict[str]:
    headers = response.raw.headers
    return CaseInsensitiveDict({name: headers.get(name) for name, _ in headers.items()})


_LATER: Final[dict[str, Any]] = {
    "headers": _headers,
    "cookies": lambda _: RequestsCookieJar(),  # always empty: the upstream's cookies stay inside
    "encoding": lambda response: get_encoding_from_headers(response.headers),
    "history": lambda _: [],
    "elapsed": lambda _: timedelta(0),
    "_next": lambda _: None,
}


class Transport(HTTPAdapter):
    """Pools of connections, one for each upstream and process; nothing is opened before the first request.

    URLs are ``http://``, ``https://`` or, for a Unix socket, what ``upstream.addresses.unix_url`` makes.

    :param max_connections: most connections to one upstream at once; event streams have ``max_streams`` of their own.
    :param wait_seconds: longest wait for one of them. :param idle_seconds: how long an unused one is kept.
    :param breaker_failures: after so many failures in a row nothing is sent to an upstream for ``breaker_seconds``;
        then one request tries. 0 for never.
    :param ca_bundle: file of the authorities to trust instead of the system's; verification cannot be turned off.
    :param client_certificate: file with certificate and key to show to the upstream.
    :raises ConfigurationError: when a file cannot be read.
    """

    def __init__(
        self,
        *,
        max_connections: int = 64,
        max_streams: int = 256,
        wait_seconds: float = 5.0,
        idle_seconds: float = 1.5,
        breaker_failures: int = 10,
        breaker_seconds: float = 5.0,
        ca_bundle: str | None = None,
        client_certificate: str | None = None,
    ) -> None:
        super().__init__()
        self._limits: dict[str, Any] = {
            "max_connections": max_connections,
            "max_streams": max_streams,
            "wait_seconds": wait_seconds,
            "idle_seconds": idle_seconds,
        }
        self._breaking: dict[str, Any] = {"failures": breaker_failures, "seconds": breaker_seconds}
        self._trust = (ca_bundle, client_certificate)
        if ca_bundle is not None or client_certificate is not None:
            tls_context(ca_bundle, client_certificate)  # only to complain early; gevent may change ssl after this
        self._pools: dict[tuple[int, str], Pool] = {}

    def init_poolmanager(self, *_: object, **__: object) -> None:
        """No pool manager of urllib3: :meth:`get_connection_with_tls_context` has its own pools."""

    def get_connection_with_tls_context(  # type: ignore[override]
        self, request: PreparedRequest, verify: Any = True, proxies: Any = None, cert: Any = None
    ) -> Pool:
        """The pool for the request's upstream.

        :raises LocationParseError: when the URL leads to none; ``send`` makes it ``InvalidURL``.
        """
        origin, _ = split_url(request.url or "")
        pid = os.getpid()
        return self._pools.get((pid, origin)) or self._new_pool(pid, origin)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to do: the pool was made with its TLS context."""

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """The target as it is: what was checked is what is sent."""
        return split_url(request.url or "")[1]

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """A response around our answer, or around one that a test double made with urllib3."""
        return TransportResponse(req, resp, self) if isinstance(resp, Answer) else super().build_response(req, resp)

    def close(self) -> None:
        for pool in list(self._pools.values()):
            pool.close()

    def _new_pool(self, pid: int, origin: str) -> Pool:
        """The first request of this process to this upstream."""
        scheme, address = parse_origin(origin)
        if scheme == "https":
            address = address._replace(tls=tls_context(*self._trust))
        for key, pool in list(self._pools.items()):
            if key[0] != pid:
                pool.close()  # our copies of the parent's connections, which go on in the parent
                self._pools.pop(key, None)
        pool = Pool(address, breaker=Breaker(address, **self._breaking), **self._limits)
        return self._pools.setdefault((pid, origin), pool)


def tls_context(ca_bundle: str | None, client_certificate: str | None) -> ssl.SSLContext:
    """Verification always on (F154).

    :raises ConfigurationError: naming the file that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise ConfigurationError(f"UPSTREAM_CA_BUNDLE (ca_bundle) cannot be used: {error.strerror or error}") from error
    context.set_alpn_protocols(["http/1.1"])
    if client_certificate is not None:
        try:
            context.load_cert_chain(client_certificate, password=_no_password)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"UPSTREAM_CLIENT_CERTIFICATE (client_certificate) cannot be used: {reason}"
            ) from error
    return context


def _no_password() -> str:
    """A key with a password would make OpenSSL ask at the terminal, and a server would hang."""
    raise ValueError("its key has a password")
