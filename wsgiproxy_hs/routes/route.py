"""One row of the table: what it matches, where it goes and what it asks of a request.

A row that is wrong is a :class:`~wsgiproxy_hs.exceptions.ConfigurationError` when it is built, naming the row.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.routes.header_names import header_fault
from wsgiproxy_hs.routes.templates import PathTemplate

_METHOD: Final = re.compile(r"[A-Z]+")
BODILESS_METHODS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
ANY: Final = "GET, POST, PUT, PATCH, DELETE"


class Token(enum.Enum):
    """Whether a row needs the session's access token."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Body(enum.Enum):
    """What a row takes where no pydantic model describes its body."""

    EMPTY_OR_OBJECT = "any JSON object, or nothing"
    RAW = "bytes of any kind"


class CrossSite(enum.Enum):
    """What the cross-site layer asks of a row's unsafe requests."""

    CHECKED = "checked"
    """Evidence of the same origin, or the header that only our own pages can send."""
    CHECKED_GET = "checked, GET too"
    """As above, also for GET and HEAD: for rows whose GET has effects (F148)."""
    OWN_TOKEN = "own token"
    """Contrary evidence refuses; without any, the endpoint's own CSRF token decides."""
    EXEMPT = "exempt"
    """No browser calls this row: what it carries proves itself, like a signed webhook."""


NONE, OPTIONAL, REQUIRED = Token.NONE, Token.OPTIONAL, Token.REQUIRED
EMPTY_OR_OBJECT, RAW = Body.EMPTY_OR_OBJECT, Body.RAW

BodyRule = type[BaseModel] | Body | None
Endpoint = str | Callable[..., Any] | type[Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table.

    :param methods: ``"GET, POST"``. HEAD follows GET, OPTIONS is answered for every row.
    :param path: public path below the prefix, without slashes around it: ``workspaces/{workspace_id}/chats``.
    :param to: where it goes: an upstream path template ending in a slash, or an endpoint, which is a WSGI app or a
        class with ``from_settings(settings, *, transport, sessions, **others)`` that makes one.
    :param token: ``NONE``, ``OPTIONAL`` or ``REQUIRED``.
    :param body: a pydantic model, ``EMPTY_OR_OBJECT``, ``RAW``, or ``None`` for a row that takes none. It concerns
        the methods that have a body: never GET, HEAD or DELETE, unless ``delete_body`` says so.
    :param request_headers: further request header names that travel to the upstream; none of those in
        :data:`.header_names.FORBIDDEN`.
    :param max_bytes: largest body in bytes; ``None`` means the layer's default.
    :param timeout_seconds: longest wait for the first byte of the upstream's answer; ``None`` means the default.
    :param cross_site: what the cross-site layer asks of it.
    :param throttle: name of the rule that says how often one address or one person may ask; ``None`` for no rule.
    :param redirects: whether the upstream's redirects pass to the browser.
    :param reshape_errors: whether the upstream's errors become the documented shape.
    :param delete_body: whether DELETE may carry a body.
    :param stream_body: whether a RAW body of more than 64 KiB that has a length is sent on while it arrives. It cannot
        be sent again after a renewal, a slow client keeps the upstream waiting, and of one that stops the upstream has
        seen a part. Otherwise a body is held whole before the upstream sees a byte of it.
    :param path_setting: name of the setting that, when set, replaces ``to``.
    """

    methods: str
    path: str
    to: Endpoint
    token: Token = REQUIRED
    body: BodyRule = None
    request_headers: tuple[str, ...] = ()
    max_bytes: int | None = None
    timeout_seconds: float | None = None
    cross_site: CrossSite = CrossSite.CHECKED
    throttle: str | None = None
    redirects: bool = False
    reshape_errors: bool = True
    delete_body: bool = False
    stream_body: bool = False
    path_setting: str | None = None
    template: PathTemplate = field(init=False, repr=False, compare=False)
    upstream: PathTemplate | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            raise ConfigurationError([f"Route({self.methods!r}, {self.path!r}): {fault}" for fault in faults])
        object.__setattr__(self, "template", PathTemplate(self.path))
        upstream = PathTemplate(self.to) if isinstance(self.to, str) else None
        object.__setattr__(self, "upstream", upstream)

    @property
    def method_names(self) -> tuple[str, ...]:
        """``("GET", "POST")``, as written."""
        return tuple(name.strip() for name in self.methods.split(","))

    def upstream_path(self, params: Mapping[str, str]) -> str:
        """Where a request of this row goes, its checked parameters put in.

        :raises LookupError: when the row ends in an endpoint.
        """
        if self.upstream is None:
            raise LookupError(f"{self.methods} {self.path} does not lead to an upstream")
        path = self.upstream.expand(params)
        return path.rstrip("/") + "/" if path.endswith("//") else path  # a rest parameter may end in the same slash

    def takes_body(self, method: str) -> bool:
        """Whether a request of this method may carry a body."""
        if self.body is None:
            return False
        return method not in BODILESS_METHODS or (method == "DELETE" and self.delete_body)


def _faults(route: Route) -> list[str]:
    """Everything that is wrong with a row, one sentence a fault."""
    faults = [
        f"{name!r} is not a method; write them as 'GET, POST'"
        for name in route.method_names
        if not _METHOD.fullmatch(name) or name == "OPTIONS"
    ]
    if len(set(route.method_names)) < len(route.method_names):
        faults.append("a method stands twice")
    path_faults = PathTemplate.faults(route.path)
    if route.path.startswith("/") or route.path.endswith("/"):
        path_faults.append("the public path has no slash at its ends; the prefix is added to it")
    faults += path_faults
    if isinstance(route.to, str):
        faults += _upstream_faults(route, route.to, known=not path_faults)
    elif not callable(route.to):
        faults.append("'to' must be an upstream path, a WSGI app or a class with from_settings()")
    return [*faults, *_column_faults(route), *_limit_faults(route)]


def _column_faults(route: Route) -> Iterator[str]:
    """Columns of the wrong kind: a forgotten one would make the next one mean something else."""
    if not isinstance(route.token, Token):
        yield f"the access token column is {route.token!r}; write NONE, OPTIONAL or REQUIRED"
    if not (route.body is None or isinstance(route.body, Body) or _is_model(route.body)):
        yield f"the body column is {route.body!r}; write a pydantic model, EMPTY_OR_OBJECT, RAW or None"
    if not isinstance(route.cross_site, CrossSite):
        yield f"cross_site={route.cross_site!r}; write CrossSite.CHECKED, OWN_TOKEN or EXEMPT"
    if isinstance(route.request_headers, str):
        yield f"request_headers={route.request_headers!r} is one text; write a tuple: ({route.request_headers!r},)"
    else:
        yield from filter(None, map(header_fault, route.request_headers))


def _is_model(rule: object) -> bool:
    return isinstance(rule, type) and issubclass(rule, BaseModel)


def _limit_faults(route: Route) -> Iterator[str]:
    if route.max_bytes is not None and route.max_bytes < 1:
        yield f"max_bytes={route.max_bytes} is below 1; a row that takes no body has None in the body column"
    if route.timeout_seconds is not None and route.timeout_seconds <= 0:
        yield f"timeout_seconds={route.timeout_seconds} is not above 0"
    if route.stream_body and route.body is not RAW:
        yield "stream_body is for RAW bodies: those that are checked are held until they are"
    if route.delete_body and (route.body is None or "DELETE" not in route.method_names):
        yield "delete_body needs DELETE among the methods and a body column"


def _upstream_faults(route: Route, to: str, *, known: bool) -> list[str]:
    faults = PathTemplate.faults(to)
    if not to.startswith("/") or to.startswith("//"):
        faults.append(f"the upstream path {to!r} must begin with one slash; the upstream's address is a setting")
    if faults or not known:
        return faults
    unknown = set(PathTemplate(to).names) - set(PathTemplate(route.path).names)
    return [f"the upstream path uses {{{name}}}, which {route.path!r} does not have" for name in sorted(unknown)]
