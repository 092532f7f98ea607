"""Somebody asks again and again: guesses passwords, floods mailboxes, spends the translation budget, hogs the server.

Through the whole stack, with the documented table and the counts of the library (ASVS 2.4.1, 6.3.1; F160, F161).
"""

from __future__ import annotations

import json
import logging
import sys

import pytest

from tests.harness import (
    PUBLIC_URL,
    SECRET,
    UPSTREAM_URL,
    WORKSPACE_ID,
    FakeUpstream,
    call,
    request,
    session_cookie,
)
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.rates import Rate
from wsgiproxy_hs.routes import NONE, Route
from wsgiproxy_hs.settings import Settings
from wsgiproxy_hs.stack import create_app
from wsgiproxy_hs.table import ROUTES

ACCOUNT = {"email": "ada@example.com"}
REGISTRATION = {**ACCOUNT, "password": "p", "re_password": "p", "first_name": "A", "last_name": "L"}
NEW_PASSWORD = {"uid": "MQ", "token": "guessed", "new_password": "p", "re_new_password": "p"}
CONTACT = {"name": "Ada", "email": "ada@example.com", "subject": "Hi", "message": "Hello"}
TRANSLATION = {"text": "Hello", "target_language": "German"}
BY_ADDRESS = [
    ("register", "/api/auth/register", REGISTRATION),
    ("activate", "/api/auth/activate-user", {"uid": "MQ", "token": "guessed"}),
    ("reset-confirm", "/api/auth/password-reset-confirm", NEW_PASSWORD),
    ("resend", "/api/auth/resend-activation", ACCOUNT),
    ("reset", "/api/auth/reset-password", ACCOUNT),
    ("contact", "/api/send-contact-email", CONTACT),
]
BY_USER = [
    ("translate", f"/api/workspaces/{WORKSPACE_ID}/translate", TRANSLATION),
    ("transcribe", "/api/transcribe-audio", {}),
]


def stack(upstream=None, **settings):
    given = {"backend_url": UPSTREAM_URL, "public_url": PUBLIC_URL, "secrets": [SECRET], **settings}
    return create_app(Settings(**given), transport=upstream if upstream is not None else FakeUpstream())


def post(app, path, document, peer="8.8.8.8", **headers):
    body = json.dumps(document).encode()
    return call(app, request("POST", path, headers={"Origin": PUBLIC_URL, **headers}, body=body, REMOTE_ADDR=peer))


@pytest.mark.parametrize(("name", "path", "document"), BY_ADDRESS)
def test_one_address_floods_nobody(name, path, document):
    """Past the rate it is 429 and nothing reaches the upstream, be it floods or guesses; another address is served."""
    upstream = FakeUpstream()
    app = stack(upstream, **{"throttle_" + name.replace("-", "_"): "2 per hour"})
    for _ in range(2):
        assert post(app, path, document).code != 429
    before = len(upstream.sent)
    result = post(app, path, document)
    assert (result.code, result.document["code"]) == (429, "throttled")
    assert 1 <= int(result.header("Retry-After") or 0) <= 3_600
    assert result.header("RateLimit-Policy") == f'"{name}";q=2;w=3600'
    assert (result.header("RateLimit") or "").startswith(f'"{name}";r=0;t=')
    assert len(upstream.sent) == before
    assert post(app, path, document, peer="8.8.4.4").code != 429


@pytest.mark.parametrize(("name", "path", "document"), BY_USER)
def test_one_person_spends_no_more_than_their_share(name, path, document):
    """From wherever they ask; somebody else is served (F161)."""
    app = stack(**{f"throttle_{name}": "2 per hour"})
    ada, bob = session_cookie(sub="7"), session_cookie(sub="8")
    for peer in ("8.8.8.8", "8.8.4.4"):
        assert post(app, path, document, peer, Cookie=ada).code != 429
    assert post(app, path, document, "1.1.1.1", Cookie=ada).code == 429
    assert post(app, path, document, "1.1.1.1", Cookie=bob).code != 429


class Django(FakeUpstream):
    """One account, one password."""

    def send(self, request, **options):
        if request.url.endswith("/auth/jwt/create/"):
            good = json.loads(request.body)["password"] == "right"
            self.status, self.body = (200, b'{"access": "a.b.c", "refresh": "d.e.f"}') if good else (401, b"{}")
        else:
            self.status, self.body = 200, b'{"id": 7, "email": "ada@example.com"}'
        return super().send(request, **options)


def sign_in(app, password, email="ada@example.com", peer="8.8.8.8"):
    """Where an attempt leads, and how long it has to wait."""
    cookies = call(app, request("GET", "/api/auth/csrf", REMOTE_ADDR=peer))
    cookie = "; ".join(line.split(";", 1)[0] for line in cookies.all("Set-Cookie"))
    document = {"csrfToken": cookies.document["csrfToken"], "email": email, "password": password}
    headers = {"Cookie": cookie, "X-Auth-Return-Redirect": "1", "Content-Type": "application/json"}
    result = post(app, "/api/auth/callback/credentials", document, peer, **headers)
    return result.document["url"], result.header("Retry-After")


@pytest.mark.parametrize("spelling", ["ada@example.com", " Ada@Example.COM ", "\uff21da@example.com"])
def test_one_account_is_guessed_at_from_everywhere_and_only_so_often(spelling):
    """Attempts in a row count for the account, from any address and in any spelling; then even the password waits."""
    upstream = Django()
    app = stack(upstream, throttle_sign_in_account="3 per hour")
    for number in range(3):
        assert "code=credentials" in sign_in(app, "wrong", peer=f"8.8.8.{number}")[0]
    before = len(upstream.sent)
    url, wait = sign_in(app, "right", spelling, peer="8.8.4.4")
    assert "code=throttled" in url
    assert 1 <= int(wait or 0) <= 3_600
    assert len(upstream.sent) == before
    assert "code=credentials" in sign_in(app, "wrong", "bob@example.com")[0]


def test_whoever_signs_in_starts_anew():
    """A few wrong passwords before the right one never add up."""
    app = stack(Django(), throttle_sign_in_account="3 per hour")
    for _ in range(3):
        for password in ("wrong", "wrong", "right"):
            assert "throttled" not in sign_in(app, password)[0]


def test_one_address_tries_no_thousand_accounts():
    """Stuffing many accounts from one address ends at the address's rate."""
    app = stack(Django(), throttle_sign_in_address="3 per hour")
    ends = [sign_in(app, "wrong", f"user{number}@example.com")[0] for number in range(5)]
    assert ["code=throttled" in url for url in ends] == [False] * 3 + [True] * 2
    assert "code=credentials" in sign_in(app, "wrong", "user9@example.com", peer="8.8.4.4")[0]


def test_sessions_and_sign_out_are_not_counted_as_sign_in():
    """A page that asks for its session again and again is no attack."""
    app = stack(Django(), throttle_sign_in_address="1 per hour")
    for _ in range(5):
        assert call(app, request("GET", "/api/auth/session", REMOTE_ADDR="8.8.8.8")).code == 200


def test_a_client_cannot_choose_its_address():
    """``X-Forwarded-For`` of anybody counts for nothing, so it neither escapes nor blames another (F091)."""
    app = stack(throttle_reset="2 per hour")
    path, document = "/api/auth/reset-password", ACCOUNT
    codes = [post(app, path, document, **{"X-Forwarded-For": f"1.1.1.{number}"}).code for number in range(4)]
    assert codes == [200, 200, 429, 429]
    assert post(app, path, document, peer="1.1.1.1").code == 200


def test_behind_a_proxy_that_nobody_named_addresses_count_for_nothing(caplog):
    """All clients would share the proxy's limit; the start says so, and with a named proxy it does not."""
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        app = stack(throttle_reset="1 per hour")
    assert "TRUSTED_PROXIES" in caplog.text
    for _ in range(3):
        assert post(app, "/api/auth/reset-password", ACCOUNT, peer="10.0.0.1").code == 200
    caplog.clear()
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        app = stack(throttle_reset="1 per hour", trusted_proxies="10.0.0.0/8")
    assert "TRUSTED_PROXIES" not in caplog.text
    codes = [
        post(app, "/api/auth/reset-password", ACCOUNT, "10.0.0.1", **{"X-Forwarded-For": client}).code
        for client in ("8.8.8.8", "8.8.4.4", "8.8.8.8")
    ]
    assert codes == [200, 200, 429]


def test_another_site_cannot_use_up_somebodys_share():
    """What is refused as cross-site does not count."""
    app = stack(throttle_reset="1 per hour")
    for _ in range(3):
        assert post(app, "/api/auth/reset-password", ACCOUNT, Origin="https://evil.example").code == 403
    assert post(app, "/api/auth/reset-password", ACCOUNT).code == 200


def test_every_rule_can_be_switched_off():
    """``off`` is a rate too."""
    names = [name for name in Settings.model_fields if name.startswith("throttle_")]
    app = stack(Django(), **dict.fromkeys(names, "off"))
    assert all(post(app, "/api/auth/resend-activation", ACCOUNT).code == 200 for _ in range(20))
    assert all("throttled" not in sign_in(app, "wrong")[0] for _ in range(20))


def test_one_person_cannot_hold_every_thread():
    """Requests under way are counted until their answers are closed, and then there is room again."""
    app = stack(max_requests_at_once=2)
    cookie = session_cookie()

    def begin():
        codes = []
        answer = app(
            request("GET", "/api/workspaces", headers={"Cookie": cookie}), lambda status, *_: codes.append(status[:3])
        )
        return answer, codes[0]

    held = [begin() for _ in range(2)]
    assert [code for _, code in held] == ["200", "200"]
    result = call(app, request("GET", "/api/workspaces", headers={"Cookie": cookie}))
    assert (result.code, result.document["code"], result.header("Retry-After")) == (429, "too-many-at-once", "1")
    held[0][0].close()
    assert begin()[1] == "200"


# The table and the settings


def test_every_costly_public_row_has_its_rule():
    """Which row has which: sign-in, registration, all that is mailed or guessed, and what a provider is paid for."""
    assert {route.path: route.throttle for route in ROUTES if route.throttle} == {
        "auth/{action...}": "sign-in",
        "auth/register": "register",
        "auth/activate-user": "activate",
        "auth/resend-activation": "resend",
        "auth/reset-password": "reset",
        "auth/password-reset-confirm": "reset-confirm",
        "transcribe-audio": "transcribe",
        "send-contact-email": "contact",
        "workspaces/{workspace_id}/translate": "translate",
    }


def test_a_rule_that_no_setting_knows_builds_no_app():
    """A slip of the pen is found at the start, and leaves no row open."""
    with pytest.raises(ConfigurationError, match="throttle='regsiter'"):
        create_app(
            Settings(backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET]),
            routes=[Route("POST", "x", "/x/", NONE, throttle="regsiter")],
        )


def test_a_rate_without_the_library_is_refused_at_the_start(monkeypatch, caplog):
    """Whoever set a rate gets it or an error; whoever set none is warned."""
    monkeypatch.setitem(sys.modules, "limits", None)
    monkeypatch.delitem(sys.modules, "wsgiproxy_hs.throttling.limits_meter", raising=False)
    with pytest.raises(ConfigurationError, match=r"THROTTLE_RESET .* wsgiproxy_hs\[limits\]"):
        stack(throttle_reset=Rate(1, 60))
    with caplog.at_level(logging.WARNING, "wsgiproxy_hs"):
        app = stack(Django())
    assert "nothing is throttled" in caplog.text
    assert all(post(app, "/api/auth/resend-activation", ACCOUNT).code == 200 for _ in range(9))
    assert "throttled" not in sign_in(app, "wrong")[0]
