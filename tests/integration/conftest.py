"""One real backend and one real proxy for all integration tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration import servers

WEBHOOK_SECRET = "whsec_integration_tests"


@dataclass(frozen=True)
class Backend:
    """The running backend, its seeded ids, and an access token of the demo user."""

    url: str
    ids: dict[str, Any]
    token: str
    data: str

    def ask(self, method: str, target: str, document: object = None, **more: Any) -> servers.Answer:
        """Ask directly, as the demo user."""
        headers = {"Authorization": f"JWT {self.token}", **more.pop("headers", {})}
        body = more.pop("body", None)
        if document is not None:
            body = json.dumps(document).encode()
            headers["Content-Type"] = "application/json"
        return servers.ask(self.url, method, target, headers=headers, body=body)

    def make(self, target: str, document: object) -> Any:
        """Create something directly; its JSON."""
        answer = self.ask("POST", target, document)
        assert answer.status in (200, 201), (target, answer)
        return answer.json()

    def received(self) -> list[servers.Received]:
        return servers.received(self.url)


@pytest.fixture(scope="session", name="backend")
def _backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    data = str(tmp_path_factory.mktemp("backend"))
    port = servers.free_port()
    environ = {
        "BACKEND_DATA_DIR": data,
        "BACKEND_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "BACKEND_FAULT_ROUTES": "1",
        "BACKEND_FAST_HASHER": "1",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    servers.manage(environ, "migrate", "--verbosity=0")
    ids = json.loads(servers.manage(environ, "seed_demo", "--email", servers.EMAIL, "--password", servers.PASSWORD))
    with servers.gunicorn("tests.integration.recorder:application", environ, port=port) as url:
        form = json.dumps({"email": servers.EMAIL, "password": servers.PASSWORD}).encode()
        answer = servers.ask(
            url, "POST", "/auth/jwt/create/", headers={"Content-Type": "application/json"}, body=form
        )
        yield Backend(url, ids, answer.json()["access"], data)


@pytest.fixture(scope="session", name="proxy")
def _proxy(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = servers.free_port()
    environ = servers.proxy_environ(
        backend.url,
        port,
        CONTACT_EMAIL_FROM="website@example.com",
        CONTACT_EMAIL_TO="team@example.com",
        CONTACT_MAIL_FOLDER=str(tmp_path_factory.mktemp("contact-mail")),
    )
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        yield url


@pytest.fixture(scope="session", name="signed_in")
def _signed_in(proxy: str) -> servers.Client:
    """A client that has signed in; its cookies are shared by the tests, so they must not sign out."""
    client = servers.Client(proxy)
    answer = client.sign_in()
    assert answer.status == 200, answer
    assert "error" not in answer.json()["url"], answer
    return client


@pytest.fixture(name="client")
def _client(signed_in: servers.Client, backend: Backend) -> servers.Client:
    """The signed-in client; what the backend received before is forgotten."""
    backend.received()
    return servers.Client(signed_in.url, dict(signed_in.cookies))
