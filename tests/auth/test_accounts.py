"""Signing in at the Django backend: what it is asked, and what each of its answers means to the person at the form."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import requests
import responses

from tests.auth.browser import Browser, header, url_of
from tests.auth.conftest import BACKEND, MakeApp
from tests.auth.fake_django import access_token_of, refresh_token_of
from wsgiproxy_hs.auth.accounts import wait_seconds

CREATE, ME, BLACKLIST = f"{BACKEND}/auth/jwt/create/", f"{BACKEND}/auth/users/me/", f"{BACKEND}/auth/jwt/blacklist/"
TOKENS = {"access": "an.access.token", "refresh": "a.refresh.token"}
SIGN_IN_PAGE = "http://localhost:3000/api/auth/signin?error=CredentialsSignin&code="


def replies(mock: responses.RequestsMock, url: str, **answer: Any) -> None:
    """From now on ``url`` answers like this alone."""
    mock.upsert("GET" if url == ME else "POST", url, **answer)


def sent(request: requests.PreparedRequest) -> Any:
    """The JSON document that a request carried."""
    assert isinstance(request.body, bytes)
    return json.loads(request.body)


@pytest.fixture
def mock(django: responses.RequestsMock) -> responses.RequestsMock:
    """A backend that answers what each test says."""
    django.reset()
    return django


def paths_asked(mock: responses.RequestsMock) -> list[str]:
    return [str(call.request.url).removeprefix(BACKEND) for call in mock.calls]


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (401, {"detail": "No active account found with the given credentials"}, "credentials"),
        (400, {"email": ["Enter a valid email address."]}, "credentials"),
        (403, {"detail": "Account locked."}, "credentials"),
        (429, {"detail": "Request was throttled."}, "throttled"),
        (404, {"detail": "Not found."}, "unavailable"),
        (405, {"detail": "Method not allowed."}, "unavailable"),
        (500, {"detail": "Server error"}, "unavailable"),
        (502, None, "unavailable"),
        (503, None, "unavailable"),
        (200, None, "unavailable"),
        (200, [], "unavailable"),
        (200, {}, "unavailable"),
        (200, {"access": None}, "unavailable"),
        (200, {"access": ""}, "unavailable"),
        (200, {"access": 7}, "unavailable"),
        (200, {"access": "two words"}, "unavailable"),
        (200, {"access": "line\r\nX-Evil: 1"}, "unavailable"),
        (200, {"access": "tökén"}, "unavailable"),
        (201, TOKENS, "unavailable"),
        (204, None, "unavailable"),
        (302, None, "unavailable"),
    ],
)
def test_answers_to_the_credentials(
    mock: responses.RequestsMock, browser: Browser, status: int, document: Any, code: str
) -> None:
    """A refusal is the person's, a throttle asks to wait, anything else is the backend's trouble; nobody is signed in."""
    replies(mock, CREATE, status=status, body=json.dumps(document) if document is not None else "<h1>Oops</h1>")
    answer = browser.sign_in()
    assert answer.status == 200
    assert url_of(answer).partition("&retry")[0] == SIGN_IN_PAGE + code
    assert answer.cookies == []
    assert browser.session() is None
    assert paths_asked(mock) == ["/auth/jwt/create/"]


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("refused"),
        requests.ConnectTimeout("slow"),
        requests.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.exceptions.SSLError("certificate"),
        OSError("network"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_backend_that_is_down_or_slow(mock: responses.RequestsMock, browser: Browser, error: Exception) -> None:
    """Down, slow or cut off in the middle: the person is told that the service did not answer."""
    replies(mock, CREATE, body=error)
    assert url_of(browser.sign_in()) == SIGN_IN_PAGE + "unavailable"
    page = browser.get("/signin?error=CredentialsSignin&code=unavailable").body.decode()
    assert "does not answer at the moment" in page


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (401, {}, "unavailable"),
        (403, {}, "unavailable"),
        (404, {}, "unavailable"),
        (500, {}, "unavailable"),
        (429, {}, "throttled"),
        (200, None, "unavailable"),
        (200, [], "unavailable"),
        (200, {}, "unavailable"),
        (200, {"id": None}, "unavailable"),
        (200, {"id": True}, "unavailable"),
        (200, {"id": ""}, "unavailable"),
        (200, {"id": 1.5}, "unavailable"),
        (200, {"id": {"x": 1}}, "unavailable"),
    ],
)
def test_answers_about_the_user(
    mock: responses.RequestsMock, make_app: MakeApp, status: int, document: Any, code: str
) -> None:
    """Without a user there is no session, and the tokens that were issued for nothing are revoked."""
    replies(mock, CREATE, json=TOKENS)
    replies(mock, ME, status=status, body=json.dumps(document) if document is not None else "<h1>Oops</h1>")
    replies(mock, BLACKLIST, json={})
    answer = Browser(make_app(sign_out_path="/auth/jwt/blacklist/")).sign_in()
    assert url_of(answer) == SIGN_IN_PAGE + code
    assert answer.cookies == []
    assert paths_asked(mock) == ["/auth/jwt/create/", "/auth/users/me/", "/auth/jwt/blacklist/"]
    assert sent(mock.calls[2].request) == {"refresh": TOKENS["refresh"]}


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"email": "a@b.c"},
        {"password": "x"},
        {"email": "", "password": "x"},
        {"email": "a@b.c", "password": ""},
        {"email": ["a@b.c"], "password": "x"},
        {"email": "a@b.c", "password": {"$ne": ""}},
        {"email": 1, "password": 2},
        {"email": None, "password": None},
        {"email": "a" * 321, "password": "x"},
        {"email": "a@b.c", "password": "x" * 4_097},
        {"email": "a@b.c", "password": "\ud800"},
    ],
)
def test_credentials_that_no_backend_needs_to_judge(
    mock: responses.RequestsMock, browser: Browser, credentials: dict[str, Any]
) -> None:
    """Missing, oversized or of another type: refused without asking the backend."""
    answer = browser.post(
        "/callback/credentials", json_body={**credentials, "csrfToken": browser.csrf()}, X_Auth_Return_Redirect="1"
    )
    assert url_of(answer) == SIGN_IN_PAGE + "credentials"
    assert len(mock.calls) == 0


def test_what_the_backend_is_asked(django: responses.RequestsMock, browser: Browser) -> None:
    """E-mail and password alone as JSON, then the user with the new access token; no cookie of the browser travels."""
    browser.jar["sessionid"] = "django"
    browser.sign_in("zoe@example.com", "pässwörd✓", extra="field")
    create, me = (call.request for call in django.calls)
    assert (create.method, create.url, me.method, me.url) == ("POST", CREATE, "GET", ME)
    assert sent(create) == {"email": "zoe@example.com", "password": "pässwörd✓"}
    assert create.headers["Content-Type"] == "application/json"
    assert "Authorization" not in create.headers
    assert me.headers["Authorization"] == "JWT " + access_token_of("zoe@example.com")
    assert "Cookie" not in create.headers
    assert "Cookie" not in me.headers


@pytest.mark.parametrize(
    ("profile", "user"),
    [
        ({"id": 1, "email": "a@b.c", "name": "A"}, {"name": "A", "email": "a@b.c", "image": None, "id": "1"}),
        ({"id": "u-1", "name": ""}, {"name": None, "email": None, "image": None, "id": "u-1"}),
        (
            {"id": 0, "first_name": "Ada", "last_name": "Lovelace"},
            {"name": "Ada Lovelace", "email": None, "image": None, "id": "0"},
        ),
        ({"id": 1, "first_name": "", "last_name": "L"}, {"name": "L", "email": None, "image": None, "id": "1"}),
        ({"id": 1, "name": 7, "email": [], "image": {}}, {"name": None, "email": None, "image": None, "id": "1"}),
        (
            {"id": 1, "image": "https://x.example/a.png"},
            {"name": None, "email": None, "image": "https://x.example/a.png", "id": "1"},
        ),
    ],
)
def test_users(mock: responses.RequestsMock, browser: Browser, profile: dict[str, Any], user: dict[str, Any]) -> None:
    """The browser sees the documented fields of the user, whatever else the backend tells of them."""
    replies(mock, CREATE, json=TOKENS)
    replies(mock, ME, json={**profile, "is_staff": True, "password": "hash"})
    browser.sign_in()
    assert browser.session()["user"] == user


def test_a_backend_without_refresh_tokens(mock: responses.RequestsMock, browser: Browser) -> None:
    """An access token alone makes a session too."""
    replies(mock, CREATE, json={"access": "a.b.c"})
    replies(mock, ME, json={"id": 1})
    browser.sign_in()
    assert browser.session()["user"]["id"] == "1"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("90", 90),
        (" 90 ", 90),
        ("0", 0),
        ("-1", None),
        ("1.5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("9" * 9, 86_400),
        ("9" * 10, None),
        ("٣", None),
    ],
)
def test_how_long_to_wait(text: str | None, seconds: int | None) -> None:
    """Retry-After counts when it is a number of seconds, and never for more than a day."""
    assert wait_seconds(text) == seconds


def test_a_throttle_says_how_long(browser: Browser) -> None:
    """The wait reaches the client in a header, the page in its URL, and the person as a sentence."""
    answer = browser.sign_in("throttled@example.com")
    assert header(answer, "retry-after") == "90"
    assert url_of(answer) == SIGN_IN_PAGE + "throttled&retryAfter=90"
    page = browser.get(url_of(answer).partition("/api/auth")[2]).body.decode()
    assert "Please try again in 2 minutes." in page


class TestSignOut:
    """POST signout revokes what the session held, and never waits for it to work."""

    def test_the_refresh_token_is_revoked(self, django: responses.RequestsMock, make_app: MakeApp) -> None:
        """With a sign-out path the backend is given the refresh token (F038)."""
        browser = Browser(make_app(sign_out_path="/auth/jwt/blacklist/"))
        browser.sign_in()
        browser.post("/signout")
        request = django.calls[-1].request
        assert (request.method, request.url) == ("POST", BLACKLIST)
        assert sent(request) == {"refresh": refresh_token_of("ada@example.com")}
        assert request.headers["Authorization"] == "JWT " + access_token_of("ada@example.com")
        assert browser.session() is None

    @pytest.mark.parametrize(
        "failure",
        [
            {"status": 401},
            {"status": 500},
            {"status": 302},
            {"body": requests.ConnectionError()},
            {"body": requests.ReadTimeout()},
        ],
    )
    def test_a_failure_never_blocks(
        self,
        django: responses.RequestsMock,
        make_app: MakeApp,
        caplog: pytest.LogCaptureFixture,
        failure: dict[str, Any],
    ) -> None:
        """Whatever the backend says or does not say, the person is signed out, and the log knows."""
        browser = Browser(make_app(sign_out_path="/auth/jwt/blacklist/"))
        browser.sign_in()
        django.reset()
        replies(django, BLACKLIST, **failure)
        with caplog.at_level(logging.WARNING):
            answer = browser.post("/signout")
        assert answer.status == 302
        assert answer.cookies == ["authjs.session-token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]
        assert "could not be revoked" in caplog.text
        assert refresh_token_of("ada@example.com") not in caplog.text

    def test_without_a_path_nobody_is_asked(self, django: responses.RequestsMock, browser: Browser) -> None:
        """Without the setting the backend hears nothing."""
        browser.sign_in()
        count = len(django.calls)
        browser.post("/signout")
        assert len(django.calls) == count

    @pytest.mark.parametrize("cookie", ["", "garbage"])
    def test_without_a_session_nobody_is_asked(
        self, django: responses.RequestsMock, make_app: MakeApp, cookie: str
    ) -> None:
        """Signing out of nothing asks the backend nothing."""
        browser = Browser(make_app(sign_out_path="/auth/jwt/blacklist/"))
        browser.csrf()
        browser.jar["authjs.session-token"] = cookie
        assert browser.post("/signout").status == 302
        assert len(django.calls) == 0

    def test_signing_in_anew_revokes_the_former_session(
        self, django: responses.RequestsMock, make_app: MakeApp
    ) -> None:
        """The tokens of the session that a new sign-in replaces are revoked (F039)."""
        browser = Browser(make_app(sign_out_path="/auth/jwt/blacklist/"))
        browser.sign_in()
        browser.sign_in("zoe@example.com", "pässwörd✓")
        assert sent(django.calls[-1].request) == {"refresh": refresh_token_of("ada@example.com")}
        assert browser.session()["user"]["email"] == "zoe@example.com"
