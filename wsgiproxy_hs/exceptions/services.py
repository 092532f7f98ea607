"""What failed behind the layers: an endpoint, or the upstream."""

from __future__ import annotations

from collections.abc import Iterable

from wsgiproxy_hs.exceptions.proxy_error import UPLOAD_DRAIN_BYTES, Fields, Header, ProxyError, retry_after


class EndpointError(ProxyError):
    """A route that is answered here could not be."""


class EndpointNotConfigured(EndpointError):
    status, code, detail = 503, "endpoint-not-configured", "This function is not set up on this server"


class ProviderFailed(EndpointError):
    status, code, detail = 502, "provider-failed", "A service that this function needs did not answer as it should"


class UpstreamError(ProxyError):
    """The upstream could not be asked, or what it said is not to be passed on as it is.

    It may say so while the body is still on its way to it; the client hears it once it has sent its body (F084).
    """

    drain_bytes = UPLOAD_DRAIN_BYTES


class UpstreamStatus(UpstreamError):
    """The upstream's own error, in the documented shape: its status, its ``detail``, its fields.

    :param status: 400 to 599, as the upstream said.

    ``upstream_code`` is the upstream's own ``code``, for programs inside: it is not shown.
    """

    code, detail = "upstream-status", "Request failed"
    upstream_code: str | None = None

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        fields: Fields | None = None,
        headers: Iterable[Header] = (),
    ) -> None:
        super().__init__(detail, fields=fields, headers=headers)
        self.status = status


class UpstreamUnreachable(UpstreamError):
    status, code, detail = 502, "upstream-unreachable", "The server behind this one cannot be reached"


class UpstreamAnswerInvalid(UpstreamError):
    status, code, detail = 502, "upstream-answer-invalid", "The server behind this one gave an answer that is not valid"


class UpstreamRedirect(UpstreamError):
    """A redirect that the row does not let pass; it is never followed (F103, F104, F122)."""

    status, code, detail = 502, "upstream-redirect", "The server behind this one answered with a redirect"


class UpstreamBusy(UpstreamError):
    status, code, detail = 503, "upstream-busy", "Too many requests are under way; try again in a moment"

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers=[retry_after(retry_after_seconds)])


class UpstreamUnavailable(UpstreamError):
    """The upstream failed so often that it is left alone for a moment (F142)."""

    status, code = 503, "upstream-unavailable"
    detail = "The server behind this one does not answer just now; try again in a moment"

    def __init__(self, *, retry_after_seconds: float = 1) -> None:
        super().__init__(headers=[retry_after(retry_after_seconds)])


class UpstreamTimeout(UpstreamError):
    status, code, detail = 504, "upstream-timeout", "The server behind this one took too long to answer"


class UpstreamLoop(UpstreamError):
    status, code, detail = 508, "upstream-loop", "This request has come through this server before"
