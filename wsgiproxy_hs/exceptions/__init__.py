"""Inside, errors are exceptions; outside, they have one documented shape.

::

    ConfigurationError                 while building; never during a request
    ProxyError                         500  internal-error
    ├── LimitError
    │   ├── HeadersInvalid             400  headers-invalid
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
        ├── UpstreamUnavailable        503  upstream-unavailable
        ├── UpstreamTimeout            504  upstream-timeout
        └── UpstreamLoop               508  upstream-loop

``status`` and ``code`` are class attributes, so that documentation and tests read them without an instance.
``detail`` is safe to show to anybody; the private story goes to ``__cause__`` and from there to the log.
"""

from wsgiproxy_hs.exceptions.proxy_error import UPLOAD_DRAIN_BYTES as UPLOAD_DRAIN_BYTES
from wsgiproxy_hs.exceptions.proxy_error import ConfigurationError as ConfigurationError
from wsgiproxy_hs.exceptions.proxy_error import Fields as Fields
from wsgiproxy_hs.exceptions.proxy_error import Header as Header
from wsgiproxy_hs.exceptions.proxy_error import ProxyError as ProxyError
from wsgiproxy_hs.exceptions.refusals import BodyError as BodyError
from wsgiproxy_hs.exceptions.refusals import BodyIncomplete as BodyIncomplete
from wsgiproxy_hs.exceptions.refusals import BodyInvalid as BodyInvalid
from wsgiproxy_hs.exceptions.refusals import BodyNotExpected as BodyNotExpected
from wsgiproxy_hs.exceptions.refusals import BodyTooComplex as BodyTooComplex
from wsgiproxy_hs.exceptions.refusals import BodyTooLarge as BodyTooLarge
from wsgiproxy_hs.exceptions.refusals import ContentLengthInvalid as ContentLengthInvalid
from wsgiproxy_hs.exceptions.refusals import CrossSiteError as CrossSiteError
from wsgiproxy_hs.exceptions.refusals import CrossSiteHeaderMissing as CrossSiteHeaderMissing
from wsgiproxy_hs.exceptions.refusals import CrossSiteRefused as CrossSiteRefused
from wsgiproxy_hs.exceptions.refusals import HeadersInvalid as HeadersInvalid
from wsgiproxy_hs.exceptions.refusals import HeadersTooLarge as HeadersTooLarge
from wsgiproxy_hs.exceptions.refusals import LengthRequired as LengthRequired
from wsgiproxy_hs.exceptions.refusals import LimitError as LimitError
from wsgiproxy_hs.exceptions.refusals import MethodNotAllowed as MethodNotAllowed
from wsgiproxy_hs.exceptions.refusals import PathRefused as PathRefused
from wsgiproxy_hs.exceptions.refusals import RenewalUnavailable as RenewalUnavailable
from wsgiproxy_hs.exceptions.refusals import RouteNotFound as RouteNotFound
from wsgiproxy_hs.exceptions.refusals import RoutingError as RoutingError
from wsgiproxy_hs.exceptions.refusals import SessionError as SessionError
from wsgiproxy_hs.exceptions.refusals import Throttled as Throttled
from wsgiproxy_hs.exceptions.refusals import ThrottleError as ThrottleError
from wsgiproxy_hs.exceptions.refusals import TooManyAtOnce as TooManyAtOnce
from wsgiproxy_hs.exceptions.refusals import Unauthorized as Unauthorized
from wsgiproxy_hs.exceptions.refusals import UnsupportedMediaType as UnsupportedMediaType
from wsgiproxy_hs.exceptions.refusals import UploadTooSlow as UploadTooSlow
from wsgiproxy_hs.exceptions.refusals import UrlTooLong as UrlTooLong
from wsgiproxy_hs.exceptions.services import EndpointError as EndpointError
from wsgiproxy_hs.exceptions.services import EndpointNotConfigured as EndpointNotConfigured
from wsgiproxy_hs.exceptions.services import ProviderFailed as ProviderFailed
from wsgiproxy_hs.exceptions.services import UpstreamAnswerInvalid as UpstreamAnswerInvalid
from wsgiproxy_hs.exceptions.services import UpstreamBusy as UpstreamBusy
from wsgiproxy_hs.exceptions.services import UpstreamError as UpstreamError
from wsgiproxy_hs.exceptions.services import UpstreamLoop as UpstreamLoop
from wsgiproxy_hs.exceptions.services import UpstreamRedirect as UpstreamRedirect
from wsgiproxy_hs.exceptions.services import UpstreamStatus as UpstreamStatus
from wsgiproxy_hs.exceptions.services import UpstreamTimeout as UpstreamTimeout
from wsgiproxy_hs.exceptions.services import UpstreamUnavailable as UpstreamUnavailable
from wsgiproxy_hs.exceptions.services import UpstreamUnreachable as UpstreamUnreachable
