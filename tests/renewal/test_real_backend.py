"""Against the real backend with rotation and blacklist on: every refresh token is good for one redemption."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.integration import servers
from wsgiproxy_hs.sessions import Sessions

pytestmark = pytest.mark.integration

SESSIONS = Sessions(secrets=[servers.SECRET], secure=False)


@pytest.fixture(scope="module", name="rotating")
def _rotating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = servers.free_port()
    environ = {"BACKEND_DATA_DIR": str(tmp_path_factory.mktemp("rotating")), "BACKEND_ROTATE_REFRESH_TOKENS": "1"}
    servers.manage(environ, "migrate", "--verbosity=0")
    servers.manage(environ, "seed_demo", "--email", servers.EMAIL, "--password", servers.PASSWORD)
    path = [servers.BACKEND, servers.ROOT / "tests" / "integration"]
    with servers.gunicorn("recorder:application", environ, port=port, path=path) as url:
        yield url


@pytest.fixture(scope="module", name="proxies")
def _proxies(rotating: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Four workers, which have nothing in common but a directory."""
    port = servers.free_port()
    folder = tmp_path_factory.mktemp("runtime") / "private"
    environ = servers.proxy_environ(rotating, port, RENEWAL_DIRECTORY=str(folder), WEB_CONCURRENCY="4")
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        yield url


def pair_of(backend: str) -> dict[str, str]:
    """A pair, straight from the backend."""
    form = json.dumps({"email": servers.EMAIL, "password": servers.PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    found: dict[str, str] = servers.ask(backend, "POST", "/auth/jwt/create/", headers=headers, body=form).json()
    return found


def redeem(backend: str, refresh: str) -> servers.Answer:
    body = json.dumps({"refresh": refresh}).encode()
    return servers.ask(backend, "POST", "/auth/jwt/refresh/", headers={"Content-Type": "application/json"}, body=body)


def client_with(proxy: str, access: str, refresh: str) -> servers.Client:
    """A browser whose session holds this pair."""
    lines = SESSIONS.write({"name": "Ada", "accessToken": access, "refreshToken": refresh}, "")
    return servers.Client(proxy, dict(line.split(";", 1)[0].split("=", 1) for line in lines))


def forged(left_seconds: float) -> str:
    """A token that the backend refuses, with so many seconds left by what it says."""
    return jwt.encode({"exp": int(time.time() + left_seconds), "user_id": "1"}, "no key of the backend's, not at all")


def refreshes(backend: str) -> int:
    return sum(seen.target == "/auth/jwt/refresh/" for seen in servers.received(backend))


def test_parallel_requests_cost_one_redemption(rotating: str, proxies: str) -> None:
    """Eighty at once through four workers with a token that is over: all 200, one redemption, and no late loser."""
    pair = pair_of(rotating)
    refreshes(rotating)
    browser = client_with(proxies, forged(-60), pair["refresh"])

    def ask(_: int) -> servers.Answer:
        return servers.Client(browser.url, dict(browser.cookies)).ask("GET", "/api/workspaces")

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(80)))
    assert {answer.status for answer in answers} == {200}
    assert refreshes(rotating) == 1
    assert redeem(rotating, pair["refresh"]).status == 401, "the backend does not blacklist"
    refreshes(rotating)
    assert browser.ask("GET", "/api/workspaces").status == 200, "the old cookie leads to the new pair"
    assert browser.ask("GET", "/api/auth/session").json()["user"]["name"] == "Ada"
    assert browser.ask("GET", "/api/workspaces").status == 200
    assert refreshes(rotating) == 0


def test_a_token_the_backend_refuses_is_renewed_and_the_body_sent_again(rotating: str, proxies: str) -> None:
    """The backend says 403 ``token_not_valid`` to a token that looks fresh; the person sees 201 (F013)."""
    pair = pair_of(rotating)
    browser = client_with(proxies, forged(3600), pair["refresh"])
    refreshes(rotating)  # those of other tests
    answer = browser.ask("POST", "/api/workspaces", body=b'{"name": "Replayed"}')
    assert (answer.status, answer.json()["name"]) == (201, "Replayed")
    assert "set-cookie" in answer.headers
    assert refreshes(rotating) == 1


def test_a_refresh_token_that_was_spent_elsewhere_ends_the_session(rotating: str, proxies: str) -> None:
    """Blacklisted behind our back: 401, and the cookies go."""
    pair = pair_of(rotating)
    assert redeem(rotating, pair["refresh"]).status == 200
    browser = client_with(proxies, forged(-60), pair["refresh"])
    answer = browser.ask("GET", "/api/workspaces")
    assert (answer.status, answer.json()["error"]) == (401, "Unauthorized")
    assert not any("session-token" in name for name in browser.cookies)
