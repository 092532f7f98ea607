"""Every layer with what the contracts need: how to make it, requests that show all it does, and its card."""

from __future__ import annotations

import importlib
import io
import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from tests.harness import PUBLIC_URL, access_token, make_sessions, request, routed, session_cookie
from wsgiproxy_hs import exceptions, middleware
from wsgiproxy_hs.environ import SESSION
from wsgiproxy_hs.exceptions import ProxyError, RouteNotFound
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.routes import ANY, EMPTY_OR_OBJECT, NONE, RAW, Route
from wsgiproxy_hs.routes.bodies import EmailOnly
from wsgiproxy_hs.routes.spool import Pace
from wsgiproxy_hs.sessions import expiry
from wsgiproxy_hs.throttling import By, Throttle
from wsgiproxy_hs.trusted_proxies import TrustedProxies


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
    :param holds: whether it needs to know when the answer is over, and so wraps the iterable.
    """

    cls: type
    make: Callable[[WSGIApplication], WSGIApplication]
    passing: Callable[[], WSGIEnvironment]
    showing: Callable[[], Iterable[WSGIEnvironment]]
    inner: Callable[..., Any] = field(default=lambda environ, start_response: start_response("200 OK", []) and [])
    holds: bool = False

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
OFTEN = Route(ANY, "x", "/x/", NONE, throttle="often")
FURTHER = "https://admin.example.com"
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
        request("OPTIONS", "/api/x/7", headers={"Origin": FURTHER, "Access-Control-Request-Method": "POST"}),
    ]


def limits_showing():
    return [
        request(raw_target="/" + "x" * 200),
        request(headers={"Cookie": "a=" + "b" * 200}),
        request(headers={"X-Large": "x" * 300}),
        request(CONTENT_TYPE="a\0b"),
    ]


class Full:
    """A meter that is always full for the one rule that the layer has."""

    def hit(self, name, key, rate):
        return 7

    def clear(self, name, key, rate):
        raise AssertionError


def throttle_showing():
    public, trusting = {"REMOTE_ADDR": "8.8.8.8"}, {"X-Forwarded-For": "8.8.8.8", "Forwarded": "for=8.8.8.8"}
    return [
        {**routed(SECURED, request("GET", "/api/x")), SESSION: {"sub": "7"}, "test.twice": True},
        routed(OFTEN, request("POST", "/api/x", headers=trusting, **public)),
    ]


def throttle(app):
    """The layer; a request that is marked comes again while it is under way."""

    def twice(environ, start_response):
        again = dict(environ)
        if again.pop("test.twice", False):
            return layer(again, start_response)
        return app(environ, start_response)

    layer = middleware.ThrottleMiddleware(
        twice,
        throttles={"often": Throttle(Rate(1, 60), By.ADDRESS)},
        meter=Full(),
        trusted=TrustedProxies(hops=1),
        max_at_once=1,
    )
    return layer


def cross_site_showing():
    return [
        routed(SECURED, request("GET", "/api/x")),
        routed(SECURED, request("POST", "/api/x", headers={"Sec-Fetch-Site": "cross-site"})),
        routed(SECURED, request("POST", "/api/x", headers={"Cookie": "a=b"})),
        routed(SECURED, request("POST", "/api/x", headers={"Cookie": "a=b", "X-CSRF": "1"})),
        routed(SECURED, request("POST", "/api/x", headers={"Origin": FURTHER})),
        routed(SECURED, request("OPTIONS", headers={"Origin": FURTHER, "Access-Control-Request-Method": "POST"})),
    ]


def is_over(token):
    expires = expiry(token)
    return expires is not None and expires < time.time()


class NoRenewal:
    """A renewal whose token endpoint is away."""

    def is_fresh(self, pair, now):
        return not is_over(pair.access)

    def newest(self, pair):
        return pair

    def current(self, pair, *, is_dead=False):
        raise exceptions.RenewalUnavailable


def session_showing():
    over = session_cookie(access_token(expires_in=-60), refreshToken="a-refresh-token")
    return [
        routed(SECURED, request("GET", "/api/x", headers={"Cookie": over})),
        routed(SECURED, request("GET", "/api/x")),
        routed(SECURED, request("GET", "/api/x", headers={"Cookie": session_cookie()})),
        routed(BYTES, request("GET", "/api/x")),
    ]


class Dripping(io.BytesIO):
    """A client that sends a byte, and after a while another one."""

    def read(self, size=-1):
        return super().read(1)


def body_showing():
    def post(route, body=b"", **keys):
        return routed(route, request("POST", "/api/x", body=body, **keys))

    return [
        post(TAKES, b'{"a": 1}'),
        post(TAKES, b"", content_type="text/plain"),
        post(TAKES, b"{}", wsgi__input_terminated=True, CONTENT_LENGTH="", headers=CHUNKED),
        post(MODEL, b"{}"),
        post(MODEL, b"[" * 70),
        post(BYTES, wsgi__input=Dripping(b"x" * 50), CONTENT_LENGTH="50"),
        routed(TAKES, request("GET", "/api/x", body=b"{}")),
        post(TAKES, b"{}", CONTENT_LENGTH="9"),
        post(TAKES, b"{}", CONTENT_LENGTH="-9"),
        routed(TAKES, request("POST", "/api/x", headers=CHUNKED)),
        post(BYTES, b"x" * 101),
        post(TAKES, b"{}", content_type="text/html"),
        post(TAKES, b"{}", headers={"Content-Encoding": "gzip"}),
    ]


LAYERS = [
    Layer(
        middleware.ErrorMiddleware,
        lambda app: middleware.ErrorMiddleware(app, further_origins=[FURTHER]),
        request,
        errors_showing,
        refusing,
    ),
    Layer(
        middleware.LimitsMiddleware,
        lambda app: middleware.LimitsMiddleware(app, max_url_bytes=100, max_cookie_bytes=100, max_header_bytes=200),
        request,
        limits_showing,
    ),
    Layer(
        middleware.RouteMiddleware,
        lambda app: middleware.RouteMiddleware(app, routes=ROUTES, preflights=True),
        lambda: request("GET", "/api/x/7"),
        routing_showing,
    ),
    Layer(
        middleware.CrossSiteMiddleware,
        lambda app: middleware.CrossSiteMiddleware(app, origins=[PUBLIC_URL], further_origins=[FURTHER]),
        lambda: routed(SECURED, request("POST", "/api/x", headers={"Origin": PUBLIC_URL})),
        cross_site_showing,
    ),
    Layer(
        middleware.SessionMiddleware,
        lambda app: middleware.SessionMiddleware(app, sessions=make_sessions(), renewal=NoRenewal()),
        lambda: routed(SECURED, request("GET", "/api/x", headers={"Cookie": session_cookie()})),
        session_showing,
    ),
    Layer(
        middleware.ThrottleMiddleware,
        throttle,
        lambda: {**routed(SECURED, request("GET", "/api/x")), SESSION: {"sub": "7"}},
        throttle_showing,
        holds=True,
    ),
    Layer(
        middleware.BodyMiddleware,
        lambda app: middleware.BodyMiddleware(app, max_bytes=100, pace=Pace(5.0, clock=itertools.count().__next__)),
        lambda: routed(TAKES, request("POST", "/api/x", body=b'{"a": 1}')),
        body_showing,
    ),
]
CLASSES = {name: cls for name, cls in vars(exceptions).items() if isinstance(cls, type) and issubclass(cls, ProxyError)}
