"""Which headers travel: requests by allow-list, answers by deny-list, each row with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from wsgiproxy_hs.environ import REQUEST_ID
from wsgiproxy_hs.exceptions import Header, UpstreamLoop
from wsgiproxy_hs.safe_headers import NOSNIFF, SAFE_HEADERS, SAME_ORIGIN_REFERRER, STRICT_REFERRER_POLICIES
from wsgiproxy_hs.upstream.forwarded import NOBODY, TrustedProxies, client_address, forwarded_node
from wsgiproxy_hs.upstream.trace_context import TRACE_HEADERS, drop_malformed

REQUEST_HEADERS: Final[Mapping[str, str]] = {
    "Accept": "content negotiation is between the browser and the upstream",
    "Accept-Encoding": "exactly the browser's: what the upstream compresses is passed on compressed (F097)",
    "Accept-Language": "the upstream writes its messages in the user's language",
    "Content-Encoding": "describes the bytes of a RAW body; a JSON body has none",
    "If-Match": "conditional requests are the origin's to judge (RFC 9110, section 13; F100)",
    "If-Modified-Since": "as above",
    "If-None-Match": "as above",
    "If-Range": "as above",
    "If-Unmodified-Since": "as above",
    "Range": "ranges are the origin's to serve (RFC 9110, section 14)",
    "Idempotency-Key": "lets the upstream see a repetition, and us repeat (F134)",
    "Last-Event-ID": "a stream goes on where it broke (F118)",
    "User-Agent": "for the upstream's statistics; nothing is decided by it",
    "Traceparent": "one trace for both (W3C Trace Context), where `TRACE_CONTEXT` is `pass`; malformed never (F157)",
    "Tracestate": "as above",
}
"""Request headers that travel. Everything else stays here: cookies (F087, F130), the browser's ``Authorization``
(F088), identity headers (F089), method overrides (F052), forwarding headers (F091), in every spelling (F090)."""

ANSWER_HEADERS_KEPT_BACK: Final[Mapping[str, str]] = {
    "connection": "hop-by-hop (RFC 9110, section 7.6.1), and so is every header it names",
    "keep-alive": "hop-by-hop",
    "proxy-authenticate": "hop-by-hop",
    "proxy-authorization": "hop-by-hop",
    "proxy-connection": "hop-by-hop, though no standard has it",
    "te": "hop-by-hop",
    "trailer": "hop-by-hop; trailers are dropped",
    "transfer-encoding": "hop-by-hop; the server frames the answer anew",
    "upgrade": "hop-by-hop",
    "allow": "names the upstream's methods, not the row's; on 405 it is the table's to say",
    "set-cookie": "the upstream's cookies stay inside (F086)",
    "server": "a banner is of use to attackers only (ASVS 13.4)",
    "x-powered-by": "as above",
    "x-aspnet-version": "as above",
    "x-generator": "as above",
    "x-runtime": "as above",
    "date": "the server writes its own",
    "access-control-allow-origin": "who may read is decided here, not by the upstream (F158)",
    "access-control-allow-credentials": "as above",
    "access-control-allow-headers": "as above",
    "access-control-allow-methods": "as above",
    "access-control-expose-headers": "as above",
    "access-control-max-age": "as above",
    "alt-svc": "names an address of the upstream",
    "strict-transport-security": "this origin's own to say",
    "clear-site-data": "the browser's cookies and storage belong to this origin, not to the upstream",
    "service-worker-allowed": "as above",
    "x-accel-redirect": "would make a web server in front read one of its own files",
    "x-sendfile": "as above",
    "x-content-type-options": "answers say `nosniff` here, once",
    "referrer-policy": "answers say `same-origin` here, once; `no-referrer` of the upstream is kept",
}
"""Answer headers that do not come back; names in lower case."""

_HEARD: Final = frozenset({"connection", "referrer-policy"})  # kept back, but what they say counts

ERROR_HEADERS_KEPT: Final = frozenset({"retry-after", "allow", "www-authenticate"})
"""What survives of the headers of an upstream's error (F127)."""

PSEUDONYM: Final = "wsgiproxy_hs"
"""What we call ourselves in ``Via`` where the settings give no other name."""

_PLAIN_CONNECTIONS: Final = frozenset({"", "close", "keep-alive"})
_VIA: Final = re.compile(r"[\t -~]{1,1024}")
_PROTOCOLS: Final = {"HTTP/1.0": "1.0", "HTTP/2": "2", "HTTP/2.0": "2", "HTTP/3": "3", "HTTP/3.0": "3"}
_QUOTED: Final = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")


def environ_names(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """``("Accept", ...)`` -> ``(("HTTP_ACCEPT", "Accept"), ...)``."""
    return tuple(("HTTP_" + name.upper().replace("-", "_"), name) for name in names)


def request_headers(environ: Mapping[str, Any], names: Collection[tuple[str, str]]) -> dict[str, str]:
    """The headers of a request that travel.

    :param names: from :func:`environ_names`.
    """
    headers = {name: environ[key] for key, name in names if key in environ}
    connection = environ.get("HTTP_CONNECTION", "").lower()
    if connection not in _PLAIN_CONNECTIONS:  # what it names was meant for us alone (RFC 9110, section 7.6.1)
        headers = dict(_without_named(list(headers.items()), [connection]))
    if "Traceparent" in headers or "Tracestate" in headers:
        drop_malformed(headers)
    return headers


class Forwarding:
    """What the upstream is told in every request.

    :param public_url: where browsers find us, so that the upstream need not redirect them (F131); ``None`` tells it
        nothing.
    :param trusted: the proxies in front that may say who the client is.
    :param pseudonym: our name in ``Via``: a token, and not that of another such server on the way.
    :param passes_trace: whether the upstream goes on with the trace that the client names; else it begins its own.
    """

    __slots__ = ("_suffix", "names", "pseudonym", "public", "trusted")

    def __init__(
        self,
        public_url: str | None = None,
        *,
        trusted: TrustedProxies = NOBODY,
        pseudonym: str = PSEUDONYM,
        passes_trace: bool = True,
    ) -> None:
        self.names = environ_names(name for name in REQUEST_HEADERS if passes_trace or name not in TRACE_HEADERS)
        self.trusted = trusted
        self.pseudonym = pseudonym
        parts = urlsplit(public_url) if public_url is not None else None
        self.public = {"X-Forwarded-Proto": parts.scheme, "X-Forwarded-Host": parts.netloc} if parts else {}
        host = parts.netloc if parts else ""
        host = f'"{host}"' if _QUOTED.search(host) else host
        self._suffix = f";host={host};proto={parts.scheme}" if parts else ""

    def forwarded(self, client: str | None) -> str:
        """The value of ``Forwarded`` (RFC 7239)."""
        return forwarded_node(client) + self._suffix

    def via(self, environ: Mapping[str, Any]) -> str:
        """The value of ``Via``: what it was, and us.

        :raises UpstreamLoop: when our own name is in it.
        """
        ours = f"{_PROTOCOLS.get(environ.get('SERVER_PROTOCOL', ''), '1.1')} {self.pseudonym}"
        via = environ.get("HTTP_VIA")
        if via is None:
            return ours
        if any(received_by(entry) == self.pseudonym.lower() for entry in via.split(",")):
            raise UpstreamLoop
        return f"{via}, {ours}" if _VIA.fullmatch(via) else ours


def received_by(entry: str) -> str:
    """The name in an entry of ``Via``, ``HTTP/1.1 name:port (comment)``, in lower case (RFC 9110, section 7.6.3)."""
    _, _, rest = entry.strip().partition(" ")
    name, _, _ = rest.strip().partition(" ")
    return name.lower()


def forwarding_headers(environ: Mapping[str, Any], forwarding: Forwarding) -> dict[str, str]:
    """What the upstream is told about the client and the request: by us alone (F091 to F093, F131).

    ``X-Forwarded-For`` names one address, the client's, whatever stands between: so the upstream's number of proxies
    is always one. Where nobody knows the client it is absent, and ``Forwarded`` says ``unknown``.

    :raises UpstreamLoop: when the request has come through here before (RFC 9110, section 7.6; F109).
    """
    client = client_address(environ, forwarding.trusted)
    headers = {"Via": forwarding.via(environ), **forwarding.public, "Forwarded": forwarding.forwarded(client)}
    if client is not None:
        headers["X-Forwarded-For"] = client
    if REQUEST_ID in environ:
        headers["X-Request-ID"] = environ[REQUEST_ID]
    return headers


def answer_headers(pairs: Iterable[Header]) -> list[Header]:
    """The headers of an answer that come back, in order, repeated ones too; and ours, once."""
    kept = []
    heard: list[Header] = []
    for name, value in pairs:
        key = _lower(name)
        if key not in ANSWER_HEADERS_KEPT_BACK:
            kept.append((name, value))
        elif key in _HEARD:
            heard.append((key, value))
    if not heard:
        kept += SAFE_HEADERS
        return kept
    kept = _without_named(kept, [value for key, value in heard if key == "connection"])
    policies = [value for key, value in heard if key == "referrer-policy" and value in STRICT_REFERRER_POLICIES]
    kept += (NOSNIFF, (SAME_ORIGIN_REFERRER[0], policies[-1]) if policies else SAME_ORIGIN_REFERRER)
    return kept


def _without_named(headers: list[Header], connections: list[str]) -> list[Header]:
    """The headers that no ``Connection`` names."""
    named = {option.strip().lower() for value in connections for option in value.split(",")}
    if named <= _PLAIN_CONNECTIONS:
        return headers
    return [header for header in headers if _lower(header[0]) not in named]


_LOWER: dict[str, str] = {}


def _lower(name: str) -> str:
    """``str.lower`` remembered: header names repeat; the memory is bounded against an upstream that invents names."""
    key = _LOWER.get(name)
    if key is None:
        key = name.lower()
        if len(_LOWER) < 1024:
            _LOWER[name] = key
    return key
