"""Inside, errors are exceptions; outside, they have one documented shape.

::

    ConfigurationError                 while building; never during a request
    ProxyError                         500  internal-error
    ├── LimitError
    │   ├── UrlTooLong                 414  url-too-long
    │   └── HeadersTooLarge            431  headers-too-large
    ├── RoutingError
    │   ├── PathRefused                400  path-refused
    │   ├── RouteNotFound              404  route-not-found
    │   └── MethodNotAllowed           405  method-not-allowed
    ├── CrossSiteError
    │   ├── CrossSiteRefused           403  cross-site-refused
    │   └── CrossSiteHeaderMissing     403  cross-site-header-missing
    ├── SessionError
    │   ├── Unauthorized               401  unauthorized
    │   └── RenewalUnavailable         503  renewal-unavailable
    ├── ThrottleError
    │   ├── Throttled                  429  throttled
    │   └── TooManyAtOnce              429  too-many-at-once
    ├── BodyError
    │   ├── BodyInvalid                400  body-invalid
    │   ├── BodyTooComplex             400  body-too-complex
    │   ├── BodyNotExpected            400  body-not-expected
    │   ├── BodyIncomplete             400  body-incomplete
    │   ├── ContentLengthInvalid       400  content-length-invalid
    │   ├── UploadTooSlow              408  upload-too-slow
    │   ├── LengthRequired             411  length-required
    │   ├── BodyTooLarge               413  body-too-large
    │   └── UnsupportedMediaType       415  unsupported-media-type
    ├── EndpointError
    │   ├── EndpointNotConfigured      503  endpoint-not-configured
    │   └── ProviderFailed             502  provider-failed
    └── UpstreamError
        ├── UpstreamStatus             the upstream's own  upstream-status
        ├── UpstreamUnreachable        502  upstream-unreachable
        ├── UpstreamAnswerInvalid      502  upstream-answer-invalid
        ├── UpstreamRedirect           502  upstream-redirect
        ├── UpstreamBusy               503  upstream-busy
        ├── UpstreamTimeout            504  upstream-timeout
        └── UpstreamLoop               508  upstream-loop

``status`` and ``code`` are class attributes, so that documentation and tests read them without an instance.
``detail`` is safe to show to anybody; the private story goes to ``__cause__`` and from there to the log.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Header = tuple[str, str]
Fields = Mapping[str, object]


class ConfigurationError(Exception):
    """The configuration is wrong and nothing was started.

    ``faults`` holds one sentence a fault, each naming the setting or the row and how to mend it: one start shows all.
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class ProxyError(Exception):
    """Whatever a layer refuses: rendered by :mod:`wsgiproxy_hs.error_document`, by ``ErrorMiddleware`` alone.

    :param detail: the sentence for the person who reads it; the class's own when not given.
    :param fields: messages by field in the form of Django REST framework, so that a form has one shape to read.
    :param headers: header fields that the answer must carry.

    ``drain_bytes``: how much of the request body is worth reading away so that the client sees the answer and not a
    reset (F084); the layer that answers has a bound of its own, and the larger one counts. ``None`` means nothing.
    """

    status: int = 500
    code: str = "internal-error"
    detail: str = "Internal server error"
    drain_bytes: int | None = 0

    def __init__(
        self, detail: str | None = None, *, fields: Fields | None = None, headers: Iterable[Header] = ()
    ) -> None:
        if detail is not None:
            self.detail = detail
        self.fields = fields
        self.headers: list[Header] = list(headers)
        super().__init__(self.detail)


class LimitError(ProxyError):
    """The head of the request is larger than anything that we serve needs."""


class UrlTooLong(LimitError):
    status, code, detail = 414, "url-too-long", "The URL of this request is too long"


class HeadersTooLarge(LimitError):
    status, code, detail = 431, "headers-too-large", "The header fields of this request are too large"


class RoutingError(ProxyError):
    """The request line leads nowhere."""


class PathRefused(RoutingError):
    """The path could be read in two ways, and so is read in none (F040 to F050)."""

    status, code, detail = 400, "path-refused", "The path has a form that is not accepted"


class RouteNotFound(RoutingError):
    status, code, detail = 404, "route-not-found", "Not found"


class MethodNotAllowed(RoutingError):
    """Carries ``Allow`` (RFC 9110, section 15.5.6).

    :param allow: the methods of the path, in table order.
    """

    status, code, detail = 405, "method-not-allowed", "Method not allowed"

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__(headers=[("Allow", ", ".join(allow))])


class CrossSiteError(ProxyError):
    """Another site may have made this request."""


class CrossSiteRefused(CrossSiteError):
    status, code, detail = 403, "cross-site-refused", "Requests from other sites are refused"


class CrossSiteHeaderMissing(CrossSiteError):
    status, code = 403, "cross-site-header-missing"
    detail = (
        "This request does not show that it comes from our own pages; "
        "send the header X-Requested-With or X-CSRF (any value) with it"
    )


class SessionError(ProxyError):
    """The session does not carry this request."""


class Unauthorized(SessionError):
    """No session, or one that cannot be read or is over: which of these is nobody's business (F159).

    Carries ``WWW-Authenticate`` (RFC 9110, section 11.6.1) with a scheme that makes no browser prompt.
    """

    status, code, detail = 401, "unauthorized", "Unauthorized"

    def __init__(self) -> None:
        super().__init__(headers=[("WWW-Authenticate", 'Session realm="api"')])


class RenewalUnavailable(SessionError):
    """The access token is over, and whether it can be renewed is not known yet: the session stays (F009)."""

    status, code, detail = 503, "renewal-unavailable", "Your session cannot be renewed just now; try again in a moment"

    def __init__(self, *, retry_after_seconds: float = 1) -> None:
        super().__init__(headers=[("Retry-After", str(max(1, math.ceil(retry_after_seconds))))])


class ThrottleError(ProxyError):
    """This person, or this address, asks for too much."""


class Throttled(ThrottleError):
    status, code, detail = 429, "throttled", "Too many requests; try again later"


class TooManyAtOnce(ThrottleError):
    status, code, detail = 429, "too-many-at-once", "Too many of your requests are under way; try again in a moment"


class BodyError(ProxyError):
    """The request body is refused before the upstream sees a byte of it."""


class BodyInvalid(BodyError):
    status, code, detail = 400, "body-invalid", "The request body is not valid"


class BodyTooComplex(BodyError):
    status, code, detail = 400, "body-too-complex", "The request body is nested too deeply, or has too many parts"


class BodyNotExpected(BodyError):
    status, code, detail = 400, "body-not-expected", "This request takes no body"


class BodyIncomplete(BodyError):
    status, code, detail = 400, "body-incomplete", "The request body ended before its announced length"


class ContentLengthInvalid(BodyError):
    status, code, detail = 400, "content-length-invalid", "The Content-Length header is not a length"


class UploadTooSlow(BodyError):
    """What is left of the body is not waited for: whoever sent it slowly would send that slowly too (F083)."""

    status, code, detail = 408, "upload-too-slow", "The request body took too long to arrive"
    drain_bytes = None


class LengthRequired(BodyError):
    status, code, detail = 411, "length-required", "This request needs a Content-Length header"


class BodyTooLarge(BodyError):
    """:param max_bytes: the limit that was passed, named in the answer."""

    status, code, detail = 413, "body-too-large", "The request body is too large"
    drain_bytes = 33_554_432  # whoever uploads too much should be told, and browsers read only after they have sent

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The request body is larger than {max_bytes:,} bytes")


class UnsupportedMediaType(BodyError):
    status, code, detail = 415, "unsupported-media-type", "The request body must be JSON in UTF-8, not compressed"


class EndpointError(ProxyError):
    """A route that is answered here could not be."""


class EndpointNotConfigured(EndpointError):
    status, code, detail = 503, "endpoint-not-configured", "This function is not set up on this server"


class ProviderFailed(EndpointError):
    status, code, detail = 502, "provider-failed", "A service that this function needs did not answer as it should"


class UpstreamError(ProxyError):
    """The upstream could not be asked, or what it said is not to be passed on as it is."""


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
        super().__init__(detail, headers=[("Retry-After", str(retry_after_seconds))])


class UpstreamTimeout(UpstreamError):
    status, code, detail = 504, "upstream-timeout", "The server behind this one took too long to answer"


class UpstreamLoop(UpstreamError):
    status, code, detail = 508, "upstream-loop", "This request has come through this server before"
