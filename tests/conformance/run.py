"""Ours and the real library, side by side: ``python -m tests.conformance.run``.

Needs node 20 and ``npm ci --prefix tests/conformance``. Three parts: every exchange of ``tests/auth/exchanges.py`` is sent
to both over loopback, and status, headers, cookies and bodies are compared; the real browser client is driven against
both; cookies cross over from one to the other. Prints what was equal and which deviations were seen, and ends with 1 when
anything else differs.

``--record`` writes down what the real library answers, for the tests that have no node. ``--mutations`` plants faults into
ours, one at a time, and ends with 1 when one of them is not found.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.auth.comparing import comparable, to_json
from tests.auth.deviations import EVERYWHERE, judge, synchronise
from tests.auth.exchanges import Jar, Send, flows, keep_cookies, run
from tests.conformance.client import DEVIATIONS as CLIENT_DEVIATIONS
from tests.conformance.client import compare_clients
from tests.conformance.crossing import compare_crossings
from tests.conformance.mutations import MUTATIONS, planted
from tests.conformance.servers import Pair, both

RECORD = Path(__file__).parent.parent / "auth/data/recorded-exchanges.json"


class Result(NamedTuple):
    """What a comparison found: ``used`` counts exchanges by deviation, ``faults`` are differences by exchange."""

    compared: int
    equal: int
    equal_but_for_kind: int
    used: Counter[str]
    faults: dict[str, object]


def compare(pair: Pair) -> Result:
    """Send every exchange to both."""
    compared, equal, but_for_kind, used, faults = 0, 0, 0, Counter[str](), dict[str, object]()
    for flow in flows():
        their_jar: Jar = {}
        for real, mine in zip(run(flow, pair.theirs), run(flow, pair.ours), strict=True):
            expected = comparable(real.answer, real.config)
            verdict = judge(real.step, real.config, expected, comparable(mine.answer, mine.config))
            keep_cookies(their_jar, expected.cookies)
            compared += 1
            used.update(verdict.used)
            if verdict.unexplained:
                faults[real.key] = verdict.unexplained
            elif not verdict.used:
                equal += 1
            elif set(verdict.used) <= set(EVERYWHERE):
                but_for_kind += 1
            if verdict.used:
                synchronise(mine.jar, their_jar)
    return Result(compared, equal, but_for_kind, used, faults)


def report(result: Result) -> None:
    """Print what a comparison found."""
    named = result.compared - result.equal - result.equal_but_for_kind - len(result.faults)
    print(f"{result.compared} exchanges compared")
    print(f"  {result.equal} equal")
    print(
        f"  {result.equal_but_for_kind} equal but for what every redirect (redirect-type) or built-in page (page-headers) has"
    )
    print(f"  {named} with a deviation that is named for the exchange")
    for name, count in sorted(result.used.items()):
        print(f"    {name}: {count}")


def show(faults: dict[str, object]) -> None:
    for key, fault in faults.items():
        print(f"DIFFERENT {key}: {fault}")


def compare_all(pair: Pair) -> bool:
    """The three parts; whether all is well."""
    result = compare(pair)
    report(result)
    seen, client_faults = compare_clients(pair)
    print(f"{seen} things seen by the real client, {len(CLIENT_DEVIATIONS)} of them a deviation (unavailable)")
    crossed, crossing_faults = compare_crossings(pair)
    print(f"{crossed} answers compared with cookies that crossed over")
    faults = {**result.faults, **client_faults, **crossing_faults}
    show(faults)
    return not faults


def find_mutations(pair: Pair) -> bool:
    """Whether every planted fault is found."""
    missed = []
    for name in MUTATIONS:
        with planted(name):
            found = len(compare(pair).faults)
        print(f"  {'red ' if found else 'MISSED'} {name}: {found} exchanges")
        missed += [] if found else [name]
    print(f"{len(MUTATIONS) - len(missed)} of {len(MUTATIONS)} planted faults found")
    return not missed


def record(theirs: Send) -> bool:
    """Write down what the real library answers."""
    document = {
        exchange.key: to_json(comparable(exchange.answer, exchange.config))
        for flow in flows()
        for exchange in run(flow, theirs)
    }
    RECORD.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(document)} answers recorded")
    return True


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--record", action="store_true", help="write down the real library's answers")
    choice.add_argument("--mutations", action="store_true", help="plant faults into ours; each must be found")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with both() as pair:
        if options.record:
            return 0 if record(pair.theirs) else 1
        if options.mutations:
            return 0 if find_mutations(pair) else 1
        return 0 if compare_all(pair) else 1


if __name__ == "__main__":
    sys.exit(main())
