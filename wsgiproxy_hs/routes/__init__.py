"""Routes as values: rows, the matcher, path templates, body models, strict JSON."""

from wsgiproxy_hs.routes.route import ANY as ANY
from wsgiproxy_hs.routes.route import EMPTY_OR_OBJECT as EMPTY_OR_OBJECT
from wsgiproxy_hs.routes.route import NONE as NONE
from wsgiproxy_hs.routes.route import OPTIONAL as OPTIONAL
from wsgiproxy_hs.routes.route import RAW as RAW
from wsgiproxy_hs.routes.route import REQUIRED as REQUIRED
from wsgiproxy_hs.routes.route import SAFE_METHODS as SAFE_METHODS
from wsgiproxy_hs.routes.route import Body as Body
from wsgiproxy_hs.routes.route import BodyRule as BodyRule
from wsgiproxy_hs.routes.route import CrossSite as CrossSite
from wsgiproxy_hs.routes.route import Route as Route
from wsgiproxy_hs.routes.route import Token as Token
from wsgiproxy_hs.routes.table import RouteTable as RouteTable
