"""The tests of signing in and out against the real backend once more, with the sessions in a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import redis as client

from tests.integration import servers
from tests.integration.conftest import Backend
from tests.integration.conftest import _backend as _backend
from tests.integration.conftest import _signed_in as _signed_in
from tests.integration.test_sign_in import test_from_sign_in_to_sign_out as test_from_sign_in_to_sign_out
from tests.integration.test_sign_in import test_no_csrf_token as test_no_csrf_token
from tests.integration.test_sign_in import test_providers as test_providers
from tests.integration.test_sign_in import (
    test_registration_activation_and_first_sign_in as test_registration_activation_and_first_sign_in,
)
from tests.integration.test_sign_in import test_signin_page as test_signin_page
from tests.integration.test_sign_in import (
    test_the_session_shows_the_user_and_no_token as test_the_session_shows_the_user_and_no_token,
)
from tests.integration.test_sign_in import test_wrong_password as test_wrong_password
from tests.renewal.redis_server import RedisServer
from tests.sessions.conftest import dump_of

pytestmark = pytest.mark.integration
ID_COOKIE = "wsgiproxy_hs.session-id"


@pytest.fixture(scope="session", name="proxy")
def _proxy(backend: Backend, redis: RedisServer) -> Iterator[str]:
    port = servers.free_port()
    environ = servers.proxy_environ(backend.url, port, SESSION_STORE="redis", REDIS_URL=redis.url)
    with servers.gunicorn("wsgiproxy_hs:app", environ, port=port) as url:
        yield url


def sign_out(browser: servers.Client) -> servers.Answer:
    token = browser.ask("GET", "/api/auth/csrf").json()["csrfToken"]
    form = urlencode({"csrfToken": token, "callbackUrl": browser.url}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Auth-Return-Redirect": "1"}
    return browser.ask("POST", "/api/auth/signout", headers=headers, body=form)


def test_a_copied_cookie_is_dead_after_signing_out(proxy: str) -> None:
    """Signed out in one browser, a copy of its cookies is of no use in another; a second session goes on."""
    browser, elsewhere = servers.Client(proxy), servers.Client(proxy)
    for each in (browser, elsewhere):
        each.sign_in()
    assert len(browser.cookies[ID_COOKIE]) == 43
    thief = servers.Client(proxy, dict(browser.cookies))
    assert thief.ask("GET", "/api/workspaces").status == 200
    assert sign_out(browser).status == 200
    assert ID_COOKIE not in browser.cookies
    assert thief.ask("GET", "/api/workspaces").status == 401
    assert thief.ask("GET", "/api/auth/session").json() is None
    assert elsewhere.ask("GET", "/api/workspaces").status == 200


def test_a_planted_id_is_never_kept(proxy: str) -> None:
    """Whoever plants an own session's id in a browser does not share the session that begins there."""
    attacker = servers.Client(proxy)
    attacker.sign_in("grace@example.com")
    victim = servers.Client(proxy, {ID_COOKIE: attacker.cookies[ID_COOKIE]})
    victim.sign_in()
    assert victim.cookies[ID_COOKIE] != attacker.cookies[ID_COOKIE]
    assert victim.ask("GET", "/api/auth/session").json()["user"]["email"] == servers.EMAIL
    assert attacker.ask("GET", "/api/auth/session").json() is None


def test_the_session_endpoint_and_update_keep_the_id(proxy: str) -> None:
    """``GET session`` and ``update()`` prolong the session under its id; ``peek`` sets no cookie."""
    browser = servers.Client(proxy)
    browser.sign_in()
    own = browser.cookies[ID_COOKIE]
    token = browser.ask("GET", "/api/auth/csrf").json()["csrfToken"]
    body = f'{{"csrfToken": "{token}", "data": {{"storeKey": "x", "name": "Eve"}}}}'.encode()
    headers = {"Content-Type": "application/json"}
    for answer in (
        browser.ask("GET", "/api/auth/session"),
        browser.ask("POST", "/api/auth/session", headers=headers, body=body),
    ):
        assert answer.json()["user"]["email"] == servers.EMAIL
        assert any(line.startswith(f"{ID_COOKIE}={own};") for line in answer.headers["set-cookie"])
    assert browser.ask("GET", "/api/auth/session?peek=1").headers.get("set-cookie") is None
    assert browser.ask("GET", "/api/workspaces").status == 200


def test_redis_holds_no_token(proxy: str, backend: Backend, redis: RedisServer) -> None:
    """After all that, every key and value: no part of a JWT of the backend's, no e-mail, no id."""
    browser = servers.Client(proxy)
    browser.sign_in()
    connection = client.Redis.from_url(redis.url, decode_responses=True)
    dump = dump_of(connection)
    connection.close()
    assert dump.count("wsgiproxy_hs:session:") > 1
    private = [backend.token.split(".")[0], servers.EMAIL, browser.cookies[ID_COOKIE], servers.SECRET]
    assert [text for text in private if text in dump] == []
