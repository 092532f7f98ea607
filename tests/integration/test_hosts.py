"""The examples, each in its real host under gunicorn: a host page, a sign-in and a proxied call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import servers
from tests.integration.conftest import Backend

pytestmark = pytest.mark.integration

HOSTS = {"flask_around": "", "flask_prefix": "/api/auth", "pyramid_prefix": "/api/auth"}
"""Example -> the path in AUTH_URL."""


@pytest.fixture(scope="module", params=HOSTS, name="host")
def _host(request: pytest.FixtureRequest, backend: Backend) -> Iterator[str]:
    port = servers.free_port()
    environ = servers.proxy_environ(backend.url, port)
    environ["AUTH_URL"] += HOSTS[request.param]
    with servers.gunicorn(f"examples.{request.param}:app", environ, port=port) as url:
        yield url


def test_refusals_in_a_host(host: str, backend: Backend) -> None:
    """Inside a host refusals have the same status and shape, and Django hears nothing."""
    backend.received()
    assert servers.ask(host, "GET", "/api/workspaces").status == 401
    assert servers.ask(host, "PATCH", "/api/workspaces").status == 405
    assert servers.ask(host, "POST", "/api/workspaces/a%2Fb/leave").status in (400, 404)
    assert servers.ask(host, "POST", "/api/workspaces", headers={"Origin": "https://evil.example"}).status == 403
    assert backend.received() == []


def test_host_page(host: str) -> None:
    """The host's own pages are the host's own."""
    answer = servers.ask(host, "GET", "/")
    assert (answer.status, b"Hosted by" in answer.body) == (200, True)
    assert servers.ask(host, "GET", "/nowhere").status == 404


def test_sign_in_and_call(host: str, backend: Backend) -> None:
    """Signing in, calling with query and body, and the error shape work inside a host as they do alone."""
    client = servers.Client(host)
    answer = client.sign_in()
    assert "error=" not in answer.json()["url"], answer
    backend.received()
    listed = client.ask("GET", "/api/workspaces/?q=a+b%20c")
    assert listed.json() == backend.ask("GET", "/api/workspaces/").json()
    assert backend.received()[0].target == "/api/workspaces/?q=a+b%20c"
    assert client.ask("POST", "/api/workspaces", body=b'{"name": "From a host"}').status == 201
    assert client.ask("POST", "/api/workspaces", body=b'{"name": "twice", "name": "b"}').status == 400
    page = client.ask("GET", "/api/auth/signin").body.decode()
    assert f'action="{host}/api/auth/callback/credentials"' in page
