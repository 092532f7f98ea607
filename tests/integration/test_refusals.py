"""What never reaches Django, over real sockets."""

from __future__ import annotations

import pytest

from tests.integration import servers
from tests.integration.conftest import Backend

pytestmark = pytest.mark.integration

ID = "7a9c1c1e-0000-4000-8000-000000000001"

CROOKED = (
    "/api/workspaces/../subscriptions/pricing", "/api/workspaces/%2e%2e/leave", "/api/workspaces/..%2fteams/leave",
    "/api/workspaces/%2E%2E/leave", "/api/workspaces/./leave", "/api/workspaces/a%2Fb/leave", "/api/workspaces/a%00/leave",
    "/api/workspaces/a%0a/leave", "/api/workspaces/a%0D%0Ab/leave", "/api/workspaces//leave", "/api//workspaces/",
    "/api/workspaces/a;b/leave", "/api/workspaces/a\\b/leave", "/api/workspaces/a%5cb/leave", "/api/workspaces/%252e%252e/leave",
    "/api/workspaces/a%252fb/leave", "/api/workspaces/a%23b/leave", "/api/workspaces/%ff/leave", "/api/workspaces/a%zz/leave",
    f"/api/workspaces/{ID}/leave#x", f"/api/workspaces/{ID}%0a",
)  # fmt: skip


@pytest.mark.parametrize("target", CROOKED)
def test_crooked_paths(target: str, client: servers.Client, backend: Backend) -> None:
    """A path that two readers could read in two ways is 400, and Django hears nothing."""
    assert client.ask("POST", target).status == 400
    assert backend.received() == []


@pytest.mark.parametrize(
    "target",
    ["/api/nothing", "/api", "/api/", "/", "/workspaces", "/apiworkspaces", "/API/workspaces", "/api/Workspaces"],
)
def test_unknown_paths(target: str, client: servers.Client, backend: Backend) -> None:
    """A path outside the table is 404 in the documented shape, and Django hears nothing."""
    answer = client.ask("GET", target)
    assert answer.status == 404
    assert answer.json()["code"] == "route-not-found"
    assert backend.received() == []


INVALID_BODIES = (
    (b"", 400), (b"{", 400), (b"[]", 400), (b'"x"', 400), (b"null", 400), (b'{"name": "a", "name": "b"}', 400),
    (b'{"temperature": NaN}', 400), (b'{"temperature": 1e999}', 400), (b'\xef\xbb\xbf{"name": "a"}', 400),
    (b'{"name": "\\ud800"}', 400), (b'{"name": "\xff"}', 400), (b'{"model_parameters": ' + b'{"a":' * 70 + b"1" + b"}" * 71, 400),
    (b'{"name": 7}', 400), (b'{"temperature": 9}', 400), (b'{"ai_provider": "nobody"}', 400),
    (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413),
)  # fmt: skip


@pytest.mark.parametrize(("body", "status"), INVALID_BODIES, ids=lambda value: repr(value)[:40])
def test_invalid_bodies(body: bytes, status: int, client: servers.Client, backend: Backend) -> None:
    """A body that is not what the row expects is refused with an answer, not a reset, and Django hears nothing."""
    answer = client.ask("POST", f"/api/workspaces/{ID}/chats", body=body)
    assert answer.status == status
    assert isinstance(answer.json()["error"], str)
    assert backend.received() == []


def test_field_errors_have_the_form_of_django(client: servers.Client) -> None:
    """The fields of a refused body stand where a form looks for Django's."""
    answer = client.ask("POST", "/api/auth/register", body=b'{"email": "nobody", "password": 5}')
    assert answer.json()["fields"] == {
        "email": ["Enter a valid email address."],
        "password": ["Not a valid string."],
        "re_password": ["This field is required."],
    }


@pytest.mark.parametrize(
    "content_type", ["application/xml", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_other_types_are_refused(content_type: str, client: servers.Client, backend: Backend) -> None:
    """A JSON row takes JSON alone (F067)."""
    answer = client.ask("POST", "/api/workspaces", headers={"Content-Type": content_type}, body=b'{"name": "a"}')
    assert answer.status == 415
    assert backend.received() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"},
    ],
)
def test_other_sites_are_refused(headers: dict[str, str], client: servers.Client, backend: Backend) -> None:
    """What another site made is 403, cookie or not (F146)."""
    assert client.ask("POST", "/api/workspaces", headers=headers, body=b'{"name": "a"}').status == 403
    assert backend.received() == []


def test_a_cookie_alone_proves_nothing(client: servers.Client, proxy: str, backend: Backend) -> None:
    """A cookie without Origin, Sec-Fetch-Site or our header is 403, and the answer names what is missing."""
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    answer = servers.ask(proxy, "POST", "/api/workspaces", headers={"Cookie": cookie}, body=b'{"name": "a"}')
    assert answer.status == 403
    assert "X-Requested-With" in answer.json()["error"]
    assert "X-CSRF" in answer.json()["error"]
    assert backend.received() == []


@pytest.mark.parametrize(
    "cookie", ["authjs.session-token=forged", "authjs.session-token=", "next-auth.session-token=a.b.c.d.e"]
)
def test_forged_cookies_are_no_session(cookie: str, proxy: str, backend: Backend) -> None:
    """A cookie that cannot be unsealed is just no session."""
    backend.received()
    answer = servers.ask(proxy, "GET", "/api/workspaces", headers={"Cookie": cookie})
    assert (answer.status, answer.json()["error"]) == (401, "Unauthorized")
    assert backend.received() == []
