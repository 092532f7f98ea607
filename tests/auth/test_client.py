"""Who signs in or out is told to whoever judges it: the upstream's log and limits see the person, and not us."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import responses

from tests.auth.browser import Browser, environ_of
from tests.auth.browser import call as ask
from tests.auth.conftest import BACKEND, MakeApp, sessions_of, settings_of
from tests.auth.exchanges import SECRET
from wsgiproxy_hs.auth import AuthApp, Client, Hooks, User
from wsgiproxy_hs.auth.providers import EMAIL_AND_PASSWORD, tell
from wsgiproxy_hs.environ import REQUEST_ID

HOPS = {"X-Forwarded-For": "1.1.1.1, 203.0.113.7, 10.0.0.1"}


class Behind:
    """A server that knows the peer, and an error layer that gave the request an id."""

    def __init__(self, app: AuthApp, peer: str = "10.0.0.9") -> None:
        self.app, self.peer = app, peer

    def __call__(self, environ, start_response):
        environ |= {"REMOTE_ADDR": self.peer, REQUEST_ID: "request-0001"}
        return self.app(environ, start_response)


def told(django: responses.RequestsMock) -> list[tuple[str, str | None, str | None]]:
    """Path, client and request id of what the upstream was asked."""
    return [
        (
            str(call.request.url).removeprefix(BACKEND),
            call.request.headers.get("X-Forwarded-For"),
            call.request.headers.get("X-Request-ID"),
        )
        for call in django.calls
    ]


@pytest.mark.parametrize(("trusted", "client"), [("10.0.0.0/8", "203.0.113.7"), ("", "10.0.0.9")])
def test_the_upstream_is_told_who_signs_in_and_out(
    make_app: MakeApp, django: responses.RequestsMock, trusted: str, client: str
) -> None:
    """Every call for a sign-in and a sign-out names the client, by hops that are trusted alone, and the request."""
    browser = Browser(Behind(make_app(sign_out_path="/auth/jwt/blacklist/", trusted_proxies=trusted)))
    form = {"email": "ada@example.com", "password": "correct horse"}
    browser.post("/callback/credentials", form, **HOPS)
    browser.post("/callback/credentials", form, **HOPS)  # ends the former session
    browser.post("/signout", **HOPS)
    pair = ["/auth/jwt/create/", "/auth/users/me/"]
    paths = [*pair, *pair, "/auth/jwt/blacklist/", "/auth/jwt/blacklist/"]
    assert told(django) == [(path, client, "request-0001") for path in paths]
    sent = django.calls[0].request.headers
    assert (sent["X-Forwarded-Host"], sent["X-Forwarded-Proto"], sent["Via"]) == (
        "localhost:3000",
        "http",
        "1.1 wsgiproxy_hs",
    )


def test_tokens_of_a_sign_in_that_fails_are_revoked_in_the_clients_name(
    make_app: MakeApp, django: responses.RequestsMock
) -> None:
    """Whoever is not let in is named to the upstream all the same."""
    hooks = Hooks(sign_in=lambda user: False)
    browser = Browser(Behind(make_app(sign_out_path="/auth/jwt/blacklist/", hooks=hooks), "203.0.113.7"))
    browser.sign_in()
    assert told(django)[-1] == ("/auth/jwt/blacklist/", "203.0.113.7", "request-0001")


def test_hooks_that_have_a_parameter_for_it_are_told_too(make_app: MakeApp) -> None:
    """``client`` is who asks; a hook of credentials alone is called as ever, even with other defaults."""
    seen: list[object] = []

    def authorize(credentials: Mapping[str, object], *, client: Client) -> User:
        seen.append((client.address, client.request_id, client.headers["X-Request-ID"]))
        return User("7")

    def unaware(credentials: Mapping[str, object], limit: int = 3) -> User:
        seen.append(limit)
        return User("7")

    for hook in (authorize, unaware):
        browser = Browser(Behind(make_app(hooks=Hooks(authorize=hook)), "203.0.113.7"))
        browser.sign_in()
        assert browser.session()["user"] == {"name": None, "email": None, "image": None, "id": "7"}
    assert seen == [("203.0.113.7", "request-0001", "request-0001"), 3]


def test_a_function_that_shows_no_parameters_is_called_with_its_value_alone() -> None:
    """Some that are written in C do not say what they take."""
    assert tell(int, "7", Client()) == 7


class Old:
    """A way to sign in that was written before anybody was told of clients."""

    id, name, type, fields = "old", "Old", "credentials", EMAIL_AND_PASSWORD

    def sign_in(self, credentials: Mapping[str, object]) -> User:
        return User("7")


class New(Old):
    """One that wants to know."""

    id = "new"

    def __init__(self) -> None:
        self.clients: list[Client] = []

    def sign_in(self, credentials: Mapping[str, object], *, client: Client | None = None) -> User:
        assert client is not None
        self.clients.append(client)
        return User("7")


@pytest.mark.parametrize("provider", [Old(), New()], ids=["old", "new"])
def test_providers_of_either_kind_serve(provider: Old) -> None:
    """``sign_in(credentials)`` goes on to serve; one with a parameter ``client`` is told."""
    sessions = sessions_of(settings_of())
    app = AuthApp(
        public_url="http://localhost:3000",
        base_path="/api/auth",
        secrets=[SECRET],
        sessions=sessions,
        providers=[provider],
    )
    browser = Browser(Behind(app, "203.0.113.7"))
    browser.post(f"/callback/{provider.id}", {"email": "a@b", "password": "x"})
    assert browser.session()["user"]["id"] == "7"
    assert [client.address for client in getattr(provider, "clients", [])] == ["203.0.113.7"] * isinstance(
        provider, New
    )


def test_a_sign_in_that_came_through_here_before_is_a_loop(make_app: MakeApp, django: responses.RequestsMock) -> None:
    """Our name in ``Via`` is 508 here as for every other row, and nobody is asked (F109)."""
    environ = environ_of("POST", "/api/auth/callback/credentials", {"Via": "1.1 wsgiproxy_hs"}, b"")
    answer = ask(make_app(), environ)
    assert (answer.status, answer.cookies, json.loads(answer.body)["code"]) == (508, [], "upstream-loop")
    assert len(django.calls) == 0
