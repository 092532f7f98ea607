"""The session layer alone."""

from __future__ import annotations

import time

import pytest

from tests.harness import (
    OTHER_SECRET,
    Inner,
    access_token,
    call,
    make_sessions,
    request,
    routed,
    session_cookie,
)
from wsgiproxy_hs.environ import ACCESS_TOKEN, SESSION
from wsgiproxy_hs.exceptions import Unauthorized
from wsgiproxy_hs.middleware.session import SessionMiddleware
from wsgiproxy_hs.routes import NONE, OPTIONAL, REQUIRED, Route

ROWS = {token: Route("GET, POST", "x", "/x/", token) for token in (NONE, OPTIONAL, REQUIRED)}


def run(cookie, rule=REQUIRED, *, inner=None, sessions=None, **options):
    inner = inner or Inner()
    app = SessionMiddleware(inner.app, sessions=sessions or make_sessions(), **options)
    headers = {} if cookie is None else {"Cookie": cookie}
    return inner, call(app, routed(ROWS[rule], request("GET", "/api/x", headers=headers)))


class Untouchable:
    """Sessions that must not be asked."""

    def __getattr__(self, name):
        raise AssertionError(f"sessions.{name} was looked at")


BAD_COOKIES = {
    "no cookie": lambda: None,
    "an empty header": lambda: "",
    "only other cookies": lambda: "theme=dark; lang=de",
    "garbage": lambda: "__Secure-authjs.session-token=garbage",
    "garbage in chunks": lambda: "__Secure-authjs.session-token.0=eyJ; __Secure-authjs.session-token.7=x",
    "another secret": lambda: session_cookie(sessions=make_sessions(secrets=[OTHER_SECRET])),
    "one letter changed": lambda: session_cookie()[:-9] + ("A" if session_cookie()[-9] != "A" else "B") + "12345678",
    "a session that is over": lambda: session_cookie(expires_in=-3600),
    "an access token that is over": lambda: session_cookie(access_token(expires_in=-3600)),
    "no access token": lambda: session_cookie(""),
    "an access token that is no header value": lambda: session_cookie("a\r\nX-Evil: 1"),
    "an access token that is no text": lambda: session_cookie("", accessToken={"a": 1}),
    "control characters": lambda: "\x01\x02=\x03; =; ;;",
}


@pytest.mark.parametrize("case", BAD_COOKIES)
def test_without_a_session_that_carries_a_token_a_row_that_needs_one_is_401(case):
    """Whatever is wrong with the cookie, the answer is the same (F026, F027, F031, F159)."""
    inner = Inner()
    with pytest.raises(Unauthorized) as caught:
        run(BAD_COOKIES[case](), inner=inner)
    assert not inner.was_called
    assert caught.value.detail == "Unauthorized"
    assert caught.value.fields is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("case", BAD_COOKIES)
def test_a_row_with_an_optional_token_is_served_without_one(case):
    """OPTIONAL passes on without the session's keys, and the answer may not be kept for somebody who has a session."""
    inner, result = run(BAD_COOKIES[case](), OPTIONAL)
    assert SESSION not in inner.environ
    assert ACCESS_TOKEN not in inner.environ
    assert result.all("Vary") == ["Cookie"]
    assert result.header("Cache-Control") is None


def test_a_row_without_a_token_never_unseals():
    """NONE does not so much as look at the sessions (F162)."""
    inner, result = run(session_cookie(), NONE, sessions=Untouchable())
    assert SESSION not in inner.environ
    assert result.header("Vary") is None
    assert result.header("Cache-Control") is None


def test_without_a_cookie_nothing_is_unsealed():
    """A request without a Cookie header costs no cryptography."""
    with pytest.raises(Unauthorized):
        run(None, sessions=Untouchable())


@pytest.mark.parametrize("rule", [REQUIRED, OPTIONAL])
def test_the_sessions_keys_are_written(rule):
    """A good cookie gives the claims and the handle of the access token."""
    token = access_token()
    inner, result = run(session_cookie(token, refreshToken="the-refresh-token"), rule)
    assert result.code == 200
    assert inner.environ[SESSION]["email"] == "ada@example.com"
    assert inner.environ[ACCESS_TOKEN].authorization("JWT") == f"JWT {token}"


def test_the_tokens_are_nowhere_to_be_read():
    """Neither the claims nor any repr of the environ show a token (F151)."""
    token = access_token()
    inner, _ = run(session_cookie(token, refreshToken="the-refresh-token"))
    claims = inner.environ[SESSION]
    assert "accessToken" not in claims
    assert "refreshToken" not in claims
    without_cookie = {name: value for name, value in inner.environ.items() if name != "HTTP_COOKIE"}
    handle = inner.environ[ACCESS_TOKEN]
    for text in (repr(without_cookie), str(handle), f"{handle}", f"{handle:>200}", repr(vars(type(handle)))):
        assert token not in text
        assert "the-refresh-token" not in text


def test_the_session_of_one_request_cannot_be_changed_for_the_next():
    """What the inner app does to the claims stays in its request."""
    cookie, sessions = session_cookie(), make_sessions()
    inner = Inner()
    app = SessionMiddleware(inner.app, sessions=sessions)
    for _ in range(2):
        call(app, routed(ROWS[REQUIRED], request("GET", "/api/x", headers={"Cookie": cookie})))
    first, second = (environ[SESSION] for environ in inner.environs)
    first["name"] = "Mallory"
    assert second["name"] == "Ada"


def test_the_clock_decides_whether_the_access_token_is_over():
    """An access token that ends within the leeway is sent, and the upstream decides; later it is none (F014)."""
    cookie = session_cookie(access_token(expires_in=100))
    now = time.time()
    assert run(cookie, clock=lambda: now + 110)[0].was_called
    with pytest.raises(Unauthorized):
        run(cookie, clock=lambda: now + 130)


@pytest.mark.parametrize("token", ["opaque-token", "a.b.c"])
def test_a_token_whose_end_is_unknown_is_sent(token):
    """An opaque token is the upstream's to judge (F012)."""
    inner, _ = run(session_cookie(token))
    assert inner.environ[ACCESS_TOKEN].authorization("JWT") == f"JWT {token}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["private, no-store"]),
        ([("Cache-Control", "public, max-age=60")], ["private, no-store"]),
        ([("cache-control", "max-age=60"), ("Cache-Control", "public")], ["private, no-store"]),
        ([("Cache-Control", "no-cache")], ["private, no-store"]),
        ([("Cache-Control", "No-Store")], ["No-Store"]),
        ([("Cache-Control", "no-store, no-transform")], ["no-store, no-transform"]),
    ],
)
def test_an_answer_to_somebody_with_a_session_is_kept_by_nobody(given, expected):
    """``private, no-store`` replaces anything weaker, and what the upstream forbids itself stays (F034)."""
    inner = Inner(headers=[("Content-Type", "text/plain"), *given])
    _, result = run(session_cookie(), inner=inner)
    assert result.all("Cache-Control") == expected


def test_a_public_answer_to_nobody_keeps_its_cache_rules():
    """Without a session the upstream's ``Cache-Control`` and ``Vary`` stay, and ``Cookie`` is added to what varies."""
    inner = Inner(headers=[("Content-Type", "text/plain"), ("Cache-Control", "max-age=60"), ("Vary", "Accept")])
    _, result = run(None, OPTIONAL, inner=inner)
    assert result.all("Cache-Control") == ["max-age=60"]
    assert result.all("Vary") == ["Accept", "Cookie"]


@pytest.mark.parametrize("cookie", [None, session_cookie()])
def test_exc_info_and_the_write_callable_pass_through(cookie):
    """What the inner app hands to ``start_response``, and gets from it, is passed on as it is."""
    error = (ValueError, ValueError(), None)
    got = []

    def app(environ, start_response):
        got.append(start_response("500 Oops", [], error))
        return []

    def start_response(status, headers, exc_info=None):
        got.append(exc_info)
        return write

    def write(_):
        raise AssertionError

    headers = {} if cookie is None else {"Cookie": cookie}
    SessionMiddleware(app, sessions=make_sessions())(
        routed(ROWS[OPTIONAL], request("GET", "/api/x", headers=headers)), start_response
    )
    assert got == [error, write]


def test_the_header_list_of_the_inner_app_is_not_changed():
    """An app that keeps its header list for the next request finds it as it was."""
    kept = [("Content-Type", "text/plain"), ("Cache-Control", "public")]

    def app(environ, start_response):
        start_response("200 OK", kept)
        return [b""]

    for cookie, rule in ((session_cookie(), REQUIRED), ("", OPTIONAL)):
        call(SessionMiddleware(app, sessions=make_sessions()), routed(ROWS[rule], request(headers={"Cookie": cookie})))
        assert kept == [("Content-Type", "text/plain"), ("Cache-Control", "public")]


def test_without_a_row_a_token_is_required():
    """Used without the routing layer, the layer fails closed."""
    with pytest.raises(Unauthorized):
        call(SessionMiddleware(Inner().app, sessions=make_sessions()), request())
