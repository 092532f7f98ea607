"""Where this server and the upstream are, and who may use it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from wsgiproxy_hs.setting_faults import variable as _variable
from wsgiproxy_hs.setting_types import HttpUrl, Origins, Prefix, Secret, TokenName, Trusted, UpstreamUrl, origin_of
from wsgiproxy_hs.trusted_proxies import TrustedProxies

SECRET_VARIABLES: Final = ("AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET", "NEXTAUTH_SECRET")
"""The first that is set seals; all that are set unseal (F025)."""


class SiteSettings(BaseModel):
    """Where this server and the upstream are, and who may use it."""

    backend_url: UpstreamUrl = _variable(
        "BACKEND_URL",
        doc="the Django backend: `http://...`, `https://...` or `unix:/run/django.sock`; a path in it comes first",
    )
    public_url: HttpUrl = _variable(
        "AUTH_URL",
        "NEXTAUTH_URL",
        doc="where browsers find this server; its scheme decides cookie names and `Secure`, its path where sign-in is",
    )
    secrets: Annotated[tuple[Secret, ...], Field(min_length=1)] = _variable(
        *SECRET_VARIABLES, doc="secrets of the sessions, at least 32 characters each: the first seals, all unseal"
    )
    trusted_proxies: Trusted = _variable(
        "TRUSTED_PROXIES",
        default=TrustedProxies(),
        doc="proxies in front that may say who the client is: networks (`10.0.0.0/8, unix`), or how many; else nobody",
    )
    allowed_origins: Origins = _variable(
        "ALLOWED_ORIGINS",
        default=(),
        doc="further origins whose pages may use the API with the session, such as `https://admin.example.com`",
    )
    via_pseudonym: TokenName = _variable(
        "VIA_PSEUDONYM", default="wsgiproxy_hs", doc="our name in `Via`, by which loops are found: one for each server"
    )
    trace_context: Literal["pass", "restart"] = _variable(
        "TRACE_CONTEXT",
        default="pass",
        doc="`restart`: the backend begins a trace of its own and never hears the browser's `traceparent`",
    )
    prefix: Prefix = _variable(
        "WSGIPROXY_PREFIX", default="/api", doc="what precedes every public path; `/` when the host takes it away"
    )
    routes: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = _variable(
        "WSGIPROXY_ROUTES", default="wsgiproxy_hs.table:ROUTES", doc="the route table, as `package.module:NAME`"
    )
    authorization_scheme: TokenName = _variable(
        "AUTHORIZATION_SCHEME", default="JWT", doc="the word before the access token in `Authorization`"
    )

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """The secrets in plain text, for the codecs; the first one seals."""
        return tuple(secret.get_secret_value() for secret in self.secrets)

    @property
    def forwarding(self) -> dict[str, Any]:
        """What the upstream is told in every request, as ``Forwarding`` takes it."""
        return {
            "public_url": self.public_url,
            "trusted": self.trusted_proxies,
            "pseudonym": self.via_pseudonym,
            "passes_trace": self.trace_context == "pass",
        }

    @property
    def secure(self) -> bool:
        """Whether the public URL is https, and so cookies are ``Secure``."""
        return self.public_url.startswith("https:")

    @property
    def public_origin(self) -> str:
        """``https://app.example.com``: what browsers send as ``Origin`` from our own pages."""
        return origin_of(self.public_url)

    @property
    def auth_path(self) -> str:
        """Where browsers find sign-in: the public URL's path, else ``auth`` below the prefix."""
        return urlsplit(self.public_url).path or f"{self.prefix}/auth"
