"""The documented route handlers on the real Next.js, and ours: ``python -m tests.conformance_next.run``.

Needs node 20, and ``npm ci`` and ``npm run build`` in this folder; ``--build`` does both. Starts Django, the Next.js app's
production build and ours, signs in to both, sends every exchange to both and compares status, JSON, ``Allow`` and what
Django was asked. Prints how many were equal and which deviations were seen; ends with 1 when anything else differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.conformance_next.deviations import DEVIATIONS, DoesNotHold
from tests.conformance_next.exchanges import EXCHANGES, WITHOUT_BACKEND, Exchange
from tests.conformance_next.outcomes import Outcome, outcome
from tests.conformance_next.servers import BUILT, Side, World, build, world
from tests.integration import rows, servers


class Verdict(NamedTuple):
    """``fault`` is empty when all is well."""

    fault: str
    theirs: Outcome
    ours: Outcome


def body_of(exchange: Exchange, params: rows.Params) -> bytes | None:
    """The bytes to send."""
    document: Any = exchange.document(params) if callable(exchange.document) else exchange.document
    return exchange.body if document is None else json.dumps(document).encode()


def client_of(exchange: Exchange, side: Side) -> servers.Client:
    """A browser with the cookies that the exchange asks for; what it learns is forgotten."""
    if exchange.session == "broken":
        return servers.Client(side.url, {"authjs.session-token": "eyJhbGciOiJkaXIifQ..broken.broken.broken"})
    return servers.Client(side.url, dict(getattr(side, exchange.session).cookies))


def send(
    exchange: Exchange, side: Side, prefix: str, params: rows.Params, world: World, *, backend_is_up: bool
) -> Outcome:
    """One exchange with one side."""
    client, body = client_of(exchange, side), body_of(exchange, params)
    target = f"{prefix}/{exchange.path.format(**params)}{exchange.query}"
    headers = {**({"Content-Type": "application/json"} if body is not None else {}), **exchange.headers}
    if backend_is_up:
        world.backend.received()
    answer, redirects = client.ask(exchange.method, target, headers=headers, body=body), 0
    if answer.status == 308 and urlsplit(answer.header("location") or "").path == target.partition("?")[0].rstrip("/"):
        answer, redirects = client.ask(exchange.method, answer.header("location") or "", headers=headers, body=body), 1
    return outcome(answer, redirects, world.backend.received() if backend_is_up else [])


def play(exchange: Exchange, world: World, *, backend_is_up: bool = True) -> Verdict:
    """One exchange with both sides."""
    their_params = exchange.prepare(world.backend) if backend_is_up else {}
    our_params = exchange.prepare(world.backend) if exchange.changes and backend_is_up else their_params
    theirs = send(exchange, world.theirs, f"/{exchange.variant}", their_params, world, backend_is_up=backend_is_up)
    ours = send(exchange, world.ours, "/api", our_params, world, backend_is_up=backend_is_up)
    return Verdict(fault_of(exchange, theirs, ours), theirs, ours)


def fault_of(exchange: Exchange, theirs: Outcome, ours: Outcome) -> str:
    """What is wrong with two outcomes of one exchange; empty when nothing is."""
    if ours.status != exchange.status:
        return f"ours answers {ours.status} instead of {exchange.status}"
    expected = theirs
    for name in exchange.deviations:
        before = expected
        try:
            expected = DEVIATIONS[name].turn(exchange, expected, ours)
        except (DoesNotHold, TypeError, KeyError, AttributeError) as error:
            return f"the deviation {name} does not hold: {error}"
        if expected == before:
            return f"the deviation {name} is not seen"
    return "" if expected == ours else "they differ"


def compare(world: World) -> list[tuple[Exchange, Verdict]]:
    """Every exchange, the last ones without Django."""
    verdicts = [(exchange, play(exchange, world)) for exchange in EXCHANGES]
    world.stop_backend()
    return verdicts + [(exchange, play(exchange, world, backend_is_up=False)) for exchange in WITHOUT_BACKEND]


def report(verdicts: Sequence[tuple[Exchange, Verdict]]) -> bool:
    """Print what was found; whether all is well."""
    good = [exchange for exchange, verdict in verdicts if not verdict.fault]
    used = Counter(name for exchange in good for name in exchange.deviations)
    equal = sum(not exchange.deviations for exchange in good)
    print(f"{len(verdicts)} exchanges compared")
    print(f"  {equal} equal")
    print(f"  {len(good) - equal} with a deviation that is named for the exchange")
    for name, deviation in DEVIATIONS.items():
        print(f"    {name}: {used[name]}. {deviation.reason}")
    for exchange, verdict in verdicts:
        if verdict.fault:
            print(f"DIFFERENT {exchange.method} {exchange.variant}/{exchange.path} ({exchange.name}): {verdict.fault}")
            show(verdict)
    unused = sorted(DEVIATIONS.keys() - used.keys())
    if unused:
        print(f"UNUSED {', '.join(unused)}")
    return len(good) == len(verdicts) and not unused


def show(verdict: Verdict) -> None:
    """Print where two outcomes differ."""
    for name, theirs, ours in zip(Outcome._fields, verdict.theirs, verdict.ours, strict=True):
        if theirs != ours:
            print(f"    theirs: {name} {theirs}\n    ours:   {name} {ours}")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build", action="store_true", help="npm ci and npm run build first")
    if parser.parse_args().build:
        build()
    if not BUILT.exists():
        print("not built yet: npm ci and npm run build in tests/conformance_next, or --build", file=sys.stderr)
        return 2
    began = time.monotonic()
    with world() as running:
        good = report(compare(running))
    print(f"{time.monotonic() - began:.0f} seconds")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
