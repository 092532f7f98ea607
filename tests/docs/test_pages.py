"""The documentation says what the code does."""

from __future__ import annotations

import pathlib
import re

import pytest

from tools import generated_pages

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
SETTINGS = {
    "BACKEND_URL": "http://127.0.0.1:8000",
    "AUTH_URL": "http://127.0.0.1:8080",
    "AUTH_SECRET": "docs-tests-own-sealing-key-0123456789abcdef",
}


def blocks(language: str) -> list[pytest.param]:
    """Every code block of a language, with its page and number as its name."""
    found = []
    for page in PAGES:
        pattern = rf"^```{language}\n(.*?)^```$"
        for number, match in enumerate(re.finditer(pattern, page.read_text(), re.MULTILINE | re.DOTALL), 1):
            found.append(pytest.param(match[1], id=f"{page.name}-{number}"))
    return found


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of the documentation runs as it stands."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    exec(compile(block, "block", "exec"), {"__name__": "block"})


@pytest.mark.parametrize("block", blocks("console"))
def test_console_blocks_name_what_exists(block: str) -> None:
    """Every make target and every command of ours in the documentation exists."""
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\$ make ([\w-]+)", block, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for command in re.findall(r"^\$ wsgiproxy-hs ([\w-]+)", block, re.MULTILINE):
        assert (ROOT / "wsgiproxy_hs" / "commands" / f"{command}.py").exists(), command


@pytest.mark.parametrize("path", sorted(generated_pages.pages()))
def test_generated_pages_are_current(path: str) -> None:
    """A generated page is what the code says; ``make docs`` writes it anew."""
    assert (ROOT / path).read_text() == generated_pages.pages()[path]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    """Every relative link of the documentation leads to a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
