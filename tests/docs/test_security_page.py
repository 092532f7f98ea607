"""Every promise is held by a test, and every dependency has its reason."""

from __future__ import annotations

import logging
import pathlib
import re
import tomllib

import pytest

from wsgiproxy_hs.redaction import RedactingFilter

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROMISES = re.search(r"^## Promises$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1].strip().splitlines()
ROWS = [line for line in PROMISES if line.startswith("| ")][1:]
LINKS = sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE)))
BLOCK = re.search(r"^dependencies = \[$(.*?)^\]$", PROJECT, re.MULTILINE | re.DOTALL)[1].strip().splitlines()
OPTIONAL = re.search(r"^\[project\.optional-dependencies\]$(.*?)^\[", PROJECT, re.MULTILINE | re.DOTALL)[1]
EXTRAS = [line for line in OPTIONAL.splitlines() if re.match(r' +"|\w+ = \["', line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_promise_links_to_a_test_that_has_tests(row):
    """A promise that nothing tries to break is a hope."""
    files = [ROOT / link for link in re.findall(r"\]\((tests/[^)]+)\)", row)]
    assert files
    for file in files:
        assert re.search(r"^ *def test_", file.read_text(encoding="utf-8"), re.MULTILINE), file


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link):
    """What the page points at exists."""
    assert (ROOT / link).exists()


def test_every_attack_file_is_a_promise():
    """What is tried in the tests is said on the page."""
    missing = [file.name for file in (ROOT / "tests" / "attacks").glob("test_*.py") if file.name not in PAGE]
    assert missing == []


def test_the_page_names_everybody_there_is():
    """The threat model looks at each of them."""
    for who in ("The browser", "Another site", "Another user", "The network", "The backend", "The operator"):
        assert f"**{who}**" in PAGE


def test_the_python_block_runs(monkeypatch):
    """The advice for loggers and error trackers is code that works."""
    handler = logging.NullHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])  # pytest's own stay without the filter
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(block, "SECURITY.md", "exec"), {"__name__": "block"})
    assert [type(one) for one in handler.filters] == [RedactingFilter]


@pytest.mark.parametrize("line", [*BLOCK, *EXTRAS])
def test_every_dependency_has_bounds_and_a_reason(line):
    """A lower bound, an upper one or the word why there is none, and what it is there for."""
    requirement, _, reason = line.partition("#")
    assert ">=" in requirement or "no upper bound" in reason
    assert "<" in requirement or "no upper bound" in reason
    assert len(reason.split()) >= 2


def test_no_dependency_is_overlooked():
    """One a line, so that each has its own reason."""
    project = tomllib.loads(PROJECT)["project"]
    assert len(project["dependencies"]) == len(BLOCK)
    assert sum(map(len, project["optional-dependencies"].values())) == len(EXTRAS)
