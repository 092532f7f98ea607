"""Latency that a proxy adds when little is going on: one connection, a request now and then.

All servers run at once and are asked in turn, so whatever else happens on the machine happens to all of them.
"""

from __future__ import annotations

import pathlib
import statistics
import time
from contextlib import ExitStack

from bench.apps.payload import BODY
from bench.client import Client
from bench.contenders import NGINX, OURS_GRANIAN, OURS_GUNICORN, constant_upstream, serving
from bench.loads import DIRECT, GET, Load, request_bytes
from bench.parts import Bar, Part, table

REQUESTS = 1_000
WARM_UP = 50
PER_SECOND = 200
NO_PROXY = "no proxy"
MOST_ADDED_MILLISECONDS = 0.4
CONTENDERS = ((NGINX, DIRECT), (OURS_GRANIAN, GET), (OURS_GUNICORN, GET))


class Asked:
    """A server, its connection, and how long each answer took, in milliseconds."""

    def __init__(self, name: str, client: Client, load: Load) -> None:
        self.name = name
        self.milliseconds: list[float] = []
        self.wrong = 0
        self._client = client
        self._request = request_bytes(load)

    def ask(self) -> None:
        """One request."""
        began = time.perf_counter_ns()
        answer = self._client.ask(self._request)
        self.milliseconds.append((time.perf_counter_ns() - began) / 1e6)
        self.wrong += answer != (200, BODY)

    def percentile(self, number: int) -> float:
        """Behind the warm-up."""
        return statistics.quantiles(self.milliseconds[WARM_UP:], n=100)[number - 1]


def measure(folder: pathlib.Path) -> Part:
    """The part."""
    with ExitStack() as stack:
        upstream = stack.enter_context(constant_upstream(folder))
        asked = [Asked(NO_PROXY, stack.enter_context(Client(int(upstream.rpartition(":")[2]))), DIRECT)]
        for contender, load in CONTENDERS:
            port, _ = stack.enter_context(serving(contender, upstream, folder))
            asked.append(Asked(contender.name, stack.enter_context(Client(port)), load))
        ask_in_turn(asked)
    direct, granian = asked[0], next(one for one in asked if one.name == OURS_GRANIAN.name)
    added = granian.percentile(50) - direct.percentile(50)
    bar = Bar("Latency added on granian at low load, p50", MOST_ADDED_MILLISECONDS, added, " ms")
    return Part("Latency at low load", text(asked), (bar,), sum(one.wrong for one in asked))


def ask_in_turn(asked: list[Asked]) -> None:
    """Round and round, each request at its time."""
    due = time.monotonic()
    for _ in range(WARM_UP + REQUESTS):
        for one in asked:
            due += 1 / PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            one.ask()


def text(asked: list[Asked]) -> str:
    """What was done, and the table."""
    p50, p99 = asked[0].percentile(50), asked[0].percentile(99)
    rows = (
        (
            one.name,
            f"{one.percentile(50):.3f} ms",
            f"{one.percentile(99):.3f} ms",
            f"{one.percentile(50) - p50:+.3f} ms",
            f"{one.percentile(99) - p99:+.3f} ms",
            str(one.wrong),
        )
        for one in asked
    )
    return (
        f"{REQUESTS:,} GETs of 1.3 KB to each, one at a time over one connection, {PER_SECOND} a second in all, the"
        " servers in turn. *Added*: beside the upstream without a proxy.\n\n"
        + table(("Through", ">p50", ">p99", ">added p50", ">added p99", ">wrong"), rows)
    )
