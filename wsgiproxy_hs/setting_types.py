"""The types of settings: what each accepts, and what it says about the rest. No message repeats a value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from wsgiproxy_hs.rates import Rate, parse_rate
from wsgiproxy_hs.secret_strength import secret_fault
from wsgiproxy_hs.trusted_proxies import TrustedProxies

_URL_CHARACTERS: Final = re.compile(r"[!-\[\]-~]*")  # visible ASCII without the backslash


def _http_url(value: str) -> str:
    """An absolute http(s) URL without user, query or fragment, and without a slash at its end."""
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise ValueError("not an http:// or https:// URL with a host")
    if "@" in parts.netloc or parts.query or parts.fragment or not _URL_CHARACTERS.fullmatch(value):
        raise ValueError("a user, a query, a fragment or blanks do not belong into this URL")
    return value.rstrip("/")


def _upstream_url(value: str) -> str:
    """An http(s) URL, whose path precedes every upstream path, or the path of a Unix socket: ``unix:/run/app.sock``."""
    if not value.startswith("unix:"):
        return _http_url(value)
    path = value.removeprefix("unix:")
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError("write the path of a Unix socket as unix:/run/django.sock")
    return "http+unix://" + quote(path, safe="")


def _secret(value: SecretStr) -> SecretStr:
    """Long enough, and not one that can be read in a tutorial (F036, F037)."""
    fault = secret_fault(value.get_secret_value())
    if fault is not None:
        raise ValueError(fault)
    return value


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//") or not value.endswith("/"):
        raise ValueError("write the path with a slash at both ends")
    return value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    """Origins as browsers write them: scheme and host in small letters, no default port, no path, no ``*``."""
    for value in values:
        if _http_url(value) != value or origin_of(value) != value or "*" in value:
            raise ValueError("write origins as https://admin.example.com, each with its scheme and nothing behind it")
    return values


def origin_of(url: str) -> str:
    """``https://app.example.com/x`` -> ``https://app.example.com``, as browsers send it (RFC 6454, section 6.2)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _rate(value: Any) -> Any:
    return parse_rate(value) if isinstance(value, str) else value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
UpstreamUrl = Annotated[str, AfterValidator(_upstream_url)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(gt=0)]
SessionFormat = Literal["authjs", "next-auth", "signed", "flask"]
Formats = Annotated[tuple[SessionFormat, ...], BeforeValidator(_names), Field(min_length=1)]
Prefix = Annotated[
    str,
    BeforeValidator(lambda value: value.rstrip("/") if isinstance(value, str) else value),
    Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$"),
]
Path = Annotated[str, AfterValidator(_path)]
TokenName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
Trusted = Annotated[
    TrustedProxies, BeforeValidator(lambda value: TrustedProxies.parse(value) if isinstance(value, str) else value)
]
Origins = Annotated[tuple[str, ...], BeforeValidator(_names), AfterValidator(_origins)]
Throttling = Annotated[Rate | None, BeforeValidator(_rate)]
