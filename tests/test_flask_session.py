"""The stack in a Flask app whose own session holds the access token."""

from __future__ import annotations

import flask
from werkzeug.test import Client

from tests.harness import SECRET, UPSTREAM_URL, FakeUpstream, access_token
from wsgiproxy_hs import Route, Settings, create_app

TABLE = [Route("GET", "things", "/api/things/")]


def host(secret_key: str) -> tuple[Client, FakeUpstream, str]:
    """A Flask app that signs people in by itself, with the stack around it."""
    app = flask.Flask(__name__)
    app.secret_key = secret_key
    token = access_token()

    @app.post("/login")
    def login() -> str:
        flask.session.update(name="Ada", accessToken=token)
        return "welcome"

    settings = Settings(
        backend_url=UPSTREAM_URL, public_url="http://localhost", secrets=[SECRET], session_formats=("authjs", "flask")
    )
    upstream = FakeUpstream()
    stack = create_app(settings, routes=TABLE, transport=upstream, otherwise=app.wsgi_app)
    return Client(stack), upstream, token


def test_a_flask_session_signed_with_another_key_is_none() -> None:
    """A session of an app with another key is no session, and the upstream hears nothing."""
    client, upstream, _ = host("some-other-applications-signing-key-000001")
    client.post("/login")
    assert client.get("/api/things").status_code == 401
    assert upstream.sent == []


def test_flasks_own_session_carries_the_token() -> None:
    """What Flask put into its session goes to the upstream as the access token."""
    client, upstream, token = host(SECRET)
    assert client.get("/api/things").status_code == 401
    client.post("/login")
    assert client.get("/api/things").status_code == 200
    (sent,) = upstream.sent
    assert sent.headers["Authorization"] == f"JWT {token}"
