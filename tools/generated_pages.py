"""Writes the generated pages of docs/ and the settings table of the README anew, from the code that they describe.

``python tools/generated_pages.py --check`` changes nothing and fails when a page is not what the code says.
"""

from __future__ import annotations

import inspect
import pathlib
import re
import sys
from collections.abc import Iterator

from wsgiproxy_hs import environ, exceptions
from wsgiproxy_hs.commands import routes
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.settings import Settings, variables
from wsgiproxy_hs.table import ROUTES
from wsgiproxy_hs.trusted_proxies import TrustedProxies
from wsgiproxy_hs.upstream.headers import ANSWER_HEADERS_KEPT_BACK, REQUEST_HEADERS

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def pages() -> dict[str, str]:
    """Every generated file, by its path, with what it should hold."""
    readme = (ROOT / "README.md").read_text()
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        "docs/routes.md": routes.markdown(routes.row(route, "/api") for route in ROUTES),
        "docs/errors.md": errors_page(),
        "docs/environ.md": environ_page(),
        "docs/headers.md": headers_page(),
        "README.md": f"{before}{BEGIN}\n{settings_table()}{END}{after}",
    }


def settings_table() -> str:
    """All settings, in the order of the class."""
    lines = ["| Variable | Default | What it is |", "|---|---|---|"]
    for info in Settings.model_fields.values():
        names = ", ".join(f"`{name}`" for name in variables(info))
        default = "**required**" if info.is_required() else _default(info.default)
        lines.append(f"| {names} | {default} | {info.description} |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    if value is None or value == ():
        return "not set"
    if isinstance(value, Rate):
        return f"`{value}`"
    if isinstance(value, TrustedProxies):
        return "nobody"
    return f"`{','.join(value)}`" if isinstance(value, tuple) else f"`{value}`"


def errors_page() -> str:
    """The error tree as a table."""
    tree = inspect.getdoc(exceptions) or ""
    lines = [
        "# Errors",
        "",
        "Every refusal and every failure is answered in one shape:",
        "",
        "```json",
        '{"error": "Request failed", "code": "upstream-status",',
        ' "fields": {"email": ["Enter a valid email address."]}, "request_id": "..."}',
        "```",
        "",
        "`error` is a sentence for a person, `code` a name for a program, `fields` (where a field is at fault) the",
        "messages by field as Django REST framework writes them, `request_id` joins the answer to the logs.",
        "",
        "| Status | Code | Class | What it says |",
        "|---|---|---|---|",
    ]
    for leaf in leaves(exceptions.ProxyError):
        status = "the upstream's" if leaf is exceptions.UpstreamStatus else str(leaf.status)
        lines.append(f"| {status} | `{leaf.code}` | `{leaf.__name__}` | {leaf.detail} |")
    lines += ["", "The classes, from `wsgiproxy_hs/exceptions/`:", "", "```text", _drawing(tree), "```"]
    return "\n".join(lines) + "\n"


def leaves(kind: type[exceptions.ProxyError]) -> Iterator[type[exceptions.ProxyError]]:
    """The errors that are raised, in the order in which they are defined."""
    below = kind.__subclasses__()
    if not below:
        yield kind
    for child in below:
        yield from leaves(child)


def _drawing(text: str) -> str:
    """The indented tree of the module's docstring."""
    block = re.search(r"::\n\n((?:    .*\n|\n)+)", text + "\n")
    return inspect.cleandoc(block[1]) if block else ""


def environ_page() -> str:
    """The environ keys."""
    lines = ["# Environ keys", "", (inspect.getdoc(environ) or "").partition("\n")[0], ""]
    lines += ["| Key | Value | Written by |", "|---|---|---|"]
    for match in re.finditer(r"^``(\S+)``\s{2,}(.+?)\s{2,}(\S+)$", inspect.getdoc(environ) or "", re.MULTILINE):
        lines.append(f"| `{match[1]}` | {match[2].replace('``', '`')} | {match[3].replace('``', '`')} |")
    lines += ["", "A key that does not apply to a request is absent: no session, no `session` key."]
    return "\n".join(lines) + "\n"


def headers_page() -> str:
    """Which headers travel, and why."""
    lines = ["# Headers", "", "## Requests: these travel to the upstream, and no others", ""]
    lines += ["| Header | Why |", "|---|---|"]
    lines += [f"| `{name}` | {reason} |" for name, reason in REQUEST_HEADERS.items()]
    lines += [
        "",
        "To these we add `Host`, `Authorization`, `Content-Type` and `Content-Length` of the body, `Via`,",
        "`X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Request-ID`. A row may name more.",
        "",
        "## Answers: all come back but these",
        "",
        "| Header | Why |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {reason} |" for name, reason in ANSWER_HEADERS_KEPT_BACK.items()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write, or check."""
    stale = [path for path, text in pages().items() if not _same(path, text)]
    if "--check" in arguments:
        print(*[f"{path} is not what the code says; run 'make docs'" for path in stale], sep="\n")
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).write_text(pages()[path])
        print(f"wrote {path}")
    return 0


def _same(path: str, text: str) -> bool:
    file = ROOT / path
    return file.exists() and file.read_text() == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
