"""What the layers refuse: each family belongs to one layer."""

from __future__ import annotations

from collections.abc import Sequence

from wsgiproxy_hs.exceptions.proxy_error import UPLOAD_DRAIN_BYTES, ProxyError, retry_after


class LimitError(ProxyError):
    """The head of the request is larger than anything that we serve needs, or broken."""


class HeadersInvalid(LimitError):
    """A line end or NUL in a header field (RFC 9110, section 5.5)."""

    status, code, detail = 400, "headers-invalid", "A header field of this request has a character that is not accepted"


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
        super().__init__(headers=[retry_after(retry_after_seconds)])


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
    """A length that is none, or one beside chunks (RFC 9112, section 6.3): nobody knows how much would be read away."""

    status, code, detail = 400, "content-length-invalid", "The Content-Length header is not a length"
    drain_bytes = None


class UploadTooSlow(BodyError):
    """What is left of the body is not waited for: whoever sent it slowly would send that slowly too (F083)."""

    status, code, detail = 408, "upload-too-slow", "The request body took too long to arrive"
    drain_bytes = None


class LengthRequired(BodyError):
    status, code, detail = 411, "length-required", "This request needs a Content-Length header"


class BodyTooLarge(BodyError):
    """:param max_bytes: the limit that was passed, named in the answer."""

    status, code, detail = 413, "body-too-large", "The request body is too large"
    drain_bytes = UPLOAD_DRAIN_BYTES

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The request body is larger than {max_bytes:,} bytes")


class UnsupportedMediaType(BodyError):
    status, code, detail = 415, "unsupported-media-type", "The request body must be JSON in UTF-8, not compressed"
