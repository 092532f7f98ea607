"""The page: the machine, the versions, how to repeat it, the bars, then every part."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
from collections.abc import Sequence

from bench.machine import LOAD_CORE, SERVER_CORE
from bench.parts import Bar, Part, table

PACKAGES = ("wsgiproxy_hs", "gunicorn", "granian", "gevent", "requests", "urllib3", "httptools", "werkzeug", "pydantic",
            "cryptography", "WSGIProxy2")  # fmt: skip
TOOLS = (("nginx", "-v"), ("wrk", "-v"), ("node", "--version"))


def page(parts: Sequence[Part], command: str) -> str:
    """All of it, in Markdown."""
    bars = [bar for part in parts for bar in part.bars]
    sections = [f"## {part.title}\n\n{part.text}" for part in parts]
    return "\n".join(
        [
            "# Results",
            "",
            f"Machine: {os.cpu_count()} cores, {processor()}; {platform.system()} {platform.release()}.",
            f"Versions: Python {platform.python_version()}; {versions()}.",
            f"To repeat it: `{command}`, on a machine that does nothing else. The server under test has core"
            f" {SERVER_CORE} to itself, upstream and load share core {LOAD_CORE}.",
            "Ratios hold across machines, absolute times do not.",
            "",
            "## Bars",
            "",
            verdicts(bars),
            "![CPU time per request](chart.svg)",
            "",
            *sections,
        ]
    )


def verdicts(bars: Sequence[Bar]) -> str:
    """A row a bar."""
    rows = (
        (
            bar.what,
            f"at most {bar.at_most:g}{bar.unit}",
            f"{bar.measured:.2f}{bar.unit}",
            "yes" if bar.is_met else "**no**",
        )
        for bar in bars
    )
    return table(("What", ">bar", ">measured", "met"), rows)


def processor() -> str:
    """The processor's name, as Linux tells it."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown")


def versions() -> str:
    """Of everything that takes part."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return ", ".join(found + [f"{name} {tool_version(name, flag)}" for name, flag in TOOLS])


def tool_version(name: str, flag: str) -> str:
    """The first thing in its output that looks like a version; wrk prints its usage, too, and ends with 1."""
    try:
        result = subprocess.run([name, flag], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "absent"
    found = re.search(r"\d+(\.\d+)+", result.stdout + result.stderr)
    return found[0] if found else "unknown"
