"""The chart: CPU time of the authenticated GET, on a card of its own that can be read on light and on dark pages."""

from __future__ import annotations

import html

from bench.contenders import NGINX
from bench.cpu import Results
from bench.loads import GET

WIDTH, ROW, TOP, LEFT, LONGEST = 900, 34, 56, 290, 440
STYLE = (
    ".card{fill:#ffffff;stroke:#cbd5e1}text{fill:#0f172a}.ours{fill:#2563eb}.other{fill:#94a3b8}"
    "@media(prefers-color-scheme:dark){.card{fill:#0f172a;stroke:#334155}text{fill:#e2e8f0}"
    ".ours{fill:#60a5fa}.other{fill:#64748b}}"
)
TITLE = "CPU time per authenticated GET of 1.3 KB, and beside nginx"


def chart(results: Results) -> str:
    """Horizontal bars, the shortest first."""
    nginx = results[NGINX.name, GET.name].cpu_microseconds
    bars = sorted((row.cpu_microseconds, name) for (name, load), row in results.items() if load == GET.name)
    height = TOP + ROW * len(bars) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        ' role="img" font-family="system-ui, sans-serif" font-size="14">',
        f"<title>{TITLE}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text x="16" y="32" font-weight="bold">{TITLE}</text>',
    ]
    for index, (microseconds, name) in enumerate(bars):
        top = TOP + ROW * index
        width = max(2, round(LONGEST * microseconds / bars[-1][0]))
        kind = "ours" if name.startswith("wsgiproxy_hs") else "other"
        parts.append(
            f'<text x="16" y="{top + 17}">{html.escape(name)}</text>'
            f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width}" height="24" rx="2"/>'
            f'<text x="{LEFT + 8 + width}" y="{top + 17}">{microseconds:,.0f} us, {microseconds / nginx:.1f}x</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
