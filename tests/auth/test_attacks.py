"""What somebody with bad intentions tries on the sign-in handler."""

from __future__ import annotations

import ast
import inspect
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.auth.browser import Browser, call, environ_of, header, url_of
from tests.auth.conftest import MakeApp
from tests.auth.exchanges import SECRET
from tests.auth.test_app import app_of
from wsgiproxy_hs.auth import csrf, handler
from wsgiproxy_hs.sessions import Sessions, seal

SESSION = "authjs.session-token"
MISSING = "http://localhost:3000/api/auth/signin?error=MissingCSRF"


class TestLoginCsrf:
    """Another site signs the victim in as the attacker."""

    def credentials_of_the_attacker(self, make_app: MakeApp) -> tuple[str, str]:
        """A CSRF token and its cookie, honestly asked for by the attacker."""
        attacker = Browser(make_app())
        return attacker.csrf(), attacker.jar["authjs.csrf-token"]

    def test_with_the_attackers_token(self, make_app: MakeApp, browser: Browser) -> None:
        """The attacker's own token does not go with the victim's cookie."""
        token, _ = self.credentials_of_the_attacker(make_app)
        browser.csrf()
        assert url_of(browser.sign_in(csrfToken=token)) == MISSING
        assert browser.session() is None

    @pytest.mark.parametrize("first", [True, False])
    def test_with_a_planted_cookie(self, make_app: MakeApp, browser: Browser, first: bool) -> None:
        """A cookie planted from a sibling domain, before or behind the victim's own, makes no token good (F033)."""
        token, planted = self.credentials_of_the_attacker(make_app)
        browser.csrf()
        own = f"authjs.csrf-token={browser.jar['authjs.csrf-token']}"
        pair = [f"authjs.csrf-token={planted}", own]
        cookie = "; ".join(pair if first else pair[::-1])
        form = {"email": "ada@example.com", "password": "correct horse", "csrfToken": token}
        answer = browser.post("/callback/credentials", form, X_Auth_Return_Redirect="1", Cookie=cookie)
        assert url_of(answer) == MISSING
        assert answer.cookies == []

    @pytest.mark.parametrize(
        "evidence",
        [
            {"Origin": "https://evil.localhost"},
            {"Origin": "null"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "cross-site"},
        ],
    )
    def test_with_a_planted_cookie_alone(self, make_app: MakeApp, browser: Browser, evidence: dict[str, str]) -> None:
        """Even where the planted cookie is the only one, the browser's word about the origin refuses."""
        token, planted = self.credentials_of_the_attacker(make_app)
        form = {"email": "ada@example.com", "password": "correct horse", "csrfToken": token}
        answer = browser.post(
            "/callback/credentials", form, X_Auth_Return_Redirect="1", Cookie=f"authjs.csrf-token={planted}", **evidence
        )
        assert url_of(answer) == MISSING
        assert answer.cookies == []

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""]
    )
    def test_without_a_cookie(self, browser: Browser, content_type: str) -> None:
        """A form of another site, which SameSite deprives of cookies, does nothing."""
        token = browser.csrf()
        body = f"csrfToken={token}&email=ada%40example.com&password=correct+horse".encode()
        environ = environ_of("POST", "/api/auth/callback/credentials", {"Content-Type": content_type}, body)
        answer = call(browser.app, environ)
        assert header(answer, "location") == MISSING
        assert answer.cookies == []

    @pytest.mark.parametrize("path", ["/callback/credentials", "/signout", "/signin/credentials"])
    def test_by_a_link(self, browser: Browser, path: str) -> None:
        """Nobody is signed in or out by GET, whatever stands in the query."""
        browser.sign_in()
        before = dict(browser.jar)
        browser.get(f"{path}?csrfToken={browser.csrf()}&email=ada%40example.com&password=correct+horse")
        assert browser.jar == before


class TestFixation:
    """Somebody knows or plants a session before the victim signs in."""

    def test_each_sign_in_begins_a_new_session(self, browser: Browser) -> None:
        """Signing in twice gives two tokens with different ids; the former one is not carried on (F039)."""
        sessions = Sessions(secrets=[SECRET], secure=False)
        ids = set()
        for _ in range(3):
            browser.sign_in()
            session = sessions.read(f"{SESSION}={browser.jar[SESSION]}")
            assert session is not None
            ids.add(session.claims["jti"])
        assert len(ids) == 3

    def test_nothing_of_a_planted_session_survives(self, browser: Browser) -> None:
        """Claims of the session that was there before the sign-in are not in the one after it."""
        browser.jar[SESSION] = seal(
            {"sub": "666", "role": "admin", "jti": "known"},
            secrets=[SECRET],
            cookie_name=SESSION,
            now=time.time(),
            max_age=60,
        )
        browser.sign_in()
        session = Sessions(secrets=[SECRET], secure=False).read(f"{SESSION}={browser.jar[SESSION]}")
        assert session is not None
        assert session.claims["sub"] == "1"
        assert "role" not in session.claims
        assert session.claims["jti"] != "known"

    def test_sign_in_removes_every_other_form(self, browser: Browser) -> None:
        """Old chunks, v4 cookies and prefixed ones are removed at sign-in and at sign-out (F038)."""
        planted = [
            f"{SESSION}.0",
            f"{SESSION}.7",
            "next-auth.session-token",
            f"__Secure-{SESSION}",
            "__Secure-next-auth.session-token.1",
        ]
        for leave in (False, True):
            for name in planted:
                browser.jar[name] = "planted"
            if leave:
                browser.post("/signout")
            else:
                browser.sign_in()
            assert not set(planted) & set(browser.jar)

    def test_a_refused_sign_in_keeps_the_session(self, browser: Browser) -> None:
        """A wrong password signs nobody out."""
        browser.sign_in()
        before = dict(browser.jar)
        browser.sign_in(password="wrong")
        assert browser.jar == before


class TestHeaderInjection:
    """Line breaks and other characters that end a header, in everything that reaches one."""

    BREAKS = (
        "\r\nSet-Cookie: evil=1",
        "\nLocation: https://evil.example",
        "\r",
        "\x00",
        "\x7f",
        "\u2028",
        "\x85",
        "é\r\n",
        "😀",
    )

    @pytest.mark.parametrize("text", BREAKS)
    @pytest.mark.parametrize("where", ["callbackUrl", "csrfToken", "email", "password", "other"])
    def test_in_the_body(self, browser: Browser, where: str, text: str) -> None:
        """No field of a body puts anything into a header that was not meant to be there."""
        form = {
            "email": "ada@example.com",
            "password": "correct horse",
            "csrfToken": browser.csrf(),
            where: "/x" + text,
        }
        for wants_json in (True, False):
            headers = {"X_Auth_Return_Redirect": "1"} if wants_json else {}
            self.check(browser.post("/callback/credentials", form, **headers))

    @pytest.mark.parametrize("text", ["%0d%0aSet-Cookie:%20evil=1", "%0a", "%00", "%E2%80%A8", "%c2%85", "%ff%fe"])
    @pytest.mark.parametrize("name", ["callbackUrl", "error", "code", "x"])
    @pytest.mark.parametrize("path", ["/signin", "/signout", "/error", "/verify-request", "/session", "/csrf"])
    def test_in_the_query(self, make_app: MakeApp, path: str, name: str, text: str) -> None:
        """No parameter does either, with the built-in pages or with own ones."""
        for pages in (
            {},
            {"page_sign_in": "/in", "page_sign_out": "/out", "page_error": "/err", "page_verify_request": "/v"},
        ):
            self.check(Browser(make_app(**pages)).get(f"{path}?{name}=%2Fx{text}"))

    @pytest.mark.parametrize("text", ["%0d%0aSet-Cookie:%20evil=1", "\xe9", "\x01", '"', "%00"])
    @pytest.mark.parametrize("name", ["authjs.csrf-token", "authjs.callback-url", SESSION, f"{SESSION}.0"])
    def test_in_a_cookie(self, browser: Browser, name: str, text: str) -> None:
        """No cookie does either."""
        self.check(browser.get("/session", Cookie=f"{name}=/x{text}"))

    @staticmethod
    def check(answer: Any) -> None:
        for name, value in [*answer.headers, *(("set-cookie", line) for line in answer.cookies)]:
            assert all(" " <= character <= "~" for character in value), name
        assert all(not line.startswith("evil") for line in answer.cookies)
        assert "evil.example" not in str(header(answer, "location")).partition("?")[0]


class TestOversized:
    """More of everything than anybody needs."""

    @pytest.mark.parametrize("body", [b"a=1&" * 16_000, b"&" * 65_000, b"=" * 65_000, b"%" * 65_000, b"a" * 65_536])
    def test_bodies_at_the_limit_are_quick(self, browser: Browser, body: bytes) -> None:
        """A body up to the limit is read in a moment, however it is made."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        start = time.perf_counter()
        answer = call(browser.app, environ_of("POST", "/api/auth/callback/credentials", headers, body))
        assert time.perf_counter() - start < 2
        assert header(answer, "location") == MISSING

    @pytest.mark.parametrize("size", [65_537, 10_000_000])
    def test_bodies_beyond_it_are_refused(self, browser: Browser, size: int) -> None:
        """One byte more is 413."""
        headers = {"Content-Type": "application/json"}
        assert call(browser.app, environ_of("POST", "/api/auth/session", headers, b"x" * size)).status == 413

    def test_nested_json(self, browser: Browser) -> None:
        """Nesting as deep as the limit allows is a bad request, not the end of the process."""
        for text in (b"[" * 65_000, b'{"a":' * 13_000, b'{"csrfToken":' + b"[" * 60_000):
            headers = {"Content-Type": "application/json"}
            assert call(browser.app, environ_of("POST", "/api/auth/session", headers, text)).status == 400

    @pytest.mark.parametrize(
        "cookie",
        [
            "; ".join(f"{SESSION}.{number}=x" for number in range(3_000)),
            f"{SESSION}=" + "x" * 1_000_000,
            "; ".join(["authjs.csrf-token=x|y"] * 5_000),
            "; ".join(["authjs.callback-url=/x"] * 5_000),
            ";" * 100_000,
            "=" * 100_000,
            "," * 50_000 + "a=b",
        ],
        ids=["chunks", "one", "csrf", "callback", "semicolons", "equals", "commas"],
    )
    def test_cookies(self, browser: Browser, cookie: str) -> None:
        """Any number and size of cookies gives an answer, soon."""
        start = time.perf_counter()
        answer = browser.get("/session", Cookie=cookie)
        assert time.perf_counter() - start < 3
        assert answer.body == b"null"

    @pytest.mark.parametrize(
        "query", ["&" * 100_000, "callbackUrl=" + "x" * 100_000, "error=" + "%41" * 50_000, "a=b&" * 30_000]
    )
    def test_queries(self, browser: Browser, query: str) -> None:
        """Any length of query too, and none of it comes back."""
        start = time.perf_counter()
        answer = browser.get("/signin?" + query)
        assert time.perf_counter() - start < 3
        assert answer.status == 200
        assert len(answer.body) < 8_000

    def test_paths(self, browser: Browser) -> None:
        """Any length of path."""
        assert browser.get("/" + "x" * 100_000).status == 400
        assert browser.get("/" * 100_000).status == 400


class TestOddEncodings:
    """Action names that look like one to somebody."""

    @pytest.mark.parametrize(
        "path",
        [
            "/SESSION",
            "/Session",
            "/session%20",
            "/%20session",
            "/session%00",
            "/session%0a",
            "/session;x=1",
            "/session%2f..",
            "/..%2fsession",
            "/session%5c",
            "/s%C3%A9ssion",
            "/%EF%BD%93ession",
            "/session%",
            "/session.json",
            "/session/.",
            "/./session",
            "/callback%2fcredentials%2fx",
            "/ſession",
            "/session%E2%80%8B",
        ],
    )
    def test_are_no_action(self, browser: Browser, path: str) -> None:
        """Only the very letters of an action name it."""
        answer = browser.get(path)
        assert (answer.status, answer.body, answer.cookies) == (400, b'"Bad request."', [])

    @pytest.mark.parametrize(
        "provider",
        [
            "__proto__",
            "constructor",
            "toString",
            "CREDENTIALS",
            "credentials%00",
            "undefined%20",
            "%E2%80%8Bcredentials",
        ],
    )
    def test_are_no_provider(self, browser: Browser, provider: str) -> None:
        """Only the very id names a provider."""
        answer = browser.post(f"/callback/{provider}", {"email": "ada@example.com", "password": "correct horse"})
        assert header(answer, "location") == "http://localhost:3000/api/auth/error?error=Configuration"
        assert answer.cookies == []


class TestTiming:
    """Nothing secret is compared in a way that tells how much of it was right."""

    def test_tokens_and_hashes_are_compared_in_constant_time(self) -> None:
        """The module of the CSRF token compares with == only what is no secret."""
        compared = [node for node in ast.walk(ast.parse(inspect.getsource(csrf))) if isinstance(node, ast.Compare)]
        for node in compared:
            if any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
                assert ast.unparse(node) == "len(good) == 1"
        assert inspect.getsource(csrf).count("compare_digest") == 2

    def test_every_secret_is_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The number of hashes does not depend on which secret was the right one."""
        counts = []
        original = csrf.csrf_hash
        calls: list[str] = []

        def counted(token: str, secret: str) -> str:
            calls.append(token)  # a new cookie has a token of its own
            return original(token, secret)

        monkeypatch.setattr(csrf, "csrf_hash", counted)
        for secret in ("one", "two", "none"):
            calls.clear()
            csrf.check_csrf([f"t|{original('t', secret)}"], "t", ["one", "two"])
            counts.append(calls.count("t"))
        assert len(set(counts)) == 1

    def test_unknown_and_wrong_look_the_same(self, browser: Browser) -> None:
        """Nothing in an answer tells whether the user or the password was wrong."""
        answers = [
            browser.sign_in("nobody@example.com"),
            browser.sign_in(password="wrong"),
            browser.sign_in("field@example.com"),
        ]
        assert (
            len({(answer.status, tuple(answer.headers), answer.body, tuple(answer.cookies)) for answer in answers}) == 1
        )


PIECES = st.sampled_from(
    [
        "/session",
        "/csrf",
        "/signin",
        "/callback/credentials",
        "/signout",
        "/error",
        "//",
        "/..",
        "%2f",
        "?",
        "callbackUrl=",
        "error=",
        "&",
        "%ff",
        "é",
        "\\",
        "x",
    ]
)
COOKIES = st.sampled_from(
    [
        SESSION + "=x",
        "authjs.csrf-token=a|b",
        "authjs.callback-url=%2F",
        ";",
        "=",
        ",",
        "%",
        '"',
        "é",
        "\x01",
        " ",
        "__Host-",
    ]
)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "X"]),
    path=st.lists(PIECES, max_size=6).map("".join),
    cookie=st.lists(COOKIES, max_size=8).map("".join),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "é", ""]),
    body=st.binary(max_size=40)
    | st.sampled_from([b'{"callbackUrl":7,"csrfToken":[]}', b"[]", b'"\\ud800"', b"a=%ff&csrfToken=%00"]),
    headers=st.dictionaries(
        st.sampled_from(["X-Auth-Return-Redirect", "Origin", "Sec-Fetch-Site"]),
        st.text(max_size=5).filter(str.isprintable),
    ),
)
@settings(max_examples=400, deadline=None)
def test_no_request_breaks_it(
    method: str, path: str, cookie: str, content_type: str, body: bytes, headers: dict[str, str]
) -> None:
    """Whatever is sent, the answer is one of those the handler knows, valid WSGI, and nobody is signed in."""
    app = app_of()
    environ = environ_of(
        "GET" if method == "X" else method,
        "/api/auth" + path,
        {**headers, "Cookie": cookie, "Content-Type": content_type},
        body,
    )
    answer = call(app, environ)
    assert answer.status in (200, 302, 400, 403, 500)
    assert all(
        line.startswith(("authjs.csrf-token=", "authjs.callback-url=", SESSION + "=; Max-Age=0"))
        for line in answer.cookies
    )
    if answer.body and header(answer, "content-type") == "application/json":
        json.loads(answer.body)


def test_bugs_end_as_configuration(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug of ours is logged with its traceback, and the browser learns no more than Configuration."""

    def fail(*arguments: Any) -> None:
        raise RuntimeError("secret detail")

    browser.csrf()
    monkeypatch.setattr(handler, "visit_of", fail)
    for path in ("/csrf", "/signin", "/error"):
        assert header(browser.get(path), "location") == "http://localhost:3000/api/auth/error?error=Configuration"
    answer = browser.get("/session")
    assert (answer.status, b"secret" in answer.body) == (500, False)
    assert "secret detail" in caplog.text


def test_browsers_do_not_share_anything(make_app: MakeApp) -> None:
    """Many browsers on one app, in any order: everybody sees their own session alone."""
    app = make_app()
    people = {"ada@example.com": "correct horse", "zoe@example.com": "pässwörd✓", "two@example.com": "correct horse"}
    browsers = [(email, Browser(app)) for email in people for _ in range(3)]
    random.Random(7).shuffle(browsers)
    for email, one in browsers:
        one.sign_in(email, people[email])
    for email, one in browsers:
        assert one.session()["user"]["email"] == email
