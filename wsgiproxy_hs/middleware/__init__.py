"""One module a layer; each is plain WSGI and usable alone."""

from wsgiproxy_hs.middleware.body import BodyMiddleware as BodyMiddleware
from wsgiproxy_hs.middleware.cross_site import CrossSiteMiddleware as CrossSiteMiddleware
from wsgiproxy_hs.middleware.errors import ErrorMiddleware as ErrorMiddleware
from wsgiproxy_hs.middleware.limits import LimitsMiddleware as LimitsMiddleware
from wsgiproxy_hs.middleware.routing import RouteMiddleware as RouteMiddleware
from wsgiproxy_hs.middleware.session import SessionMiddleware as SessionMiddleware
from wsgiproxy_hs.middleware.throttle import ThrottleMiddleware as ThrottleMiddleware
