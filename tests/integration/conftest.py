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
    """The running backend, its seeded ids, and access tokens of its two demo users."""

    url: str
    ids: dict[str, Any]
    token: str
    other_token: str
    data: str

    def ask(self, method: str, target: str, document: object = None, **more: Any) -> servers.Answer:
        """Ask directly, as the demo user or with another ``token``."""
        headers = {"Authorization": f"JWT {more.pop('token', self.token)}", **more.pop("headers", {})}
        body = more.pop("body", None)
        if document is not None:
            body = json.dumps(document).encode()
            headers["Content-Type"] = "application/json"
        return servers.ask(self.url, method, target, headers=headers, body=body)

    def make(self, target: str, document: object, **more: Any) -> Any:
        """Create something directly; its JSON."""
        answer = self.ask("POST", target, document, **more)
        assert answer.status in (200, 201), (target, answer)
        return answer.json()

    def join(self, group: str, *, inviter: str, invitee: str, email: str) -> None:
        """Bring a user into a workspace or a team by invitation."""
        made = self.make(f"{group}invitations/", {"email": email, "role": "member"}, token=inviter)
        self.make(f"/api/invitations/{made['id']}/accept/", None, token=invitee)

    def joined_workspace(self) -> str:
        """A workspace of the other user that ours has joined."""
        made = self.make("/api/workspaces/", {"name": "Hers"}, token=self.other_token)
        group = f"/api/workspaces/{made['id']}/"
        self.join(group, inviter=self.other_token, invitee=self.token, email=servers.EMAIL)
        return str(made["id"])

    def joined_team(self) -> dict[str, str]:
        """A team of the other user that ours has joined."""
        workspace = self.joined_workspace()
        teams = f"/api/workspaces/{workspace}/teams/"
        made = self.make(teams, {"name": "Hers"}, token=self.other_token)
        group = f"{teams}{made['id']}/"
        self.join(group, inviter=self.other_token, invitee=self.token, email=servers.EMAIL)
        return {"workspace_id": workspace, "team_id": str(made["id"])}

    def team_with_member(self) -> dict[str, str]:
        """A team of ours that the other user has joined, and her membership in it."""
        workspace = self.make("/api/workspaces/", {"name": "Ours"})["id"]
        teams = f"/api/workspaces/{workspace}/teams/"
        group = f"{teams}{self.make(teams, {'name': 'Ours'})['id']}/"
        self.join(group, inviter=self.token, invitee=self.other_token, email="grace@example.com")
        team = self.ask("GET", group).json()
        (member,) = [m for m in team["members"] if m["role"] == "member"]
        return {"workspace_id": workspace, "team_id": str(team["id"]), "membership_id": str(member["id"])}

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
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    path = [servers.BACKEND, servers.ROOT / "tests" / "integration"]
    servers.manage(environ, "migrate", "--verbosity=0")
    ids = json.loads(servers.manage(environ, "seed_demo", "--email", servers.EMAIL, "--password", servers.PASSWORD))
    with servers.gunicorn("recorder:application", environ, port=port, path=path) as url:
        tokens = [access_token(url, email) for email in (servers.EMAIL, "grace@example.com")]
        yield Backend(url, ids, *tokens, data)


def access_token(url: str, email: str) -> str:
    """An access token, straight from the backend."""
    form = json.dumps({"email": email, "password": servers.PASSWORD}).encode()
    answer = servers.ask(url, "POST", "/auth/jwt/create/", headers={"Content-Type": "application/json"}, body=form)
    return str(answer.json()["access"])


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
