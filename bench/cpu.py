"""CPU time per request, all contenders in one run, as ratios to nginx.

Contenders take turns over several rounds and medians are shown: machines drift, and what counts is the ratio within a
run.
"""

from __future__ import annotations

import pathlib
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.contenders import (
    GRANIAN_CONSTANT,
    GUNICORN_CONSTANT,
    NGINX,
    OURS_GRANIAN,
    OURS_GUNICORN,
    Contender,
    constant_upstream,
    serving,
)
from bench.loads import GET, REFUSED, Load, wrk_script
from bench.machine import LOAD_CORE, Process
from bench.parts import Bar, Part, table

CONNECTIONS = 8
WARM_UP_SECONDS = 1
MEBIBYTE = 1_048_576


@dataclass(frozen=True)
class Sample:
    """One measurement of one contender under one load."""

    cpu_microseconds: float
    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    memory_bytes: float
    wrong: int


Results = Mapping[tuple[str, str], Sample]


def measure(folder: pathlib.Path, contenders: Sequence[Contender], rounds: int, seconds: int) -> tuple[Part, Results]:
    """The part, and the figures for the chart."""
    results = medians(run(folder, contenders, rounds, seconds))
    wrong = sum(sample.wrong for sample in results.values())
    return Part("CPU time per request", text(results, rounds, seconds), bars(results), wrong), results


def run(
    folder: pathlib.Path, contenders: Sequence[Contender], rounds: int, seconds: int
) -> dict[tuple[str, str], list[Sample]]:
    """All samples by contender and load, in interleaved rounds."""
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    with constant_upstream(folder) as upstream:
        for number in range(rounds):
            for contender in contenders:
                with serving(contender, upstream, folder) as (port, process):
                    wrk(port, contender.loads[0], WARM_UP_SECONDS, folder)
                    for load in contender.loads:
                        sample = measured(process, port, load, seconds, folder)
                        samples[contender.name, load.name].append(sample)
                        print(f"round {number + 1}: {contender.name:36} {load.name:18} "
                              f"{sample.cpu_microseconds:7.1f} us  wrong {sample.wrong}", flush=True)  # fmt: skip
    return samples


def wrk(port: int, load: Load, seconds: int, folder: pathlib.Path) -> list[float]:
    """Requests, wrong answers, errors, p50, p99 and duration, as wrk saw them."""
    script = folder / "load.lua"
    script.write_text(wrk_script(load))
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script),
               f"http://127.0.0.1:{port}{load.path}"]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT"))
    return [float(word) for word in line.split()[1:]]


def measured(process: Process, port: int, load: Load, seconds: int, folder: pathlib.Path) -> Sample:
    """One sample."""
    before = process.cpu_seconds()
    requests, wrong, errors, p50, p99, duration = wrk(port, load, seconds, folder)
    spent = process.cpu_seconds() - before
    return Sample(
        cpu_microseconds=spent / max(requests, 1) * 1e6,
        requests_per_second=requests / (duration / 1e6),
        p50_milliseconds=p50 / 1e3,
        p99_milliseconds=p99 / 1e3,
        memory_bytes=process.memory_bytes(),
        wrong=int(wrong + errors) + (not requests),
    )


def medians(samples: Mapping[tuple[str, str], Sequence[Sample]]) -> dict[tuple[str, str], Sample]:
    """Each figure's median over the rounds; wrong answers are added up."""
    result = {}
    for key, rows in samples.items():
        figures = [name for name in Sample.__dataclass_fields__ if name != "wrong"]
        middle = {name: statistics.median(getattr(row, name) for row in rows) for name in figures}
        result[key] = Sample(**middle, wrong=sum(row.wrong for row in rows))
    return result


def bars(results: Results) -> tuple[Bar, ...]:
    """What was promised; nothing when not everybody was measured."""
    gets = [(contender.name, GET.name) for contender in (NGINX, GUNICORN_CONSTANT, OURS_GUNICORN, OURS_GRANIAN)]
    if not all(key in results for key in gets):
        return ()
    nginx, constant, gunicorn, granian = (results[key].cpu_microseconds for key in gets)
    ours = [row for (name, _), row in results.items() if name in (OURS_GUNICORN.name, OURS_GRANIAN.name)]
    refused = [
        results[name, load.name].cpu_microseconds / get
        for name, get in ((OURS_GUNICORN.name, gunicorn), (OURS_GRANIAN.name, granian))
        for load in REFUSED
    ]
    return (
        Bar("CPU per GET on granian, beside nginx", 3.0, granian / nginx, "x"),
        Bar("CPU per GET on gunicorn, beside a constant answer there", 1.4, gunicorn / constant, "x"),
        Bar("CPU of the dearest refusal, beside a forwarded GET", 1.0, max(refused), "x"),
        Bar("Memory of a worker after load", 80, max(row.memory_bytes for row in ours) / MEBIBYTE, " MiB"),
    )


def text(results: Results, rounds: int, seconds: int) -> str:
    """What was done, the table, and how much of ours is the server's own."""
    return (
        f"User and system time of the server under test with {CONNECTIONS} connections, medians of {rounds} interleaved"
        f" rounds of {seconds} s. *Memory*: the largest resident set of its processes after the load. *Wrong*: answers"
        " of another status or length, and broken connections. p50 and p99 are those of a server that is kept busy:"
        " 8 requests wait for one core.\n\n" + rows(results) + shares(results)
    )


def rows(results: Results) -> str:
    """A row a measurement, with its ratio to nginx in the same run."""
    nginx = results[NGINX.name, GET.name].cpu_microseconds
    columns = ("Contender", "Request", ">CPU per request", ">beside nginx", ">requests/s", ">p50", ">p99", ">memory",
               ">wrong")  # fmt: skip
    return table(
        columns,
        (
            (
                contender,
                load,
                f"{row.cpu_microseconds:,.0f} us",
                f"{row.cpu_microseconds / nginx:.1f}x",
                f"{row.requests_per_second:,.0f}",
                f"{row.p50_milliseconds:.2f} ms",
                f"{row.p99_milliseconds:.2f} ms",
                f"{row.memory_bytes / MEBIBYTE:.0f} MiB",
                str(row.wrong),
            )
            for (contender, load), row in results.items()
        ),
    )


def shares(results: Results) -> str:
    """How much of our GET the server itself costs, and how much is the proxy."""
    lines = []
    for server, ours, constant in (
        ("granian", OURS_GRANIAN, GRANIAN_CONSTANT),
        ("gunicorn", OURS_GUNICORN, GUNICORN_CONSTANT),
    ):
        if (ours.name, GET.name) in results and (constant.name, GET.name) in results:
            whole, own = (results[c.name, GET.name].cpu_microseconds for c in (ours, constant))
            lines.append(
                f"On {server} a GET costs {whole:.0f} us: a constant answer {own:.0f}, the proxy {whole - own:.0f}."
            )
    return "\n" + "\n".join(lines) + "\n" if lines else ""
