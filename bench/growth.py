"""What grows with the number of routes and of sessions, in this process."""

from __future__ import annotations

import gc
import pathlib
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice

from bench.loads import CHAT, SECRET
from bench.parts import Bar, Part, mebibytes, table
from wsgiproxy_hs import ROUTES, Route, RouteTable, Sessions

FEW, MANY = 60, 6_000
LOOK_UPS, REPEATS = 6_000, 15
MOST_RATIO = 1.5
SESSIONS, BATCH, SETTLED = 100_000, 1_000, 10_000
MOST_CACHE_MEBIBYTES = 1
WHAT_WAS_DONE = (
    "In this process, without a server. The tables are the documented one again and again, each time below another"
    f" first segment; looked up are {LOOK_UPS:,} paths of all its rows in random order, medians of {REPEATS}. Each"
    " session is sealed for the occasion and read once; the cache of unsealed ones is bounded."
)
Request = tuple[str, str]


def measure(_: pathlib.Path) -> Part:
    """The part."""
    few, many, build_seconds = look_ups()
    cached, uncached, first, later, wrong = sessions()
    bars = (
        Bar(f"Looking a path up among {MANY:,} routes, beside {FEW}", MOST_RATIO, many / few, "x"),
        Bar(
            f"Growth from {SETTLED:,} to {SESSIONS:,} distinct sessions",
            MOST_CACHE_MEBIBYTES,
            later / 1_048_576,
            " MiB",
        ),
    )
    rows = (
        (f"look a path up among {FEW} routes", f"{few:.2f} us"),
        (f"look a path up among {MANY:,} routes", f"{many:.2f} us ({many / few:.2f}x)"),
        (f"build a table of {MANY:,} routes", f"{build_seconds:.2f} s"),
        ("read the same session again", f"{cached:.1f} us"),
        (f"read a session for the first time, mean of {SESSIONS:,}", f"{uncached:.1f} us"),
        (f"growth of the process by the first {SETTLED:,}", mebibytes(first)),
        (f"growth by the {SESSIONS - SETTLED:,} that follow", mebibytes(later)),
    )
    return Part("As routes and sessions grow", f"{WHAT_WAS_DONE}\n\n{table(('What', '>figure'), rows)}", bars, wrong)


def look_ups() -> tuple[float, float, float]:
    """Microseconds for a look-up in the small and in the large table, and how long the large one took to build."""
    small = RouteTable(islice(rows(), FEW))
    began = time.perf_counter()
    large = RouteTable(islice(rows(), MANY))
    build_seconds = time.perf_counter() - began
    runs: list[tuple[float, float]] = []
    asked = requests(small), requests(large)
    for _ in range(REPEATS):
        runs.append((matching(small, asked[0]), matching(large, asked[1])))
    few, many = (statistics.median(column) for column in zip(*runs, strict=True))
    return few, many, build_seconds


def rows() -> Iterator[Route]:
    """The documented table again and again."""
    for number in count():
        for route in ROUTES:
            yield replace(route, path=f"area{number}/{route.path}")


def requests(routes: RouteTable) -> Sequence[Request]:
    """A request for every row, all of them equally often, shuffled."""
    every = [
        (route.method_names[0], f"{routes.prefix}/{re.sub('{[^}]*}', CHAT, route.path)}") for route in routes.routes
    ]
    chosen = every * (LOOK_UPS // len(every))
    random.Random(1).shuffle(chosen)
    return chosen


def matching(routes: RouteTable, asked: Sequence[Request]) -> float:
    """Microseconds for each."""

    def run() -> None:
        for method, path in asked:
            routes.match(method, path)

    return spent(run) / len(asked)


def sessions() -> tuple[float, float, int, int, int]:
    """Microseconds for a known and for a new session, growth at first and later, and how many could not be read."""
    reader = Sessions(secrets=[SECRET], secure=False)
    sealed = cookies(reader)
    known = next(sealed)
    cached = statistics.median(spent(lambda: reader.read(known)) for _ in range(5_000))
    uncached, wrong, marks = 0.0, 0, [resident()]
    for number in range(SESSIONS // BATCH):
        batch = list(islice(sealed, BATCH))
        uncached += spent(lambda batch=batch: [reader.read(cookie) for cookie in batch])  # type: ignore[misc]
        wrong += sum(reader.read(cookie) is None for cookie in batch[-10:])
        if (number + 1) * BATCH in (SETTLED, SESSIONS):
            marks.append(resident())
    return cached, uncached / SESSIONS, marks[1] - marks[0], marks[2] - marks[1], wrong


def cookies(sessions: Sessions) -> Iterator[str]:
    """Sessions of different people, as browsers send them."""
    claims = {"name": "Ada Lovelace", "email": "ada@example.com", "accessToken": "a" * 200, "refreshToken": "r" * 200}
    for person in count():
        yield sessions.write({**claims, "sub": str(person)}, "")[0].partition(";")[0]


def spent(run: Callable[[], object]) -> float:
    """Microseconds on a CPU."""
    began = time.thread_time_ns()
    run()
    return (time.thread_time_ns() - began) / 1e3


def resident() -> int:
    """Bytes of this process in memory, once what is only waiting to be collected is gone."""
    gc.collect()
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096
