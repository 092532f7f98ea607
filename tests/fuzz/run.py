"""Every coverage-guided target for some seconds, two at a time: ``python -m tests.fuzz.run --seconds 30``.

Fails when an input breaks a property; what it was is in ``var/fuzz``. Needs ``atheris``: Python 3.11 to 3.13, on Linux.
"""

from __future__ import annotations

import argparse
import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CORPUS = Path("var/fuzz")


class Outcome(NamedTuple):
    """What came of one target."""

    name: str
    executions: int
    per_second: int
    inputs: int
    fault: str

    def __str__(self) -> str:
        line = f"{self.name:<14} {self.executions:>10,} executions {self.per_second:>7,}/s {self.inputs:>6,} inputs"
        return f"{line}  BROKEN\n{self.fault}" if self.fault else line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    logging.disable()  # only the names are wanted here
    from tests.fuzz.atheris_targets import targets

    names = options.names or list(targets())
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda name: fuzz(name, options.seconds), names):
            print(outcome, flush=True)
            outcomes.append(outcome)
    return 1 if any(outcome.fault for outcome in outcomes) else 0


def fuzz(name: str, seconds: int) -> Outcome:
    """Run a target in a process of its own."""
    command = [sys.executable, "-m", "tests.fuzz.atheris_targets", name, f"--seconds={seconds}", f"--corpus={CORPUS}"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = done.stderr + done.stdout  # the traceback is on the second
    inputs = len(list((CORPUS / name).glob("*")))
    executions, per_second = number("number_of_executed_units", said), number("average_exec_per_sec", said)
    fault = "" if done.returncode == 0 and executions else said[-4_000:]
    return Outcome(name, executions, per_second, inputs, fault)


def number(name: str, said: str) -> int:
    found = re.search(rf"stat::{name}: *([0-9]+)", said)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
