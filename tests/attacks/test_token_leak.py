"""Somebody looks for a token where none should be: in answers, errors, cookies, logs, tracebacks (F034, F087, F088, F151, F153).

Through the whole stack: the access and the refresh token and our secret are looked for in everything that leaves.
"""

from __future__ import annotations

import base64
import copy
import json
import logging
import pprint
import traceback

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError

from tests.harness import (
    OTHER_SECRET,
    PUBLIC_URL,
    SECRET,
    UPSTREAM_URL,
    FakeUpstream,
    access_token,
    call,
    request,
    session_cookie,
)
from wsgiproxy_hs.environ import ACCESS_TOKEN, SESSION
from wsgiproxy_hs.routes import OPTIONAL, Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app

ACCESS = access_token(user_id=7)
REFRESH = access_token(user_id=7, token_type="refresh", expires_in=90_000)
COOKIE = session_cookie(ACCESS, refreshToken=REFRESH)
SETTINGS = Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET])
PAGE = f"<html>Authorization: JWT {ACCESS} at /srv/app.py {SECRET}</html>".encode()


def holds_a_secret(text):
    """Whether one of the secrets is in a text, as it is or in another spelling."""
    secrets = [ACCESS, REFRESH, SECRET, *(ACCESS.split(".")[1:]), *(REFRESH.split(".")[1:])]
    spellings = [each for secret in secrets for each in (secret, base64.b64encode(secret.encode()).decode())]
    return any(spelling in text for spelling in spellings)


def everything_of(result):
    return "\n".join(
        [result.status, *(f"{name}: {value}" for name, value in result.headers), result.body.decode("latin-1")]
    )


def ask(upstream, method="GET", path="/api/workspaces", routes=None, **keys):
    app = create_app(SETTINGS, transport=upstream, **({"routes": routes} if routes else {}))
    headers = {"Cookie": COOKIE, "X-Requested-With": "fetch"}
    return call(app, request(method, path, headers=headers, **keys))


FAILURES = {
    "no connection": FakeUpstream(failure=RequestsConnectionError(f"refused for JWT {ACCESS}")),
    "a debug page": FakeUpstream(500, PAGE, [("Content-Type", "text/html")]),
    "an error document": FakeUpstream(500, json.dumps({"detail": f"JWT {ACCESS} failed"}).encode()),
    "a trace": FakeUpstream(
        502, PAGE, [("X-Debug", ACCESS), ("Set-Cookie", f"t={ACCESS}"), ("Content-Type", "text/html")]
    ),
    "a redirect with it": FakeUpstream(302, b"", [("Location", f"https://x.example/?token={ACCESS}")]),
    "a not found page": FakeUpstream(404, PAGE, [("Content-Type", "text/html")]),
    "a bug": FakeUpstream(failure=KeyError("a bug of somebody")),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_no_failure_shows_a_token(kind, caplog):
    """Whatever goes wrong at the upstream, neither the answer nor the log has a secret in it."""
    with caplog.at_level(logging.DEBUG):
        result = ask(FAILURES[kind])
    assert result.code >= 400
    assert not holds_a_secret(everything_of(result))
    if kind != "no connection":  # there the library that failed put it into its own message
        assert not holds_a_secret(caplog.text)


@pytest.mark.parametrize("path", ["/api/auth/session", "/api/auth/csrf", "/api/auth/signin", "/api/auth/providers"])
def test_the_browser_never_sees_a_token(path):
    """The session document shows the user; tokens stay in the sealed cookie (RFC 10017, section 6.1)."""
    result = ask(FakeUpstream(), path=path)
    assert result.code == 200
    assert not holds_a_secret(everything_of(result))
    if path.endswith("session"):
        assert result.document["user"]["email"] == "ada@example.com"


def test_signing_in_gives_the_browser_no_token():
    """The tokens that the upstream issues leave in a sealed cookie and in no other way."""
    upstream = FakeUpstream(body=json.dumps({"access": ACCESS, "refresh": REFRESH}).encode())
    app = create_app(SETTINGS, transport=upstream)
    csrf = call(app, request("GET", "/api/auth/csrf"))
    cookies = "; ".join(line.partition(";")[0] for line in csrf.all("Set-Cookie"))
    form = f"email=a%40b.c&password=hunter2hunter2&csrfToken={csrf.document['csrfToken']}".encode()
    headers = {"Cookie": cookies, "Origin": PUBLIC_URL, "X-Auth-Return-Redirect": "1"}
    keys = {"headers": headers, "body": form, "content_type": "application/x-www-form-urlencoded"}
    result = call(app, request("POST", "/api/auth/callback/credentials", **keys))
    assert result.code == 200
    assert not holds_a_secret(everything_of(result))
    assert b"hunter2" not in result.body


def test_the_session_cookie_stays_here():
    """The upstream gets the access token and neither cookie nor refresh token (F087)."""
    upstream = FakeUpstream()
    ask(upstream, "POST", body=b"{}")
    (sent,) = upstream.sent
    assert "Cookie" not in sent.headers
    assert REFRESH not in str(sent)
    assert sent.headers["Authorization"] == f"JWT {ACCESS}"


def test_a_dump_of_the_environ_shows_no_token():
    """What an error tracker makes of the environ and of the objects in it has no token: they hide themselves."""
    dumps = []

    def app(environ, start_response):
        own = {key: value for key, value in environ.items() if key.startswith("wsgiproxy_hs.")}
        assert {SESSION, ACCESS_TOKEN} <= set(own)
        dumps.extend(
            [repr(own), str(own), pprint.pformat(own), f"{own[ACCESS_TOKEN]}", repr(vars_of(own[ACCESS_TOKEN]))]
        )
        dumps.append(repr(copy.copy(own)))
        try:
            raise ValueError(own[ACCESS_TOKEN])
        except ValueError as error:
            dumps.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    assert ask(FakeUpstream(), path="/api/x", routes=[Route("GET", "x", app, OPTIONAL)]).code == 200
    for dump in dumps[:4] + dumps[5:6]:
        assert not holds_a_secret(dump)


def vars_of(value):
    return getattr(value, "__dict__", None) or list(getattr(type(value), "__slots__", ()))


def test_settings_show_no_secret():
    """Neither the settings nor a complaint about them repeats a secret."""
    assert not holds_a_secret(repr(SETTINGS) + str(SETTINGS) + str(SETTINGS.model_dump()))
    assert OTHER_SECRET not in repr(Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[OTHER_SECRET]))
