"""Which headers travel: requests by allow-list, answers by deny-list, each row with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from wsgiproxy_hs.exceptions import Header, UpstreamLoop

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
    "Traceparent": "one trace from the browser to the upstream (W3C Trace Context)",
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
    "set-cookie": "the upstream's cookies stay inside (F086)",
    "server": "a banner is of use to attackers only (ASVS 13.4)",
    "x-powered-by": "as above",
    "date": "the server writes its own",
    "access-control-allow-origin": "who may read is decided here, not by the upstream (F158)",
    "access-control-allow-credentials": "as above",
    "access-control-allow-headers": "as above",
    "access-control-allow-methods": "as above",
    "access-control-expose-headers": "as above",
    "access-control-max-age": "as above",
    "alt-svc": "names an address of the upstream",
    "strict-transport-security": "this origin's own to say",
}
"""Answer headers that do not come back; names in lower case."""

ERROR_HEADERS_KEPT: Final = frozenset({"retry-after", "allow", "www-authenticate"})
"""What survives of the headers of an upstream's error (F127)."""

VIA: Final = "1.1 wsgiproxy_hs"


def environ_names(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """``("Accept", ...)`` -> ``(("HTTP_ACCEPT", "Accept"), ...)``."""
    return tuple(("HTTP_" + name.upper().replace("-", "_"), name) for name in names)


def request_headers(environ: Mapping[str, Any], names: Collection[tuple[str, str]]) -> dict[str, str]:
    """The headers of a request that travel.

    :param names: from :func:`environ_names`.
    """
    return {name: environ[key] for key, name in names if key in environ}


def public_headers(public_url: str | None) -> dict[str, str]:
    """What the upstream is told about where browsers find us, so that it need not redirect them (F131)."""
    if public_url is None:
        return {}
    parts = urlsplit(public_url)
    return {"X-Forwarded-Proto": parts.scheme, "X-Forwarded-Host": parts.netloc}


def forwarding_headers(environ: Mapping[str, Any], public: Mapping[str, str]) -> dict[str, str]:
    """What the upstream is told about the client: by us alone, never by the client (F091 to F093, F131).

    :param public: from :func:`public_headers`.
    :raises UpstreamLoop: when the request has come through here before (RFC 9110, section 7.6; F109).
    """
    via = environ.get("HTTP_VIA")
    if via is not None and VIA in via:
        raise UpstreamLoop
    headers = {"Via": f"{via}, {VIA}" if via else VIA, **public}
    client = environ.get("REMOTE_ADDR")
    if client:
        headers["X-Forwarded-For"] = client
    return headers


def answer_headers(pairs: Iterable[Header]) -> list[Header]:
    """The headers of an answer that come back, in order, repeated ones too."""
    kept = []
    named: set[str] | None = None
    for name, value in pairs:
        key = _lower(name)
        if key not in ANSWER_HEADERS_KEPT_BACK:
            kept.append((name, value))
        elif key == "connection":
            named = (named or set()) | {option.strip().lower() for option in value.split(",")}
    if named and not named <= {"close", "keep-alive"}:
        kept = [header for header in kept if _lower(header[0]) not in named]
    return kept


_LOWER: dict[str, str] = {}


def _lower(name: str) -> str:
    """``str.lower`` remembered: header names repeat; the memory is bounded against an upstream that invents names."""
    key = _LOWER.get(name)
    if key is None:
        key = name.lower()
        if len(_LOWER) < 1024:
            _LOWER[name] = key
    return key
