"""What each layer costs: the stack of ``create_app`` cut off ever further down, in this process.

A layer's figure is the difference between the stack that ends below it and the one that ends above it. Measured is the
thread's time on a CPU, so that neither other processes nor the wait for the upstream are in it.
"""

from __future__ import annotations

import copy
import io
import pathlib
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import WSGIApplication

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from bench.apps.payload import BODY
from bench.contenders import constant_upstream
from bench.loads import GET, POST, SECRET, Load
from bench.machine import SERVER_CORE
from bench.parts import Part, table
from wsgiproxy_hs import Settings, Transport, create_app
from wsgiproxy_hs.upstream.heads import AnswerHeaders

ITERATIONS, REPEATS = 400, 15
LOADS = (GET, POST)
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
TITLES = {
    "ErrorMiddleware": "errors",
    "LimitsMiddleware": "limits",
    "RouteMiddleware": "routing",
    "CrossSiteMiddleware": "cross-site",
    "SessionMiddleware": "session, cached",
    "ThrottleMiddleware": "throttle",
    "BodyMiddleware": "body",
}
Stacks = dict[str, WSGIApplication]


class CannedAnswer:
    """What the forwarder asks of an answer that is whole."""

    is_complete = True
    is_stream = False

    def __init__(self) -> None:
        self.headers = AnswerHeaders([(name, value) for name, value in HEADERS])

    def buffered(self) -> list[bytes]:
        return [BODY]

    def close(self) -> None:
        """There is nothing to close."""


class NoTransport(BaseAdapter):
    """Answers by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._response = Response()
        self._response.status_code, self._response.reason, self._response.raw = 200, "OK", CannedAnswer()

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        return self._response

    def close(self) -> None:
        """There is nothing to close."""


def measure(folder: pathlib.Path) -> Part:
    """The part."""
    with constant_upstream(folder, core=SERVER_CORE) as upstream:
        transport = Transport()
        try:
            every = stacks(upstream, transport)
            wrong = sum(not is_right(app, load) for app in every.values() for load in LOADS)
            times = {load.name: microseconds(every, load) for load in LOADS}
        finally:
            transport.close()
    return Part("What each layer costs", text(times), wrong=wrong)


def stacks(upstream: str, transport: Transport) -> Stacks:
    """Every cut, the shortest first, by what it adds to the one before."""
    settings = Settings(backend_url=upstream, public_url="http://127.0.0.1", secrets=[SECRET])
    canned = create_app(settings, transport=NoTransport())
    layers = list(layers_of(canned))
    found: Stacks = {"the environ, and an app that answers": null_app}
    for number, layer in enumerate(layers, start=1):
        found[TITLES[type(layer).__name__]] = cut(layers[:number])
    found["forwarder without transport"] = canned
    found["exchange with the upstream"] = create_app(settings, transport=transport)
    return found


def layers_of(app: Any) -> Iterable[Any]:
    """The layers of a stack, outermost first."""
    while hasattr(app, "_app"):
        yield app
        app = app._app


def cut(layers: list[Any]) -> WSGIApplication:
    """These layers, as they were configured, with the null app below them."""
    app: Any = null_app
    for layer in reversed(layers):
        layer = copy.copy(layer)
        layer._app, app = app, layer
    return app  # type: ignore[no-any-return]


def null_app(environ: Any, start_response: Any) -> Iterable[bytes]:
    """A constant answer."""
    start_response("200 OK", list(HEADERS))
    return [BODY]


def caller(app: WSGIApplication, load: Load) -> Callable[[Any], list[bytes]]:
    """One request by function call: an environ, the app, its body to the end."""
    template: dict[str, Any] = {
        "REQUEST_METHOD": load.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": load.path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "bench",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in load.headers.items()},
    }
    template["CONTENT_TYPE"] = template.pop("HTTP_CONTENT_TYPE", "")
    template["CONTENT_LENGTH"] = str(len(load.body)) if load.body else ""

    def call(start_response: Any) -> list[bytes]:
        answer = app({**template, "wsgi.input": io.BytesIO(load.body)}, start_response)
        try:
            return list(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return call


def is_right(app: WSGIApplication, load: Load) -> bool:
    """Whether the answer is the constant one."""
    statuses: list[str] = []
    body = b"".join(caller(app, load)(lambda status, headers, exc_info=None: statuses.append(status)))
    return statuses == ["200 OK"] and body == BODY


def microseconds(every: Stacks, load: Load) -> dict[str, float]:
    """For each stack the median over repeats that take turns."""
    calls = {name: caller(app, load) for name, app in every.items()}
    runs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            runs[name].append(repeated(call))
    return {name: statistics.median(times) for name, times in runs.items()}


def repeated(call: Callable[[Any], object]) -> float:
    """Microseconds for each of many requests."""

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        """Nobody reads it."""

    began = time.thread_time_ns()
    for _ in range(ITERATIONS):
        call(start_response)
    return (time.thread_time_ns() - began) / 1e3 / ITERATIONS


def text(times: dict[str, dict[str, float]]) -> str:
    """What was done, and a row a layer: what it adds to those above it."""
    names = list(times[GET.name])
    before = dict.fromkeys(times, 0.0)
    rows = []
    for name in names:
        added = [column[name] - before[load] for load, column in times.items()]
        before = {load: column[name] for load, column in times.items()}
        rows.append((name, *(f"{value:.1f} us" for value in added)))
    rows.append(("**all together**", *(f"**{value:.1f} us**" for value in before.values())))
    return (
        "By function calls in this process, without a server: the stack is cut off below each layer, and what a layer"
        f" adds is the difference. Time of the thread on a CPU, medians of {REPEATS} repeats of {ITERATIONS} requests;"
        " differences of a few tenths are noise. The exchange includes falling asleep for the upstream and waking up,"
        " which costs a busy server less.\n\n" + table(("Layer", *(f">{load}" for load in times)), rows)
    )
