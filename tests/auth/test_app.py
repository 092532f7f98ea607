"""The app as a whole: configuration, mounting, hooks, sessions."""

from __future__ import annotations

import base64
import inspect
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from requests.adapters import HTTPAdapter
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import wsgiproxy_hs.auth
from tests.auth.browser import Browser, call, environ_of, header, url_of
from tests.auth.conftest import MakeApp, settings_of
from tests.auth.exchanges import OLD_SECRET, SECRET
from tests.auth.fake_django import access_token_of, refresh_token_of
from wsgiproxy_hs.auth import (
    AccessDenied,
    AuthApp,
    AuthError,
    CredentialsProvider,
    CredentialsSignin,
    FormField,
    Hooks,
    User,
)
from wsgiproxy_hs.exceptions import ConfigurationError
from wsgiproxy_hs.sessions import Sessions, seal, unseal_v4

SOURCES = sorted(Path(inspect.getfile(wsgiproxy_hs.auth)).parent.glob("*.py"))
SESSION = "authjs.session-token"


def app_of(**values: Any) -> AuthApp:
    defaults: dict[str, Any] = {
        "public_url": "http://localhost:3000",
        "base_path": "/api/auth",
        "secrets": [SECRET],
        "sessions": Sessions(secrets=[SECRET], secure=False),
        "hooks": Hooks(authorize=lambda credentials: User("1", name="Ada")),
    }
    return AuthApp(**{**defaults, **values})


class TestConfiguration:
    """What is wrong is said when the app is built, all of it at once."""

    @pytest.mark.parametrize(
        ("values", "fault"),
        [
            ({"public_url": "app.example.com"}, "public_url"),
            ({"public_url": "ftp://app.example.com"}, "public_url"),
            ({"public_url": "https://user@app.example.com"}, "public_url"),
            ({"public_url": ""}, "public_url"),
            ({"base_path": "api/auth"}, "base_path"),
            ({"base_path": "/api/auth/"}, "base_path"),
            ({"base_path": "/api//auth"}, "base_path"),
            ({"base_path": "/a?b"}, "base_path"),
            ({"secrets": []}, "secrets"),
            ({"secrets": [SECRET, ""]}, "secrets"),
            ({"hooks": Hooks()}, "providers"),
            ({"providers": [CredentialsProvider(lambda _: None, id="a/b")]}, "a/b"),
            ({"providers": [CredentialsProvider(lambda _: None, id="undefined")]}, "undefined"),
            ({"providers": [CredentialsProvider(lambda _: None, id="..")]}, ".."),
            ({"providers": [CredentialsProvider(lambda _: None)] * 2}, "once"),
        ],
    )
    def test_faults(self, values: dict[str, Any], fault: str) -> None:
        """A value that cannot work is a ConfigurationError that names it."""
        with pytest.raises(ConfigurationError, match=fault):
            app_of(**values)

    def test_all_faults_at_once(self) -> None:
        """One attempt shows everything that has to be mended."""
        with pytest.raises(ConfigurationError) as caught:
            app_of(public_url="", base_path="x", secrets=[], hooks=Hooks())
        assert len(caught.value.faults) == 4

    def test_the_request_decides_nothing(self, make_app: MakeApp) -> None:
        """Host and forwarded headers change no URL, no cookie name and no Secure (F023, F024)."""
        browser = Browser(make_app(public_url="https://app.example.com"))
        hostile = {
            "Host": "evil.example",
            "X_Forwarded_Host": "evil.example",
            "X_Forwarded_Proto": "http",
            "Forwarded": "host=evil.example",
        }
        for path in ("/csrf", "/providers", "/signin", "/error", "/signin/nope"):
            answer = browser.get(path, **hostile)
            assert b"evil" not in answer.body
            assert "evil" not in str(answer.headers)
        assert sorted(browser.jar) == ["__Host-authjs.csrf-token", "__Secure-authjs.callback-url"]

    def test_the_path_of_auth_url_is_the_base_path(self, make_app: MakeApp) -> None:
        """AUTH_URL with a path says where sign-in is."""
        browser = Browser(make_app(public_url="https://app.example.com/custom/auth"), base="/custom/auth")
        providers = json.loads(browser.get("/providers").body)
        assert providers["credentials"]["callbackUrl"] == "https://app.example.com/custom/auth/callback/credentials"

    def test_own_pages_of_the_settings(self, make_app: MakeApp) -> None:
        """The four page settings reach the handler."""
        pages = {"page_sign_in": "/in", "page_sign_out": "/out", "page_error": "/err", "page_verify_request": "/mail"}
        browser = Browser(make_app(**pages))
        locations = [
            header(browser.get(path), "location") for path in ("/signin", "/signout", "/error", "/verify-request")
        ]
        assert [str(location).partition("?")[0] for location in locations] == ["/in", "/out", "/err", "/mail"]


class TestMounting:
    """In the stack or alone, under any prefix."""

    def test_below_a_script_name(self, make_app: MakeApp) -> None:
        """Mounted at its base path, the rest of the path is the action."""
        client = Client(DispatcherMiddleware(lambda e, s: [], {"/api/auth": make_app()}))
        assert json.loads(client.get("/api/auth/providers").data)["credentials"]["id"] == "credentials"

    def test_below_another_mount_point(self, make_app: MakeApp) -> None:
        """Mounted elsewhere, PATH_INFO alone is the action; URLs stay those of the configuration."""
        client = Client(DispatcherMiddleware(lambda e, s: [], {"/inner": make_app()}))
        assert (
            json.loads(client.get("/inner/providers").data)["credentials"]["signinUrl"]
            == "http://localhost:3000/api/auth/signin/credentials"
        )

    def test_two_apps_share_nothing(self, make_app: MakeApp) -> None:
        """Apps with different settings live in one process."""
        one, two = make_app(), make_app(public_url="https://app.example.com")
        assert "localhost" in call(one, environ_of("GET", "/api/auth/providers", {}, None)).body.decode()
        assert "app.example.com" in call(two, environ_of("GET", "/api/auth/providers", {}, None)).body.decode()

    def test_the_call_is_no_generator(self) -> None:
        """start_response is called before __call__ returns."""
        assert not inspect.isgeneratorfunction(AuthApp.__call__)


class TestSession:
    """GET and POST session."""

    def test_the_browser_sees_the_user_and_no_token(self, browser: Browser) -> None:
        """The session shows name, email, image, id and when it ends; tokens stay in the cookie."""
        browser.sign_in()
        document = browser.session()
        assert document["user"] == {"name": "Ada Lovelace", "email": "ada@example.com", "image": None, "id": "1"}
        assert list(document) == ["user", "expires"]
        for answer in (browser.get("/session"), browser.post("/session", json_body={"csrfToken": browser.csrf()})):
            assert access_token_of("ada@example.com") not in answer.body.decode()
            assert refresh_token_of("ada@example.com") not in answer.body.decode()

    def test_every_read_moves_the_end(self) -> None:
        """Each read issues the cookie anew, with a later end and a new jti, and the body names the same end."""
        now = 1_800_000_000.25
        sessions = Sessions(secrets=[SECRET], secure=False, clock=lambda: now)
        browser = Browser(app_of(sessions=sessions, clock=lambda: now))
        browser.sign_in()
        first = sessions.read(f"{SESSION}={browser.jar[SESSION]}")
        now += 3_600
        answer = browser.get("/session")
        second = sessions.read(f"{SESSION}={browser.jar[SESSION]}")
        assert first is not None
        assert second is not None
        assert json.loads(answer.body)["expires"] == "2027-02-14T09:00:00.250Z"
        assert "Expires=Sun, 14 Feb 2027 09:00:00 GMT" in answer.cookies[0]
        assert second.claims["exp"] == 1_800_000_000 + 3_600 + 2_592_000
        assert second.claims["jti"] != first.claims["jti"]

    def test_an_expired_session_is_none(self) -> None:
        """After its end a session is null, and its cookie is removed."""
        now = 1_800_000_000.0
        browser = Browser(
            app_of(sessions=Sessions(secrets=[SECRET], secure=False, clock=lambda: now), clock=lambda: now)
        )
        browser.sign_in()
        now += 2_592_000 + 60
        assert browser.session() is None
        assert SESSION not in browser.jar

    def test_a_v4_session_becomes_v5(self, browser: Browser) -> None:
        """A NextAuth v4 cookie is read, written as v5, and removed."""
        token = v4_token({"name": "Old", "sub": "9"})
        assert unseal_v4(token, secrets=[SECRET], now=time.time())["name"] == "Old"
        browser.jar["next-auth.session-token"] = token
        assert browser.session()["user"] == {"name": "Old", "id": "9"}
        assert "next-auth.session-token" not in browser.jar
        assert SESSION in browser.jar

    def test_both_names_are_read_and_the_right_one_is_written(self, make_app: MakeApp) -> None:
        """When a site moves from http to https its sessions move along (F023)."""
        old = Browser(make_app())
        old.sign_in()
        new = Browser(make_app(public_url="https://app.example.com"))
        new.jar[SESSION] = old.jar[SESSION]
        assert new.session()["user"]["name"] == "Ada Lovelace"
        assert SESSION not in new.jar
        assert f"__Secure-{SESSION}" in new.jar

    def test_other_token_claims(self, make_app: MakeApp) -> None:
        """The names of the claims that carry tokens are settings, and those are hidden."""
        values = {"access_token_claim": "at", "refresh_token_claim": "rt"}
        settings = settings_of(**values)
        sessions = Sessions(secrets=[SECRET], secure=False, **values)  # type: ignore[arg-type]
        seen: list[Mapping[str, Any]] = []

        def show(claims: Mapping[str, Any]) -> dict[str, Any]:
            seen.append(claims)
            return {}

        app = AuthApp.from_settings(
            settings,
            transport=HTTPAdapter(),
            sessions=sessions,
            hooks=Hooks(session=show),
        )
        browser = Browser(app)
        browser.sign_in()
        browser.session()
        stored = sessions.read(f"{SESSION}={browser.jar[SESSION]}")
        assert stored is not None
        assert stored.claims["at"] == access_token_of("ada@example.com")
        assert set(seen[0]) == {"name", "email", "picture", "sub", "iat", "exp", "jti"}


def v4_token(claims: dict[str, Any]) -> str:
    """A session token as NextAuth v4 makes it, written from its description."""

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    key = HKDF(SHA256(), 32, b"", b"NextAuth.js Generated Encryption Key").derive(SECRET.encode())
    head, iv = encoded(b'{"alg":"dir","enc":"A256GCM"}'), os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, json.dumps({**claims, "exp": time.time() + 99}).encode(), head.encode())
    return ".".join([head, "", encoded(iv), encoded(sealed[:-16]), encoded(sealed[-16:])])


class TestHooks:
    """A host's own callables."""

    def test_authorize_replaces_the_backend(self, django: Any, make_app: MakeApp) -> None:
        """A hook judges the form instead, and gets every field of it."""
        seen: list[Any] = []

        def authorize(credentials: Mapping[str, object]) -> User | None:
            seen.append(dict(credentials))
            return User("7", email="x@y.z", tokens={"accessToken": "t"}, claims={"role": "admin"})

        browser = Browser(make_app(hooks=Hooks(authorize=authorize)))
        browser.sign_in("x", "y", otp="123456")
        assert seen == [{"csrfToken": browser.csrf(), "email": "x", "password": "y", "otp": "123456"}]
        assert browser.session()["user"] == {"name": None, "email": "x@y.z", "image": None, "id": "7"}
        assert len(django.calls) == 0

    @pytest.mark.parametrize(
        ("error", "end"),
        [
            (None, "signin?error=CredentialsSignin&code=credentials"),
            (CredentialsSignin("otp-required"), "signin?error=CredentialsSignin&code=otp-required"),
            (CredentialsSignin("a b&c=d\r\nX: y"), "signin?error=CredentialsSignin&code=a+b%26c%3Dd%0D%0AX%3A+y"),
            (AccessDenied(), "error?error=AccessDenied"),
            (AuthError(), "error?error=Configuration"),
            (ValueError("boom"), "error?error=Configuration"),
            (KeyError("email"), "error?error=Configuration"),
        ],
        ids=repr,
    )
    def test_how_authorize_refuses(self, error: Exception | None, end: str) -> None:
        """None is a wrong password; our errors end as they say, with any code; a bug ends as Configuration."""

        def authorize(credentials: Mapping[str, object]) -> User | None:
            if error is not None:
                raise error
            return None

        answer = Browser(app_of(hooks=Hooks(authorize=authorize))).sign_in()
        assert url_of(answer) == f"http://localhost:3000/api/auth/{end}"
        assert answer.cookies == []

    @pytest.mark.parametrize(
        ("verdict", "end"),
        [
            (True, "http://localhost:3000"),
            (False, "http://localhost:3000/api/auth/error?error=AccessDenied"),
            (None, "http://localhost:3000/api/auth/error?error=AccessDenied"),
            ("", "http://localhost:3000/api/auth/error?error=AccessDenied"),
            (1, "http://localhost:3000/api/auth/error?error=AccessDenied"),
            (ValueError("boom"), "http://localhost:3000/api/auth/error?error=AccessDenied"),
            (
                CredentialsSignin("blocked"),
                "http://localhost:3000/api/auth/signin?error=CredentialsSignin&code=blocked",
            ),
            ("/welcome", "http://localhost:3000/welcome"),
            ("https://evil.example", "http://localhost:3000"),
            ("//evil.example", "http://localhost:3000"),
        ],
        ids=repr,
    )
    def test_the_last_word(self, verdict: Any, end: str) -> None:
        """Only True lets in; a text leads elsewhere on this site; tokens of whoever stays out are revoked."""
        revoked: list[Any] = []

        def judge(user: User) -> Any:
            if isinstance(verdict, Exception):
                raise verdict
            return verdict

        hooks = Hooks(
            authorize=lambda _: User("1", tokens={"refreshToken": "r"}), sign_in=judge, sign_out=revoked.append
        )
        browser = Browser(app_of(hooks=hooks))
        assert url_of(browser.sign_in()) == end
        assert (browser.session() is not None) is (verdict is True)
        assert revoked == ([] if verdict is True else [{"refreshToken": "r"}])

    def test_session_replaces_what_the_browser_sees(self) -> None:
        """The hook's members are shown, with the end of the session behind the user; claims come without tokens."""
        hooks = Hooks(
            authorize=lambda _: User("1", tokens={"accessToken": "secret"}, claims={"role": "admin"}),
            session=lambda claims: {"plan": "pro", "user": {"role": claims["role"]}, "seen": sorted(claims)},
        )
        browser = Browser(app_of(hooks=hooks))
        browser.sign_in()
        document = browser.session()
        assert list(document) == ["user", "expires", "plan", "seen"]
        assert document["user"] == {"role": "admin"}
        assert "accessToken" not in document["seen"]

    def test_session_may_change_what_it_is_given(self) -> None:
        """The claims given to a hook are a copy: changing them changes no session."""

        def show(claims: Any) -> dict[str, Any]:
            claims["tags"].append("x")
            return {"user": {"tags": list(claims["tags"])}}

        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1", claims={"tags": []}), session=show)))
        browser.sign_in()
        assert browser.session() | browser.session()
        assert browser.session()["user"] == {"tags": ["x"]}

    def test_session_may_show_none(self) -> None:
        """A hook that gives None shows a signed-out browser, and the session stays."""
        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1"), session=lambda claims: None)))
        browser.sign_in()
        assert browser.session() is None
        assert SESSION in browser.jar

    @pytest.mark.parametrize("result", [ValueError("boom"), {"user": object()}, {"user": float("nan")}, 7])
    def test_a_failing_session_hook_ends_no_session(self, result: Any, caplog: pytest.LogCaptureFixture) -> None:
        """A bug in the hook is 500 and in the log; the person stays signed in."""

        def show(claims: Any) -> Any:
            if isinstance(result, Exception):
                raise result
            return result

        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1"), session=show)))
        browser.sign_in()
        before = browser.jar[SESSION]
        answer = browser.get("/session")
        assert answer.status == 500
        assert answer.cookies == []
        assert browser.jar[SESSION] == before
        assert "GET session failed" in caplog.text
        posted = browser.post("/session", json_body={"csrfToken": browser.csrf()})
        assert (posted.status, posted.body, posted.cookies) == (400, b"null", [])

    def test_update_changes_claims_but_no_tokens(self) -> None:
        """The hook gets the claims without tokens and the browser's data; tokens are neither seen nor lost nor set."""
        seen: list[Any] = []

        def update(claims: Mapping[str, Any], data: Any) -> Mapping[str, Any]:
            seen.append((dict(claims), data))
            return {**claims, "name": data["name"], "accessToken": "forged"}

        sessions = Sessions(secrets=[SECRET], secure=False)
        hooks = Hooks(authorize=lambda _: User("1", name="Ada", tokens={"accessToken": "real"}), update=update)
        browser = Browser(app_of(sessions=sessions, hooks=hooks))
        browser.sign_in()
        answer = browser.post("/session", json_body={"csrfToken": browser.csrf(), "data": {"name": "Countess"}})
        assert json.loads(answer.body)["user"]["name"] == "Countess"
        assert "accessToken" not in seen[0][0]
        stored = sessions.read(f"{SESSION}={browser.jar[SESSION]}")
        assert stored is not None
        assert stored.claims["accessToken"] == "real"

    def test_without_update_data_changes_nothing(self, browser: Browser) -> None:
        """What a browser sends to update() is not believed by default."""
        browser.sign_in()
        browser.post(
            "/session", json_body={"csrfToken": browser.csrf(), "data": {"name": "x", "sub": "2", "user": {"id": "2"}}}
        )
        assert browser.session()["user"]["id"] == "1"
        assert browser.session()["user"]["name"] == "Ada Lovelace"

    def test_update_may_end_the_session(self) -> None:
        """None from the hook signs out."""
        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1"), update=lambda claims, data: None)))
        browser.sign_in()
        answer = browser.post("/session", json_body={"csrfToken": browser.csrf()})
        assert (answer.body, SESSION in browser.jar) == (b"null", False)

    def test_events_hold_no_secret(self, make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
        """Events and logs tell who came and went and what was refused, and no token, password or cookie (F151)."""
        events: list[Any] = []
        browser = Browser(make_app(hooks=Hooks(events=lambda name, details: events.append((name, dict(details))))))
        with caplog.at_level(logging.DEBUG):
            browser.sign_in(password="hunter2-wrong")
            browser.sign_in("broken@example.com")
            browser.sign_in()
            browser.post("/signout", {"csrfToken": "x"})
            browser.post("/signout")
        assert [name for name, _ in events] == [
            "sign_in_refused",
            "sign_in_refused",
            "sign_in",
            "request_refused",
            "sign_out",
        ]
        assert events[2][1] == {"provider": "credentials", "sub": "1"}
        told = caplog.text + repr(events)
        for secret in (
            "hunter2-wrong",
            "correct horse",
            browser.csrf(),
            access_token_of("ada@example.com"),
            refresh_token_of("ada@example.com"),
            SECRET,
        ):
            assert secret not in told

    def test_the_default_events_go_to_the_log(self, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
        """Without a hook, events are lines of the log wsgiproxy_hs.auth."""
        with caplog.at_level(logging.INFO, logger="wsgiproxy_hs.auth"):
            browser.sign_in()
        assert "sign_in provider='credentials' sub='1'" in caplog.text

    def test_failing_events_and_sign_out_hooks_stand_in_nobodys_way(self, caplog: pytest.LogCaptureFixture) -> None:
        """A bug in a hook that only listens is logged, and the person is signed in and out all the same."""

        def fail(*arguments: Any) -> None:
            raise RuntimeError("boom")

        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1"), events=fail, sign_out=fail)))
        browser.sign_in()
        assert browser.session() is not None
        assert browser.post("/signout").status == 302
        assert browser.session() is None
        assert caplog.text.count("hook failed") >= 3

    def test_more_providers(self) -> None:
        """Providers are listed in order, each with its own form, and only a known one is served."""
        providers = [
            CredentialsProvider(lambda c: User("1", name="staff")),
            CredentialsProvider(
                lambda c: User("2", name="guest"), id="code", name="Code", fields=[FormField("code", "Code")]
            ),
        ]
        browser = Browser(app_of(providers=providers))
        assert list(json.loads(browser.get("/providers").body)) == ["credentials", "code"]
        assert browser.get("/signin").body.decode().count("<form") == 2
        browser.post("/callback/code", {"code": "1"})
        assert browser.session()["user"]["name"] == "guest"
        assert url_of(browser.post("/callback/nope", X_Auth_Return_Redirect="1")).endswith("error=Configuration")

    def test_a_session_too_large_is_no_session(self, caplog: pytest.LogCaptureFixture) -> None:
        """A user whose claims no browser could keep is not signed in, and the log says so."""
        browser = Browser(app_of(hooks=Hooks(authorize=lambda _: User("1", claims={"x": "y" * 1_000_000}))))
        answer = browser.sign_in()
        assert url_of(answer).endswith("error?error=Configuration")
        assert answer.cookies == []
        assert "POST callback failed" in caplog.text


def test_a_rotated_secret_keeps_sessions_and_tokens(make_app: MakeApp) -> None:
    """A new secret in front of the old one costs nobody the session or a refused form (F025)."""
    old = Browser(make_app(secrets=[OLD_SECRET]))
    old.sign_in()
    new = Browser(make_app(secrets=[SECRET, OLD_SECRET]))
    new.jar = dict(old.jar)
    assert new.post("/session", json_body={"csrfToken": new.csrf()}).status == 200
    assert new.session()["user"]["name"] == "Ada Lovelace"
    last = Browser(make_app(secrets=[SECRET]))
    last.jar = dict(new.jar)
    assert last.session()["user"]["name"] == "Ada Lovelace"


def test_tokens_of_another_site_are_none(browser: Browser) -> None:
    """A token sealed with another secret or for another cookie is no session, and is removed (F026)."""
    for secret, name in ((OLD_SECRET, SESSION), (SECRET, "other.session-token")):
        browser.jar[SESSION] = seal({"sub": "1"}, secrets=[secret], cookie_name=name, now=time.time(), max_age=60)
        assert browser.session() is None
        assert SESSION not in browser.jar
