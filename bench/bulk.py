"""A gibibyte down and up: how fast, and how much the process that passes it on grows."""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.apps.wire import GIBIBYTE, read_exactly, receive_blocks, send_blocks
from bench.client import Client
from bench.contenders import APP, APPLICATION, Contender, bulk_upstream, granian, gunicorn, nginx, serving
from bench.loads import SIGNED_IN, Load, request_bytes
from bench.machine import Process, growth_bytes
from bench.parts import Bar, Part, mebibytes, table

MOST_GROWTH_MEBIBYTES = 8
WARM_UP_BYTES = 1_048_576
NO_PROXY = "no proxy"
ROUTES = {"WSGIPROXY_ROUTES": "bench.apps.routes:ROUTES"}
NGINX = Contender(
    "nginx proxy_pass, unbuffered",
    nginx("proxy_buffering off; proxy_request_buffering off; client_max_body_size 0;"),
)
OURS = (
    Contender("wsgiproxy_hs, gunicorn", gunicorn(APP, **ROUTES)),
    Contender("wsgiproxy_hs, granian", granian(APPLICATION, **ROUTES)),
)
WHAT_WAS_DONE = (
    "One connection; client and upstream share a core, which bounds all rows. *Growth*: from the resident set before to"
    " its peak while the bytes pass, of the process that grew most. Blocks are numbered; *wrong* are those that did not"
    " arrive in their place. Spooled is how a body travels unless its row says otherwise: to a file, and from there to"
    " the upstream."
)
Way = Callable[[Client, str, int], int]
"""Moves so many bytes below a prefix; how much of it was wrong."""


@dataclass(frozen=True)
class Sample:
    """One gibibyte. ``growth``: of the process that grew most, from before to its peak."""

    through: str
    way: str
    seconds: float
    wrong: int
    growth: int | None = None


def down(client: Client, prefix: str, total: int) -> int:
    status, fields = client.begin(request_bytes(Load("", "GET", f"{prefix}/download/?{total}", SIGNED_IN)))
    if status != 200 or fields.get("content-length") != str(total):
        return 1
    return receive_blocks(client.sock, total)


def up(path: str, client: Client, prefix: str, total: int) -> int:
    headers = {**SIGNED_IN, "Content-Type": "application/octet-stream", "Content-Length": str(total)}
    client.sock.sendall(request_bytes(Load("", "POST", f"{prefix}/{path}/", headers)))
    send_blocks(client.sock, total)
    status, fields = client.head()
    answer = read_exactly(client.sock, int(fields["content-length"]))
    return int(json.loads(answer)["wrong"]) if status == 200 else 1


DIRECT_WAYS: dict[str, Way] = {"down": down, "up": partial(up, "upload")}
OUR_WAYS: dict[str, Way] = {"down": down, "up": partial(up, "streamed"), "up, spooled": partial(up, "spooled")}


def measure(folder: pathlib.Path) -> Part:
    """The part."""
    with bulk_upstream() as upstream:
        port = int(upstream.rpartition(":")[2])
        samples = [Sample(NO_PROXY, name, *timed(port, "", way)) for name, way in DIRECT_WAYS.items()]
        for contender in (NGINX, *OURS):
            prefix, ways = ("/api", OUR_WAYS) if contender in OURS else ("", DIRECT_WAYS)
            with serving(contender, upstream, folder) as (port, process):
                for name, way in ways.items():
                    samples.append(Sample(contender.name, name, *grown(process, port, prefix, way)))
    return Part("A gibibyte down and up", text(samples), bars(samples), sum(one.wrong for one in samples))


def timed(port: int, prefix: str, way: Way) -> tuple[float, int]:
    """Seconds, and what was wrong."""
    with Client(port) as client:
        began = time.perf_counter()
        wrong = way(client, prefix, GIBIBYTE)
        return time.perf_counter() - began, wrong


def grown(process: Process, port: int, prefix: str, way: Way) -> tuple[float, int, int]:
    """The same, and the growth, behind a small body that loads what is loaded once."""
    with Client(port) as client:
        wrong_before = way(client, prefix, WARM_UP_BYTES)
    before = process.memory("VmRSS")
    process.forget_peaks()
    seconds, wrong = timed(port, prefix, way)
    return seconds, wrong + wrong_before, growth_bytes(before, process.memory("VmHWM"))


def bars(samples: list[Sample]) -> tuple[Bar, ...]:
    """Ours, each way on each server."""
    names = [contender.name for contender in OURS]
    return tuple(
        Bar(f"Growth for 1 GiB {one.way}, {one.through}", MOST_GROWTH_MEBIBYTES, one.growth / 1_048_576, " MiB")
        for one in samples
        if one.through in names and one.growth is not None
    )


def text(samples: list[Sample]) -> str:
    """What was done, and the table."""
    rows = (
        (
            one.through,
            one.way,
            f"{GIBIBYTE / 1_048_576 / one.seconds:,.0f} MiB/s",
            "" if one.growth is None else mebibytes(one.growth),
            str(one.wrong),
        )
        for one in samples
    )
    columns = ("Through", "Way", ">throughput", ">growth", ">wrong")
    return f"{WHAT_WAS_DONE}\n\n{table(columns, rows)}"
