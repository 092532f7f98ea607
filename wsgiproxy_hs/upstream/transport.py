"""The transport: a ``requests`` transport adapter over our own connections.

It fills ``HTTPAdapter``'s documented hooks and leaves ``send`` as it is, so ``responses`` intercepts it in tests and a
team can put any other adapter in its place. Why our own connections: what arrives must be what was sent, and
high-level clients rewrite paths, read ``.netrc`` and proxy variables, merge headers and decode bodies (F042, F085,
F096, F097, F105); and one exchange costs a fraction of theirs.
"""

from __future__ import annotations

import os
import ssl
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.upstream.connections import Endpoint
from wsgiproxy_hs.upstream.pool import Pool


class TransportResponse(Response):
    """A ``requests`` response that builds what is rarely asked for only when it is asked for."""

    def __init__(self, request: PreparedRequest, raw: Any, adapter: HTTPAdapter) -> None:
        self._content = False
        self._content_consumed = False
        self._headers: CaseInsensitiveDict[str] | None = None
        self.status_code = raw.status
        self.reason = raw.reason
        self.raw = raw
        self.url = request.url or ""
        self.encoding = None
        self.history = []
        self.request = request
        self.connection = adapter

    @property
    def headers(self) -> CaseInsensitiveDict[str]:  # type: ignore[override]
        if self._headers is None:
            self._headers = CaseInsensitiveDict(self.raw.headers.items())
        return self._headers

    @property
    def cookies(self) -> CookieJar:  # type: ignore[override]
        """Always empty: the upstream's cookies stay inside."""
        return RequestsCookieJar()


class Transport(HTTPAdapter):
    """Pools of connections, one for each upstream and process; nothing is opened before the first request.

    :param max_connections: most connections to one upstream at once.
    :param ca_bundle: file of the authorities to trust instead of the system's; verification cannot be turned off.
    :param client_certificate: file with certificate and key to show to the upstream.
    :raises ConfigurationError: when a file cannot be read.
    """

    def __init__(
        self,
        *,
        max_connections: int = 64,
        wait_seconds: float = 5.0,
        idle_seconds: float = 1.5,
        ca_bundle: str | None = None,
        client_certificate: str | None = None,
    ) -> None:
        super().__init__()
        self._limits = {
            "max_connections": max_connections,
            "wait_seconds": wait_seconds,
            "idle_seconds": idle_seconds,
        }
        self._tls = _tls_context(ca_bundle, client_certificate)
        self._pools: dict[tuple[int, str, str], Pool] = {}

    def init_poolmanager(self, *_: object, **__: object) -> None:
        """No pool manager of urllib3: :meth:`get_connection_with_tls_context` has its own pools."""

    def get_connection_with_tls_context(  # type: ignore[override]
        self, request: PreparedRequest, verify: Any = True, proxies: Any = None, cert: Any = None
    ) -> Pool:
        """The pool for the request's upstream."""
        scheme, _, netloc = (request.url or "").split("/", 3)[:3]
        key = (os.getpid(), scheme, netloc)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools.setdefault(key, Pool(self._endpoint(scheme, netloc), **self._limits))  # type: ignore[arg-type]
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to do: the pool was made with its TLS context."""

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """The target as it is: what was checked is what is sent."""
        return "/" + (request.url or "").split("/", 3)[3]

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """A response around our answer, or around one that a test double made with urllib3."""
        if isinstance(resp.headers, dict) or not hasattr(resp, "buffered"):
            return super().build_response(req, resp)
        return TransportResponse(req, resp, self)

    def close(self) -> None:
        for pool in list(self._pools.values()):
            pool.close()

    def _endpoint(self, scheme: str, netloc: str) -> Endpoint:
        parts = urlsplit(f"{scheme}//{netloc}")
        if scheme == "https:":
            return Endpoint(parts.hostname or "", parts.port or 443, self._tls)
        return Endpoint(parts.hostname or "", parts.port or 80)


def _tls_context(ca_bundle: str | None, client_certificate: str | None) -> ssl.SSLContext:
    """Verification always on (F154)."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise ConfigurationError(f"UPSTREAM_CA_BUNDLE (ca_bundle) cannot be read: {error.strerror}") from error
    if client_certificate is not None:
        try:
            context.load_cert_chain(client_certificate)
        except OSError as error:
            raise ConfigurationError(
                f"UPSTREAM_CLIENT_CERTIFICATE (client_certificate) cannot be used: {error.strerror or error}"
            ) from error
    return context
