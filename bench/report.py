"""The benchmark's results as a page and as a chart."""

from __future__ import annotations

import html
import os
import pathlib
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.run import Sample

FOLDER = pathlib.Path(__file__).resolve().parent
NGINX = ("nginx proxy_pass", "GET 1.3 KB")
Results = Mapping[tuple[str, str], "Sample"]


def write(results: Results, *, rounds: int, seconds: float, is_whole: bool) -> None:
    """Print the table; write the page and the chart when everybody was measured."""
    text = table(results)
    print(text)
    if not is_whole:
        return
    page = (
        "# Results\n\nMade by `make bench`. CPU time per request of the server under test, which has one core to"
        f" itself;\nmedians of {rounds} interleaved rounds of {seconds:g} s with 8 connections. Ratios hold across"
        f" machines, absolute times do not.\n\nMachine: {os.cpu_count()} cores, {processor()}; Python"
        f" {platform.python_version()}.\n\n{text}\n![CPU time per request](chart.svg)\n"
    )
    (FOLDER / "results.md").write_text(page)
    (FOLDER / "chart.svg").write_text(chart(results))


def processor() -> str:
    """The processor's name, as Linux tells it."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown")


def table(results: Results) -> str:
    """A row a measurement, with its ratio to nginx in the same run."""
    nginx = results[NGINX].cpu_microseconds
    lines = [
        "| Contender | Request | CPU per request | beside nginx | requests/s | p50 | p99 | memory | wrong |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (contender, load), row in results.items():
        lines.append(
            f"| {contender} | {load} | {row.cpu_microseconds:,.0f} us | {row.cpu_microseconds / nginx:.1f}x "
            f"| {row.requests_per_second:,.0f} | {row.p50_milliseconds:.2f} ms | {row.p99_milliseconds:.2f} ms "
            f"| {row.memory_bytes / 1_048_576:.0f} MiB | {row.wrong} |"
        )
    return "\n".join(lines) + "\n"


def chart(results: Results) -> str:
    """Horizontal bars: CPU time of the authenticated GET, beside nginx."""
    nginx = results[NGINX].cpu_microseconds
    bars = sorted((row.cpu_microseconds, name) for (name, load), row in results.items() if load == NGINX[1])
    longest = bars[-1][0]
    height = 34 * len(bars) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" font-family="sans-serif" font-size="14">',
        f'<rect width="900" height="{height}" fill="#fff"/>',
        '<text x="16" y="24" font-weight="bold">CPU time per authenticated GET of 1.3 KB</text>',
    ]
    for index, (microseconds, name) in enumerate(bars):
        top = 40 + 34 * index
        width = max(2, round(480 * microseconds / longest))
        color = "#2563eb" if name.startswith("wsgiproxy_hs") else "#94a3b8"
        parts.append(
            f'<text x="16" y="{top + 17}">{html.escape(name)}</text>'
            f'<rect x="280" y="{top}" width="{width}" height="24" fill="{color}"/>'
            f'<text x="{288 + width}" y="{top + 17}">{microseconds:,.0f} us, {microseconds / nginx:.1f}x</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
