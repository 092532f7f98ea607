"""Every layer with what the contracts need: how to make it, requests that show all it does, and its card."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from tests.harness import PUBLIC_URL, make_sessions, request, routed, session_cookie
from wsgiproxy_hs import exceptions, middleware
from wsgiproxy_hs.exceptions import ProxyError, RouteNotFound
from wsgiproxy_hs.routes import ANY, EMPTY_OR_OBJECT, NONE, RAW, Route
from wsgiproxy_hs.routes.bodies import EmailOnly


class Watched(dict[str, Any]):
    """An environ that notes which keys are looked at and which are written."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        super().__init__(environ)
        self.read: set[str] = set()
        self.written: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.written.add(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.written.add(key)
        super().__delitem__(key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self.written.add(key)
        return super().setdefault(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        if dict.__contains__(self, key):
            self.written.add(key)
        return super().pop(key, *default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.written |= set(dict(*args, **kwargs))
        super().update(*args, **kwargs)


@dataclass(frozen=True)
class Card:
    """What a layer's docstring says of it."""

    stack: tuple[str, ...]
    here: str
    reads: frozenset[str]
    writes: frozenset[str]
    raises: dict[str, int | None]


def read_card(text: str) -> Card:
    """The card of a module's docstring."""
    lines: dict[str, str] = {}
    label = ""
    for line in text.splitlines():
        match = re.match(r"    (Stack|Reads|Writes|Raises):\s+(.*)", line)
        if match:
            label, lines[match[1]] = match[1], match[2]
        elif label and line.startswith(" " * 8):
            lines[label] += " " + line.strip()
        else:
            label = ""
    places = [place.strip() for place in lines["Stack"].split("->")]
    (here,) = [place.strip("[]") for place in places if place.startswith("[")]
    raises = [words.split() for words in _items(lines["Raises"])]
    return Card(
        stack=tuple(place.strip("[]") for place in places),
        here=here,
        reads=frozenset(_items(lines["Reads"])),
        writes=frozenset(_items(lines["Writes"])),
        raises={words[0]: int(words[1]) if len(words) > 1 else None for words in raises},
    )


def _items(text: str) -> Iterator[str]:
    return (item.strip() for item in text.split(",") if item.strip() not in ("", "-"))


@dataclass(frozen=True)
class Layer:
    """A layer under test.

    :param make: builds it around an app.
    :param passing: a request that reaches the inner app.
    :param showing: requests that together show every key and every refusal of the card.
    :param inner: the app that ``showing`` meets behind the layer.
    """

    cls: type
    make: Callable[[WSGIApplication], WSGIApplication]
    passing: Callable[[], WSGIEnvironment]
    showing: Callable[[], Iterable[WSGIEnvironment]]
    inner: Callable[..., Any] = field(default=lambda environ, start_response: start_response("200 OK", []) and [])

    @property
    def card(self) -> Card:
        return read_card(importlib.import_module(self.cls.__module__).__doc__ or "")

    def __repr__(self) -> str:
        return self.cls.__name__


ROUTES = [Route("GET, POST", "x/{x_id}", "/x/{x_id}/")]
TAKES = Route(ANY, "x", "/x/", NONE, EMPTY_OR_OBJECT)
MODEL = Route(ANY, "x", "/x/", NONE, EmailOnly)
BYTES = Route(ANY, "x", "/x/", NONE, RAW)
SECURED = Route(ANY, "x", "/x/")
CHUNKED = {"Transfer-Encoding": "chunked"}


def errors_showing():
    chunked = {"headers": CHUNKED, "wsgi__input": io.BytesIO(b"x" * 9)}
    return [
        request(headers={"X-Request-ID": "abcd-1234"}),
        request("POST", body=b"refused"),
        request("POST", **chunked, wsgi__input_terminated=True),
    ]


def refusing(environ, start_response):
    raise RouteNotFound


def routing_showing():
    return [
        request("GET", "/api/x/7", REQUEST_URI="http://localhost/api/x/7", headers={"Host": "localhost"}),
        request("GET", "/api/x/7", raw_target="/api/x/a%2Fb"),
        request("GET", "/api/unknown"),
        request("DELETE", "/api/x/7"),
        request("OPTIONS", "/api/x/7"),
    ]


def cross_site_showing():
    return [
        routed(SECURED, request("GET", "/api/x")),
        routed(SECURED, request("POST", "/api/x", headers={"Sec-Fetch-Site": "cross-site"})),
        routed(SECURED, request("POST", "/api/x", headers={"Cookie": "a=b"})),
        routed(SECURED, request("POST", "/api/x", headers={"Cookie": "a=b", "X-CSRF": "1"})),
    ]


def session_showing():
    return [
        routed(SECURED, request("GET", "/api/x")),
        routed(SECURED, request("GET", "/api/x", headers={"Cookie": session_cookie()})),
        routed(BYTES, request("GET", "/api/x")),
    ]


def body_showing():
    def post(route, body=b"", **keys):
        return routed(route, request("POST", "/api/x", body=body, **keys))

    return [
        post(TAKES, b'{"a": 1}'),
        post(TAKES, b"", content_type="text/plain"),
        post(TAKES, b"{}", wsgi__input_terminated=True, CONTENT_LENGTH="", headers=CHUNKED),
        post(MODEL, b"{}"),
        routed(TAKES, request("GET", "/api/x", body=b"{}")),
        post(TAKES, b"{}", CONTENT_LENGTH="9"),
        post(TAKES, b"{}", CONTENT_LENGTH="-9"),
        routed(TAKES, request("POST", "/api/x", headers=CHUNKED)),
        post(BYTES, b"x" * 101),
        post(TAKES, b"{}", content_type="text/html"),
        post(TAKES, b"{}", headers={"Content-Encoding": "gzip"}),
    ]


LAYERS = [
    Layer(middleware.ErrorMiddleware, lambda app: middleware.ErrorMiddleware(app), request, errors_showing, refusing),
    Layer(
        middleware.RouteMiddleware,
        lambda app: middleware.RouteMiddleware(app, routes=ROUTES),
        lambda: request("GET", "/api/x/7"),
        routing_showing,
    ),
    Layer(
        middleware.CrossSiteMiddleware,
        lambda app: middleware.CrossSiteMiddleware(app, origins=[PUBLIC_URL]),
        lambda: routed(SECURED, request("POST", "/api/x", headers={"Origin": PUBLIC_URL})),
        cross_site_showing,
    ),
    Layer(
        middleware.SessionMiddleware,
        lambda app: middleware.SessionMiddleware(app, sessions=make_sessions()),
        lambda: routed(SECURED, request("GET", "/api/x", headers={"Cookie": session_cookie()})),
        session_showing,
    ),
    Layer(
        middleware.BodyMiddleware,
        lambda app: middleware.BodyMiddleware(app, max_bytes=100),
        lambda: routed(TAKES, request("POST", "/api/x", body=b'{"a": 1}')),
        body_showing,
    ),
]
CLASSES = {name: cls for name, cls in vars(exceptions).items() if isinstance(cls, type) and issubclass(cls, ProxyError)}
