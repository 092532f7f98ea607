"""``make bench``: CPU time per request, all contenders in one run, as ratios to nginx.

The server under test has core 0 to itself; upstream and load share core 1. Contenders take turns over several rounds
and medians are shown: machines drift, and what counts is the ratio within a run. Needs nginx and wrk
(``apt-get install nginx-light wrk``), and ``pip install WSGIProxy2 granian``.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass

from bench.contenders import CONTENDERS, Contender, Load, start, upstream_conf, wrk_script
from bench.machine import Process, free_port
from bench.report import write

CONNECTIONS = 8


@dataclass(frozen=True)
class Sample:
    """One measurement of one contender under one load."""

    cpu_microseconds: float
    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    memory_bytes: int
    wrong: int


def wrk(port: int, load: Load, seconds: float, folder: pathlib.Path, *, connections: int) -> list[float]:
    """Requests, wrong answers, errors, p50, p99 and duration, as wrk saw them."""
    script = folder / "load.lua"
    script.write_text(wrk_script(load))
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script),
               f"http://127.0.0.1:{port}{load.path}"]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT"))
    return [float(word) for word in line.split()[1:]]


def measure(process: Process, port: int, load: Load, seconds: float, folder: pathlib.Path) -> Sample:
    """One sample, after a short warm-up."""
    wrk(port, load, 1, folder, connections=CONNECTIONS)
    before = process.cpu_seconds()
    requests, wrong, errors, p50, p99, duration = wrk(port, load, seconds, folder, connections=CONNECTIONS)
    spent = process.cpu_seconds() - before
    return Sample(
        spent / requests * 1e6,
        requests / (duration / 1e6),
        p50 / 1e3,
        p99 / 1e3,
        process.memory_bytes(),
        int(wrong + errors),
    )


def run(contenders: list[Contender], rounds: int, seconds: float) -> dict[tuple[str, str], list[Sample]]:
    """All samples by contender and load, in interleaved rounds."""
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        upstream_port = free_port()
        conf = folder / "upstream.conf"
        conf.write_text(upstream_conf(upstream_port))
        upstream = Process(["nginx", "-c", str(conf), "-p", name], core=1)
        try:
            upstream.wait_for(upstream_port)
            for number in range(rounds):
                for contender in contenders:
                    port = free_port()
                    process = start(contender, port, f"http://127.0.0.1:{upstream_port}", folder, core=0)
                    try:
                        for load in contender.loads:
                            sample = measure(process, port, load, seconds, folder)
                            samples[contender.name, load.name].append(sample)
                            print(f"round {number + 1}: {contender.name:36} {load.name:18} "
                                  f"{sample.cpu_microseconds:7.1f} us  wrong {sample.wrong}", flush=True)  # fmt: skip
                    finally:
                        process.stop()
        finally:
            upstream.stop()
    return samples


def medians(samples: dict[tuple[str, str], list[Sample]]) -> dict[tuple[str, str], Sample]:
    """Each figure's median over the rounds; wrong answers are added up."""
    result = {}
    for key, rows in samples.items():
        middle = [statistics.median(getattr(row, name) for row in rows) for name in Sample.__dataclass_fields__]
        result[key] = Sample(*middle[:4], int(middle[4]), sum(row.wrong for row in rows))
    return result


def main() -> None:
    """Measure, print, and write ``bench/results.md`` and the chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", default="", help="contenders whose name contains this, and nginx")
    options = parser.parse_args()
    chosen = [c for c in CONTENDERS if options.only in c.name or c.name.startswith("nginx")]
    results = medians(run(chosen, options.rounds, options.seconds))
    write(results, rounds=options.rounds, seconds=options.seconds, is_whole=len(chosen) == len(CONTENDERS))


if __name__ == "__main__":
    main()
