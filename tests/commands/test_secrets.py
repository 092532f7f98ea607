"""``wsgiproxy-hs secrets``: from one secret to the next, with everybody staying signed in."""

from __future__ import annotations

import time

import pytest

from tests.auth.browser import Browser
from tests.auth.conftest import (
    BACKEND,
    AuthApp,
    HTTPAdapter,
    django,  # noqa: F401 - a fixture
)
from tests.harness import access_token, session_cookie
from wsgiproxy_hs.__main__ import main
from wsgiproxy_hs.assembly import make_sessions
from wsgiproxy_hs.settings import SECRET_VARIABLES, Settings

OLD = "rotation-tests-own-sealing-key-0123456789"
PUBLIC = "http://localhost:3000"


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch):
    for name in SECRET_VARIABLES:
        monkeypatch.delenv(name, raising=False)


class Server:
    """A server's environment, and a browser whose cookies outlive its restarts."""

    def __init__(self, environment, browser=None):
        settings = Settings.from_environ({"BACKEND_URL": BACKEND, "AUTH_URL": PUBLIC, **environment})
        self.environment = environment
        self.sessions = make_sessions(settings)
        app = AuthApp.from_settings(settings, transport=HTTPAdapter(), sessions=self.sessions)
        self.browser = Browser(app)
        if browser is not None:
            self.browser.jar = browser.jar

    def is_signed_in(self):
        return self.browser.session() is not None


def step(name, environment, monkeypatch, capsys):
    """What the environment is after a step of the command."""
    for variable in SECRET_VARIABLES:
        monkeypatch.setenv(variable, environment.get(variable, ""))
    assert main(["secrets", "rotate", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {**environment, **dict(line.split("=", 1) for line in lines)}


def secrets(environment):
    return [environment[name] for name in SECRET_VARIABLES if environment.get(name)]


def posts_with(token, server):
    """Whether a form that was opened with this CSRF token is accepted: signing out asks for one."""
    answer = server.browser.post("/signin", {"csrfToken": token}, X_Auth_Return_Redirect="1")
    return b"MissingCSRF" not in answer.body and b"csrf=true" not in answer.body


@pytest.mark.parametrize("first", ["AUTH_SECRET", "NEXTAUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_3"])
def test_a_rotation_signs_nobody_out(first, django, monkeypatch, capsys):  # noqa: F811
    """Sign in, add, use, drop: the session and the CSRF token of an open form hold at every step, on servers that have
    taken the step and on those that have not yet."""
    server = Server({first: OLD})
    assert server.browser.sign_in().status == 200
    form = server.browser.csrf()
    for name in ("add", "use"):
        environment = step(name, server.environment, monkeypatch, capsys)
        after = Server(environment, server.browser)
        for either in (after, server, after):
            assert either.is_signed_in(), f"signed out by {name}"
            assert posts_with(form, either), f"a form was refused after {name}"
        assert server.browser.csrf() == form
        server = after
    assert server.is_signed_in()
    server = Server(step("drop", server.environment, monkeypatch, capsys), server.browser)
    assert server.is_signed_in(), "asking for the session has sealed it anew"
    assert OLD not in secrets(server.environment)
    assert len(secrets(server.environment)) == 1


def test_a_form_opened_during_the_rotation_is_at_worst_asked_for_again(django, monkeypatch, capsys):  # noqa: F811
    """A token made with the dropped secret is good no longer; the next one is, and the session stays."""
    environment = step("use", step("add", {"AUTH_SECRET": OLD}, monkeypatch, capsys), monkeypatch, capsys)
    server = Server(environment)
    assert server.browser.sign_in().status == 200
    form = server.browser.csrf()
    after = Server(step("drop", environment, monkeypatch, capsys), server.browser)
    assert not posts_with(form, after)
    after.browser.get("/csrf")
    assert posts_with(after.browser.csrf(), after)
    assert after.browser.session() is not None


def test_only_what_was_sealed_with_the_dropped_secret_ends(monkeypatch, capsys):
    """A leaked secret opens nothing any more once it is dropped."""
    environment = {"AUTH_SECRET": OLD}
    cookie = session_cookie(access_token(), sessions=Server(environment).sessions)
    for name, opens in (("add", True), ("use", True), ("drop", False)):
        environment = step(name, environment, monkeypatch, capsys)
        assert (Server(environment).sessions.read(cookie) is not None) is opens


def test_the_new_secret_seals_from_the_second_step_only(monkeypatch, capsys):
    """In the first step a server that is not restarted yet must still open everything."""
    added = step("add", {"AUTH_SECRET": OLD}, monkeypatch, capsys)
    used = step("use", added, monkeypatch, capsys)
    assert secrets(added)[0] == OLD
    assert secrets(used) == secrets(added)[::-1]
    lines = Server(added).sessions.write({"name": "Ada"}, "", expires=time.time() + 60)
    assert Server({"AUTH_SECRET": OLD}).sessions.read(lines[0].partition(";")[0]) is not None


@pytest.mark.parametrize(
    ("name", "environment", "advice"),
    [
        ("add", {}, "secrets new"),
        ("use", {"AUTH_SECRET": OLD}, "rotate add"),
        ("drop", {}, "secrets new"),
        ("add", dict.fromkeys(("AUTH_SECRET", "AUTH_SECRET_1", "AUTH_SECRET_2", "AUTH_SECRET_3"), OLD), "rotate drop"),
    ],
)
def test_a_step_that_cannot_be_taken_says_what_to_do(name, environment, advice, monkeypatch, capsys):
    """It prints no line that somebody could use by mistake."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert main(["secrets", "rotate", name]) == 2
    printed = capsys.readouterr()
    assert advice in printed.err
    assert printed.out == ""
    assert OLD not in printed.err


def test_a_first_secret_is_made_where_there_is_none(monkeypatch, capsys):
    """``new`` prints one line that the settings accept, and refuses where it would end sessions."""
    assert main(["secrets", "new"]) == 0
    variable, _, value = capsys.readouterr().out.strip().partition("=")
    Settings.from_environ({"BACKEND_URL": BACKEND, "AUTH_URL": PUBLIC, variable: value})
    monkeypatch.setenv("NEXTAUTH_SECRET", OLD)
    assert main(["secrets", "new"]) == 2
    assert "rotate add" in capsys.readouterr().err


def test_secrets_go_to_standard_output_alone(monkeypatch, capsys, caplog):
    """Not to standard error, which ends in logs, nor to a logger."""
    monkeypatch.setenv("AUTH_SECRET", OLD)
    assert main(["secrets", "rotate", "add"]) == 0
    printed = capsys.readouterr()
    assert not [line for line in printed.out.splitlines() if line.partition("=")[2] in printed.err]
    assert not caplog.records
