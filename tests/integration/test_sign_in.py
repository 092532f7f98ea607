"""Signing in and out against the real backend."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.integration import servers
from tests.integration.conftest import Backend

pytestmark = pytest.mark.integration


def test_wrong_password(proxy: str) -> None:
    """A wrong password gives no session, and the error that the client library knows."""
    client = servers.Client(proxy)
    answer = client.sign_in(password="wrong")
    assert (answer.status, "error=CredentialsSignin" in answer.json()["url"]) == (200, True)
    assert client.ask("GET", "/api/auth/session").json() is None
    assert client.ask("GET", "/api/workspaces").status == 401


def test_django_sees_the_client_and_the_request(proxy: str, backend: Backend) -> None:
    """Both calls of a sign-in name the client's address, whatever the client claims, and the request's id."""
    client = servers.Client(proxy)
    token = client.ask("GET", "/api/auth/csrf").json()["csrfToken"]
    backend.received()
    client.ask(
        "POST",
        "/api/auth/callback/credentials",
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Request-ID": "sign-in-request-1",
            "X-Forwarded-For": "198.51.100.1",
        },
        body=urlencode({"email": servers.EMAIL, "password": servers.PASSWORD, "csrfToken": token}).encode(),
    )
    seen = backend.received()
    assert [one.target for one in seen] == ["/auth/jwt/create/", "/auth/users/me/"]
    for one in seen:
        assert one.headers["x-request-id"] == "sign-in-request-1"
        assert one.headers["x-forwarded-for"] == "127.0.0.1"
        assert one.headers["x-forwarded-host"] == proxy.partition("://")[2]


def test_no_csrf_token(proxy: str, backend: Backend) -> None:
    """Without the CSRF token the password is not even tried (login CSRF)."""
    backend.received()
    client = servers.Client(proxy)
    form = urlencode({"email": servers.EMAIL, "password": servers.PASSWORD}).encode()
    answer = client.ask(
        "POST",
        "/api/auth/callback/credentials",
        headers={"Content-Type": "application/x-www-form-urlencoded", "X-Auth-Return-Redirect": "1"},
        body=form,
    )
    assert "error=MissingCSRF" in answer.json()["url"]
    assert backend.received() == []


def test_the_session_shows_the_user_and_no_token(signed_in: servers.Client, backend: Backend) -> None:
    """``GET session`` shows who is signed in; no token is in it, nor in any cookie in plain."""
    answer = servers.Client(signed_in.url, dict(signed_in.cookies)).ask("GET", "/api/auth/session")
    assert answer.json()["user"]["email"] == servers.EMAIL
    assert "eyJ" not in answer.body.decode()
    assert backend.token.split(".")[1] not in str(answer.headers)


def test_from_sign_in_to_sign_out(proxy: str) -> None:
    """Sign in, call, sign out: afterwards no cookie is left and the call is refused."""
    client = servers.Client(proxy)
    client.sign_in()
    assert client.ask("GET", "/api/workspaces").status == 200
    token = client.ask("GET", "/api/auth/csrf").json()["csrfToken"]
    answer = client.ask(
        "POST",
        "/api/auth/signout",
        headers={"Content-Type": "application/x-www-form-urlencoded", "X-Auth-Return-Redirect": "1"},
        body=urlencode({"csrfToken": token, "callbackUrl": proxy}).encode(),
    )
    assert answer.json()["url"] == proxy
    assert not any("session-token" in name for name in client.cookies)
    assert client.ask("GET", "/api/workspaces").status == 401


def test_signin_page(proxy: str) -> None:
    """``GET signin`` is a plain page with a form that posts to the right place."""
    answer = servers.ask(proxy, "GET", "/api/auth/signin")
    assert answer.status == 200
    assert (answer.header("content-type") or "").startswith("text/html")
    assert f'action="{proxy}/api/auth/callback/credentials"' in answer.body.decode()


def test_providers(proxy: str) -> None:
    """``GET providers`` names the credentials provider with absolute URLs."""
    provider = servers.ask(proxy, "GET", "/api/auth/providers").json()["credentials"]
    assert provider["callbackUrl"] == f"{proxy}/api/auth/callback/credentials"


def test_registration_activation_and_first_sign_in(proxy: str, backend: Backend) -> None:
    """A new account: registered, refused until activated by the mailed link, then signed in."""
    import pathlib
    import re

    email, password = "newcomer@example.com", "an honest long passphrase 42"
    client = servers.Client(proxy)
    body = f'{{"email": "{email}", "password": "{password}", "re_password": "{password}", "name": "New"}}'.encode()
    assert client.ask("POST", "/api/auth/register", body=body).status == 201
    assert "error=" in client.sign_in(email, password).json()["url"]
    mails = [file.read_text() for file in pathlib.Path(backend.data, "mail").iterdir()]
    mail = next(text for text in mails if email in text)
    uid, token = re.search(r"user-activation/([\w-]+)/([\w-]+)", mail.replace("=\n", "")).groups()  # type: ignore[union-attr]
    form = f'{{"uid": "{uid}", "token": "{token}"}}'.encode()
    activated = client.ask("POST", "/api/auth/activate-user", body=form)
    assert (activated.status, activated.body) == (204, b"")
    assert client.ask("POST", "/api/auth/activate-user", body=form).json()["error"] == "Stale token for given user."
    assert "error=" not in client.sign_in(email, password).json()["url"]
    assert client.ask("GET", "/api/workspaces").status == 200
