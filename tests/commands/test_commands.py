"""The command line, in this process: what it prints and how it ends."""

from __future__ import annotations

import io
import json

import pytest

from wsgiproxy_hs.__main__ import main
from wsgiproxy_hs.commands import check, serve
from wsgiproxy_hs.table import ROUTES

SETTINGS = {
    "BACKEND_URL": "http://127.0.0.1:9",
    "AUTH_URL": "http://127.0.0.1:8080",
    "AUTH_SECRET": "command-tests-own-sealing-key-0123456789",
}
VARIABLES = (*SETTINGS, "NEXTAUTH_URL", "NEXTAUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(name="settings")
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def test_missing_settings_are_all_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that needs settings names every one that is missing, and ends with 2."""
    assert main(["check"]) == 2
    printed = capsys.readouterr().err
    assert all(name in printed for name in SETTINGS)


@pytest.mark.usefixtures("settings")
def test_check_says_when_the_backend_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    """``check`` ends with 1 when nothing answers at BACKEND_URL, and says so."""
    assert main(["check"]) == 1
    assert "http://127.0.0.1:9 does not answer" in capsys.readouterr().out


@pytest.mark.usefixtures("settings")
def test_check_offline_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """``check --offline`` validates the settings alone, and says where sign-in is."""
    assert main(["check", "--offline"]) == 0
    assert "http://127.0.0.1:8080/api/auth" in capsys.readouterr().out


def test_routes_refuses_a_table_that_is_not_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``routes`` names the variable when the table cannot be imported."""
    monkeypatch.setenv("WSGIPROXY_ROUTES", "no_such_module:ROUTES")
    assert main(["routes"]) == 2
    assert "WSGIPROXY_ROUTES" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["routes"], ["routes", "--markdown"]])
def test_routes_prints_every_row(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """``routes`` prints each row once, without any setting."""
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    for route in ROUTES:
        assert sum(f"/api/{route.path}" in line.replace("`", " ").split() for line in lines) == 1, route.path


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("text", ["", "[]", "no json"])
def test_seal_refuses_what_is_no_object(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``session seal`` ends with 2 for claims that are no JSON object."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["session", "seal"]) == 2


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("header", ["", "a=b", "authjs.session-token=forged"])
def test_unseal_refuses_what_is_no_session(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``session unseal`` ends with 1 when there is nothing that can be opened."""
    monkeypatch.setattr("sys.stdin", io.StringIO(header))
    assert main(["session", "unseal"]) == 1


@pytest.mark.usefixtures("settings")
def test_what_seal_made_unseal_opens_without_tokens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``session unseal`` shows the claims of a sealed session, its tokens only when asked for."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"sub": "1", "accessToken": "the-access-token"})))
    assert main(["session", "seal"]) == 0
    header = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(header))
    assert main(["session", "unseal"]) == 0
    hidden = capsys.readouterr().out
    assert json.loads(hidden)["sub"] == "1"
    assert "the-access-token" not in hidden
    monkeypatch.setattr("sys.stdin", io.StringIO(header))
    assert main(["session", "unseal", "--show-tokens"]) == 0
    assert json.loads(capsys.readouterr().out)["accessToken"] == "the-access-token"


def test_serve_hands_gunicorn_the_app() -> None:
    """``serve`` runs ``wsgiproxy_hs:app`` with threads, and passes further arguments on."""
    from wsgiproxy_hs.__main__ import parser

    options = parser().parse_args(["serve", "--bind=127.0.0.1:1", "--workers=2", "--", "--access-logfile=-"])
    arguments = serve.arguments(options)
    assert arguments[-2:] == ["--access-logfile=-", "wsgiproxy_hs:app"]
    assert "--bind=127.0.0.1:1" in arguments


@pytest.mark.parametrize(
    ("status", "word"),
    [(200, "well"), (401, "well"), (403, "well"), (404, "users/me"), (400, "ALLOWED_HOSTS"), (301, "https")],
)
def test_check_judges_what_the_backend_says(status: int, word: str) -> None:
    """What is no answer of this kind of backend is not well, and the verdict says what to look at."""
    assert word in check.verdict(status)
    assert (status in check.WELL) == (word == "well")


@pytest.mark.usefixtures("settings")
def test_claims_that_cannot_be_sealed_end_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims that no browser could hold are refused in a line, without a traceback."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"sub": "x" * 400_000})))
    assert main(["session", "seal"]) == 2
    assert "cannot be sealed" in capsys.readouterr().err
