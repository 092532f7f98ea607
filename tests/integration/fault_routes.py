"""A table whose one row leads to the backend's fault routes."""

from wsgiproxy_hs import EMPTY_OR_OBJECT, NONE, Route

ROUTES = [Route("GET, POST", "faults/{kind}", "/api/faults/{kind}/", NONE, EMPTY_OR_OBJECT)]
