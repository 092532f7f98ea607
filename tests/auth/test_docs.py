"""What docs/auth.md shows is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.auth.browser import Browser, url_of
from tests.auth.exchanges import SECRET
from tests.auth.test_app import app_of
from wsgiproxy_hs.auth import AuthApp, Hooks
from wsgiproxy_hs.auth.pages import UNAVAILABLE_MESSAGE, sign_in_message
from wsgiproxy_hs.auth.style import VARIABLES

TEXT = (Path(__file__).parent.parent.parent / "docs/auth.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def names_of(block: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(block, "docs/auth.md", "exec"), names)
    return names


def test_there_are_two_blocks() -> None:
    """The document shows how to build the app, and hooks."""
    assert len(BLOCKS) == 2


def test_the_app_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app that the document builds from the environment serves."""
    variables = {"AUTH_URL": "http://localhost:3000", "AUTH_SECRET": SECRET, "BACKEND_URL": "http://127.0.0.1:8000"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    app = names_of(BLOCKS[0])["app"]
    assert isinstance(app, AuthApp)
    assert Browser(app).session() is None


@pytest.mark.parametrize(
    ("form", "end"),
    [
        ({}, "code=code-required"),
        ({"code": "1"}, "code=credentials"),
        ({"code": "123456"}, "http://localhost:3000"),
    ],
)
def test_the_hooks_of_the_document(form: dict[str, str], end: str) -> None:
    """The hooks that the document shows do what it says."""
    hooks = names_of(BLOCKS[1])["hooks"]
    assert isinstance(hooks, Hooks)
    browser = Browser(app_of(hooks=hooks))
    assert url_of(browser.post("/callback/credentials", form, X_Auth_Return_Redirect="1")).endswith(end)
    if browser.session() is not None:
        browser.post("/session", json_body={"csrfToken": browser.csrf(), "data": "upgrade"})
        assert browser.session()["user"] == {"name": "Ada"}
        assert browser.session()["plan"] == "pro"


def test_the_document_names_what_there_is() -> None:
    """Every variable of the theme stands in the document, and the sentences it quotes are those of the page."""
    assert [name for name in VARIABLES if f"`{name}`" not in TEXT] == []
    assert UNAVAILABLE_MESSAGE.partition(". ")[0] in TEXT
    for error in ("CredentialsSignin", "AccessDenied"):
        assert str(sign_in_message({}, error)) in TEXT
