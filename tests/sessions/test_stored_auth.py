"""The sign-in handler while the store of sessions is away."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.renewal.redis_server import RedisServer
from tests.sessions.test_stored_stack import StoredSite
from tests.sessions.test_stored_stack import _own_redis as _own_redis
from tests.sessions.test_stored_stack import _site as _site


@pytest.mark.parametrize(
    ("method", "action"), [("GET", "session"), ("GET", "session?peek=1"), ("POST", "session"), ("POST", "signout")]
)
def test_whoever_has_a_session_is_told_to_wait(
    site: StoredSite, own_redis: RedisServer, method: str, action: str
) -> None:
    """503 with ``Retry-After``, and every cookie stays: nobody is shown as signed out, or told that they are."""
    site.sign_in()
    token = site.ask(path="/api/auth/csrf").document["csrfToken"]
    own_redis.stop()
    path, _, query = f"/api/auth/{action}".partition("?")
    form = urlencode({"csrfToken": token}).encode() if method == "POST" else None
    answer = site.ask(
        method, path, query=query, body=form, content_type="application/x-www-form-urlencoded" if form else None
    )
    assert (answer.code, answer.header("Retry-After"), answer.all("Set-Cookie")) == (503, "1", [])
    assert site.ask(path="/api/auth/csrf").code == 200
    assert site.ask(path="/api/auth/signin").code == 200
