"""``wsgiproxy-hs routes``: the table as it is served."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from wsgiproxy_hs.assembly import load_routes
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.routes import Body, CrossSite, Route
from wsgiproxy_hs.settings import Settings

COLUMNS = ("Methods", "Path", "Upstream or endpoint", "Access token", "Body", "Remarks")


def add_to(commands: Any) -> None:
    command = commands.add_parser("routes", help="print the route table", description=__doc__)
    command.add_argument("--markdown", action="store_true", help="as the page of the documentation")
    command.set_defaults(run=run)


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    prefix, routes = _table(environ)
    rows = [row(route, prefix) for route in routes]
    print(markdown(rows) if options.markdown else text(rows), end="")
    return 0


def _table(environ: Mapping[str, str]) -> tuple[str, Iterable[Route]]:
    """The table of the settings; without complete settings, the table alone is enough to print it."""
    settings = Settings.model_construct(
        prefix=(environ.get("WSGIPROXY_PREFIX") or "/api").rstrip("/"),
        routes=environ.get("WSGIPROXY_ROUTES") or Settings.model_fields["routes"].default,
    )
    if ":" not in settings.routes:
        raise ConfigurationError("WSGIPROXY_ROUTES (routes) is wrong: write it as package.module:NAME")
    return settings.prefix, load_routes(settings)


def row(route: Route, prefix: str) -> tuple[str, ...]:
    """A row as texts, in the order of ``COLUMNS``."""
    return (
        route.methods,
        f"{prefix}/{route.path}",
        route.to if isinstance(route.to, str) else getattr(route.to, "__name__", type(route.to).__name__),
        route.token.value,
        body(route),
        "; ".join(remarks(route)),
    )


def body(route: Route) -> str:
    """The body column: the model's name, or what stands in its place."""
    if route.body is None:
        return "none"
    return route.body.value if isinstance(route.body, Body) else route.body.__name__


def remarks(route: Route) -> Iterable[str]:
    """The rare columns, where they differ from their defaults."""
    if route.max_bytes is not None:
        yield f"at most {route.max_bytes:,} bytes"
    if route.timeout_seconds is not None:
        yield f"waits {route.timeout_seconds:g} s"
    if route.request_headers:
        yield f"passes {', '.join(route.request_headers)}"
    if route.cross_site is not CrossSite.CHECKED:
        yield f"cross-site: {route.cross_site.value}"
    if route.throttle is not None:
        yield f"throttled: {route.throttle}"
    if route.redirects:
        yield "redirects pass"
    if not route.reshape_errors:
        yield "errors pass as they are"
    if route.path_setting:
        yield f"path set by {route.path_setting.upper()}"


def text(rows: Iterable[tuple[str, ...]]) -> str:
    """Aligned columns for a terminal."""
    table = [COLUMNS, *rows]
    widths = [max(len(cells[index]) for cells in table) for index in range(len(COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in table)
    return "".join(line.rstrip() + "\n" for line in lines)


def markdown(rows: Iterable[tuple[str, ...]]) -> str:
    """The page ``docs/routes.md``."""
    lines = [
        "# Routes",
        "",
        "Made by `wsgiproxy-hs routes --markdown` from the table in `wsgiproxy_hs/table.py`.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for methods, path, to, token, kind, notes in rows:
        lines.append(f"| {methods} | `{path}` | `{to}` | {token} | {kind} | {notes} |")
    return "\n".join(lines) + "\n"
