"""``make bench``: what a request costs beside nginx and others, and what else was promised about cost.

Writes ``results.md`` and ``chart.svg`` when everything was measured. The exit status is 1 when an answer was wrong, for
then its row measured nothing; a bar that is missed is said, and is no failure. Needs nginx and wrk
(``apt-get install nginx-light wrk``), and ``pip install WSGIProxy2 granian gevent``.
"""

from __future__ import annotations

import argparse
import logging
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable

from bench import bulk, cpu, growth, idle_streams, latency, layers, startup
from bench.chart import chart
from bench.contenders import CONTENDERS, NEXT_JS, Contender
from bench.machine import LOAD_CORE, pin
from bench.parts import Part
from bench.report import page, verdicts

PARTS: dict[str, Callable[[pathlib.Path], Part]] = {
    "layers": layers.measure,
    "latency": latency.measure,
    "bulk": bulk.measure,
    "streams": idle_streams.measure,
    "growth": growth.measure,
    "startup": startup.measure,
}
"""All parts but ``cpu``, which has options, in the page's order."""


def main() -> int:
    """Measure, print, and write the page and the chart."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    logging.getLogger("wsgiproxy_hs").setLevel(logging.ERROR)
    pin(LOAD_CORE)
    parts, results = measured(options)
    print(verdicts([bar for part in parts for bar in part.bars]))
    if len(parts) == 1 + len(PARTS) and not options.only:
        command = "make bench" + (" BENCH=--next" if options.next else "")
        (options.output / "results.md").write_text(page(parts, command))
        (options.output / "chart.svg").write_text(chart(results))
    wrong = [f"{part.title}: {part.wrong}" for part in parts if part.wrong]
    sys.stderr.writelines(f"WRONG ANSWERS  {line}\n" for line in wrong)
    return 1 if wrong else 0


def measured(options: argparse.Namespace) -> tuple[list[Part], cpu.Results]:
    """The parts that were asked for, and the figures for the chart."""
    parts: list[Part] = []
    results: cpu.Results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if "cpu" in options.parts:
            part, results = cpu.measure(folder, contenders(options), options.rounds, options.seconds)
            parts.append(show(part))
        parts += [show(measure(folder)) for key, measure in PARTS.items() if key in options.parts]
    return parts, results


def arguments() -> argparse.Namespace:
    """The command line."""
    every = ["cpu", *PARTS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="of CPU time (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement of CPU time (default: %(default)s)")
    parser.add_argument("--only", default="", help="CPU time of contenders whose name contains this, and of nginx")
    parser.add_argument("--next", action="store_true", help="CPU time of the real Next.js, too (needs Node and npm)")
    parser.add_argument("--parts", nargs="+", choices=every, default=every, help="measure only these")
    parser.add_argument(
        "--profile", action="store_const", dest="parts", const=["layers"], help="the same as --parts layers"
    )
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(__file__).parent, help="where the page goes"
    )
    return parser.parse_args()


def contenders(options: argparse.Namespace) -> list[Contender]:
    """Those that were asked for; the Next.js app is built when it is not."""
    chosen = [one for one in CONTENDERS if options.only in one.name or one.name.startswith("nginx")]
    if not options.next:
        return chosen
    from tests.conformance_next.servers import BUILT, build

    if not BUILT.exists():
        build()
    return [*chosen, NEXT_JS]


def show(part: Part) -> Part:
    """Print a part as soon as it is there."""
    print(f"\n## {part.title}\n\n{part.text}", flush=True)
    return part


if __name__ == "__main__":
    sys.exit(main())
