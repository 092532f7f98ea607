"""Start-up: import the package and build the app, beside importing the third-party modules that this loads.

Each time in a fresh interpreter, the two in turn; measured inside of it, so that the interpreter's own start does not
blur the ratio. ``python -m bench.startup`` prints the modules.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
from collections import Counter

from bench.loads import SECRET
from bench.machine import ROOT
from bench.parts import Bar, Part, table

REPEATS = 21
MOST_RATIO = 1.5
BUILD = "import wsgiproxy_hs\nwsgiproxy_hs.app"
BEFORE = "import json, sys\nbefore = set(sys.modules)\n"
TIMED = "import time\nbegan = time.perf_counter_ns()\n{}\nprint((time.perf_counter_ns() - began) / 1e6)"
FOREIGN = """
modules = [(name, module) for name, module in sys.modules.items() if name not in before]
print(json.dumps([name for name, module in modules if "site-packages" in (getattr(module, "__file__", None) or "")]))
"""


def measure(_: pathlib.Path) -> Part:
    """The part."""
    names = dependencies()
    imports = "\n".join(f"import {name}" for name in names)
    times: list[tuple[float, float]] = []
    for _repeat in range(REPEATS + 1):
        times.append((float(run(TIMED.format(imports))), float(run(TIMED.format(BUILD)))))
    alone, whole = (statistics.median(column) for column in zip(*times[1:], strict=True))
    bar = Bar("Import and build of the app, beside importing its dependencies", MOST_RATIO, whole / alone, "x")
    return Part("Start-up", text(names, alone, whole), (bar,))


def dependencies() -> list[str]:
    """The third-party modules that are there once the app is built, in the order in which they came."""
    return [str(name) for name in json.loads(run(BEFORE + BUILD + FOREIGN))]


def run(code: str) -> str:
    """What a fresh interpreter prints.

    :raises RuntimeError: with what it complained of, when it failed.
    """
    environ = {**os.environ, "BACKEND_URL": "http://127.0.0.1:9", "AUTH_URL": "http://127.0.0.1", "AUTH_SECRET": SECRET}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environ, cwd=ROOT, check=False, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr)
    return result.stdout


def text(names: list[str], alone: float, whole: float) -> str:
    """What was done, the figures, and which packages the modules belong to."""
    rows = (
        (f"import {len(names)} third-party modules", f"{alone:.0f} ms"),
        ("import wsgiproxy_hs and build its app", f"{whole:.0f} ms ({whole / alone:.2f}x)"),
    )
    packages = Counter(name.partition(".")[0] for name in names)
    listed = ", ".join(f"{name} {number}" for name, number in sorted(packages.items()))
    return (
        f"Fresh interpreters in turn, medians of {REPEATS}, without the interpreter's own start. The dependencies are"
        " exactly the third-party modules that are in `sys.modules` once the app is built; `python -m bench.startup`"
        f" prints them.\n\n{table(('What', '>time'), rows)}\nModules by package: {listed}.\n"
    )


if __name__ == "__main__":
    print("\n".join(dependencies()))
