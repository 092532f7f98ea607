"""Through the whole stack: what a renewal leaves in the browser, what is replayed, and what touches no store."""

from __future__ import annotations

import io
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from requests import PreparedRequest, Response
from urllib3 import HTTPHeaderDict, HTTPResponse

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, FakeUpstream, Result, call, make_sessions, request
from tests.renewal.token_server import TokenServer
from wsgiproxy_hs import Settings, create_app
from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized
from wsgiproxy_hs.sessions import AccessToken, Redeemed, Refused, TokenPair, Unavailable

NOT_VALID = {"detail": "Given token not valid for any token type", "code": "token_not_valid", "messages": []}


class Upstream(FakeUpstream):
    """An API and a token endpoint behind one transport."""

    def __init__(self, **server: Any) -> None:
        super().__init__()
        self.server = TokenServer(**{"clock": time.time, "access_seconds": 3600, **server})
        self.refusing_status = 403
        self.refusal: dict[str, Any] = NOT_VALID
        self.answer: tuple[int, bytes] = (200, b'{"ok": true}')
        self.while_answering: Callable[[], None] = lambda: None
        self.bodies: list[bytes | None] = []
        self.asked = 0

    def send(self, request: PreparedRequest, **_: Any) -> Response:  # type: ignore[override]
        body = request.body.read() if hasattr(request.body, "read") else request.body
        if (request.url or "").endswith("/auth/jwt/refresh/"):
            return self._respond(*self._refresh(json.loads(body)["refresh"]))  # type: ignore[arg-type]
        self.asked += 1
        self.bodies.append(body)  # type: ignore[arg-type]
        token = request.headers.get("Authorization", "").partition(" ")[2]
        if token and not self.server.accepts(token):
            return self._respond(self.refusing_status, json.dumps(self.refusal).encode())
        self.while_answering()
        return self._respond(*self.answer)

    def _refresh(self, token: str) -> tuple[int, bytes]:
        outcome = self.server.redeem(token)
        if isinstance(outcome, Unavailable):
            return 503, b"down"
        if isinstance(outcome, Refused):
            return 401, json.dumps({"detail": "Token is blacklisted", "code": "token_not_valid"}).encode()
        assert isinstance(outcome, Redeemed)
        return 200, json.dumps({"access": outcome.access, "refresh": outcome.refresh}).encode()

    def _respond(self, status: int, body: bytes) -> Response:
        headers = HTTPHeaderDict({"Content-Type": "application/json"})
        response = Response()
        response.raw = HTTPResponse(
            body=io.BytesIO(body), headers=headers, status=status, preload_content=False, decode_content=False
        )
        response.status_code = status
        response.headers["Content-Type"] = "application/json"
        return response


class Site:
    """A stack, a browser's cookies, and the upstream behind it."""

    def __init__(self, folder: pathlib.Path, **server: Any) -> None:
        self.upstream = Upstream(**server)
        self.settings = Settings(
            backend_url=UPSTREAM_URL, public_url=PUBLIC_URL, secrets=[SECRET], renewal_directory=str(folder / "private")
        )
        self.sessions = make_sessions()
        self.app = create_app(self.settings, transport=self.upstream, sessions=self.sessions)
        self.cookies: dict[str, str] = {}

    def sign_in(self, access_seconds: float = 3600, **claims: Any) -> TokenPair:
        """Sign in with a token of an hour that has so many seconds left."""
        pair = self.upstream.server.sign_in(3600 - access_seconds)
        held = {"name": "Ada", "email": "ada@example.com", "accessToken": pair.access, "refreshToken": pair.refresh}
        self.keep(self.sessions.write({**held, **claims}, ""))
        return pair

    def keep(self, lines: list[str]) -> None:
        for line in lines:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
            if not self.cookies[name]:
                del self.cookies[name]

    def ask(self, method: str = "GET", path: str = "/api/workspaces", *, keep: bool = True, **options: Any) -> Result:
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": header, "Origin": PUBLIC_URL, **options.pop("headers", {})}
        result = call(self.app, request(method, path, headers=headers, **options))
        if keep:
            self.keep(result.all("Set-Cookie"))
        return result

    def held(self) -> TokenPair:
        """What the browser's cookies hold."""
        session = self.sessions.read("; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        assert session is not None
        token = self.sessions.access_token(session)
        assert token is not None
        return token.pair


@pytest.fixture(name="site")
def _site(tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path)


def test_a_fresh_token_touches_no_store(site: Site, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hot path costs nothing: no step of any store is taken, no directory made, no cookie set."""
    from wsgiproxy_hs.sessions.stores import FileStore, LayeredStore, MemoryStore

    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a store was touched")

    for kind in (FileStore, LayeredStore, MemoryStore):
        for step in ("look", "claim", "extend", "sending", "release", "refuse", "finish"):
            monkeypatch.setattr(kind, step, forbidden)
    site.sign_in()
    for method, body in (("GET", None), ("POST", b'{"name": "a"}')):
        answer = site.ask(method, body=body)
        assert (answer.code, answer.all("Set-Cookie")) == (200, [])
    assert not (tmp_path / "private").exists()
    assert not site.upstream.server.redemptions


@pytest.mark.parametrize("seconds", [30, -30])
def test_the_answer_that_renewed_carries_the_cookies(site: Site, seconds: float) -> None:
    """Due or over, the request succeeds, and the browser holds the new pair afterwards (F007)."""
    old = site.sign_in(seconds)
    answer = site.ask()
    assert answer.code == 200
    assert answer.header("Cache-Control") == "private, no-store"
    new = site.held()
    assert (new.generation, new.access != old.access, new.refresh != old.refresh) == (1, seconds < 0 or True, True)
    assert site.ask().all("Set-Cookie") == []
    assert sum(site.upstream.server.redemptions.values()) == 1


def test_a_large_session_is_written_back_in_chunks(site: Site) -> None:
    """Chunks are rewritten, and none of the old ones stays (F016, F019)."""
    site.sign_in(-30, padding="x" * 6000)
    assert len(site.cookies) > 1
    assert site.ask().code == 200
    assert site.held().generation == 1
    assert site.ask().code == 200


def test_cookies_ride_on_errors_too(site: Site) -> None:
    """What comes after the renewal may fail in any way: the new pair is not lost (F007)."""
    site.sign_in(-30)
    site.upstream.answer = (404, b'{"detail": "Not found."}')
    answer = site.ask()
    assert answer.code == 404
    assert site.held().generation == 1


def test_a_body_that_is_refused_after_the_renewal_carries_them_too(site: Site) -> None:
    """The session layer renews what is over before the body is read; the refusal brings the cookies."""
    site.sign_in(-30)
    answer = site.ask("POST", body=b"no json")
    assert answer.code == 400
    assert site.held().generation == 1


def test_a_refused_refresh_token_is_401_and_clears_the_cookies(site: Site) -> None:
    """On an API route (F010)."""
    site.sign_in(-30)
    site.upstream.server.live.clear()
    answer = site.ask()
    assert (answer.code, answer.document["error"]) == (401, "Unauthorized")
    assert site.cookies == {}
    assert site.upstream.asked == 0


def test_a_refused_refresh_token_ends_the_session_endpoints_session(site: Site) -> None:
    """``null``, and no cookie is left."""
    site.sign_in(-30)
    site.upstream.server.live.clear()
    assert site.ask(path="/api/auth/session").document is None
    assert not any("session-token" in name for name in site.cookies)


def test_an_optional_row_goes_on_without_a_session(site: Site) -> None:
    """A row that needs no token is served when the session is over, and the dead cookies go."""
    site.sign_in(-30)
    site.upstream.server.live.clear()
    answer = site.ask(path="/api/subscriptions/pricing")
    assert answer.code == 200
    assert site.cookies == {}


def test_a_token_endpoint_that_is_down_costs_nobody_the_session(site: Site) -> None:
    """The old token while it lives; then 503 with ``Retry-After``; the cookies are not touched (F009)."""
    site.sign_in(30)
    site.upstream.server.failing = Unavailable()
    assert (site.ask().code, site.ask().all("Set-Cookie")) == (200, [])
    site.sign_in(-30)
    before = dict(site.cookies)
    answer = site.ask()
    assert (answer.code, answer.document["code"]) == (503, "renewal-unavailable")
    assert int(answer.header("Retry-After") or 0) >= 1
    assert answer.all("Set-Cookie") == []
    assert site.ask(path="/api/subscriptions/pricing").code == 200
    shown = site.ask(path="/api/auth/session")
    assert shown.document["user"]["email"] == "ada@example.com"
    assert {name for name in before if name not in site.cookies} == set()


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_the_upstream_refuses_is_renewed_and_the_request_replayed(site: Site, status: int) -> None:
    """Once, with the same body, and the browser learns of the new pair (F013)."""
    old = site.sign_in()
    site.upstream.server.dead_access.add(old.access)
    site.upstream.refusing_status = status
    answer = site.ask("POST", body=b'{"name": "Engines"}')
    assert answer.code == 200
    assert site.upstream.bodies == [b'{"name": "Engines"}'] * 2
    assert site.held().generation == 1


def test_a_large_body_is_wound_back(site: Site) -> None:
    """From the spool, byte for byte."""
    old = site.sign_in()
    site.upstream.server.dead_access.add(old.access)
    body = json.dumps({"name": "x" * 100_000}).encode()
    assert site.ask("POST", body=body).code == 200
    assert site.upstream.bodies == [body, body]


def test_a_token_renewed_a_moment_ago_is_not_renewed_again(site: Site) -> None:
    """When the upstream refuses the new one as well, that is its answer."""
    old = site.sign_in()
    site.upstream.server.dead_access.add(old.access)
    assert site.ask().code == 200
    site.upstream.server.dead_access.add(site.held().access)
    answer = site.ask()
    assert (answer.code, answer.document["error"]) == (403, NOT_VALID["detail"])
    assert sum(site.upstream.server.redemptions.values()) == 1


@pytest.mark.parametrize("refusal", [{"detail": "You do not have permission."}, {"code": "other"}, {}])
def test_any_other_refusal_is_passed_on(site: Site, refusal: dict[str, Any]) -> None:
    """Neither renewed nor replayed."""
    old = site.sign_in()
    site.upstream.server.dead_access.add(old.access)
    site.upstream.refusal = refusal
    assert site.ask().code == 403
    assert site.upstream.asked == 1
    assert not site.upstream.server.redemptions


def test_without_a_refresh_token_a_refusal_is_passed_on(site: Site) -> None:
    """There is nothing to renew with."""
    site.sign_in()
    site.keep(site.sessions.write({"accessToken": site.held().access}, ""))
    site.upstream.server.dead_access.add(site.held().access)
    assert site.ask().code == 403
    assert site.upstream.asked == 1


def renewal_of(app: Any) -> Any:
    """What renews in a stack, found layer by layer."""
    while not hasattr(app, "_renewal"):
        app = app._app
    return app._renewal


def test_a_late_answer_brings_the_newest_pair(site: Site) -> None:
    """While a slow request that renewed is still under way, another goes on: the older pair never comes back (F008)."""
    old = site.sign_in(-30)
    slow_cookies = dict(site.cookies)

    def meanwhile() -> None:
        site.upstream.while_answering = lambda: None
        assert site.ask().code == 200
        first = site.held()
        site.upstream.server.dead_access.add(first.access)
        renewal = renewal_of(site.app)
        renewal.current(first, is_dead=True)

    site.upstream.while_answering = meanwhile
    slow = site.ask(keep=False)
    assert slow_cookies
    site.keep(slow.all("Set-Cookie"))
    assert site.held().generation == 2
    assert max(site.upstream.server.redemptions.values()) == 1
    assert old.generation == 0


def test_the_session_endpoint_asks_the_store_first(site: Site) -> None:
    """An old cookie read by the session endpoint comes back with the newest pair, and not re-sealed with the old."""
    site.sign_in(-30)
    stale = dict(site.cookies)
    assert site.ask().code == 200
    newest = site.held()
    site.cookies = stale
    assert site.ask(path="/api/auth/session").document["user"]["name"] == "Ada"
    assert site.held() == newest
    assert sum(site.upstream.server.redemptions.values()) == 1


def test_the_session_endpoint_may_renew_and_peeking_does_not(site: Site) -> None:
    """``?peek=1`` shows the session, renews nothing and sets no cookie; plain ``GET session`` does both."""
    site.sign_in(30)
    peeked = site.ask(path="/api/auth/session", query="peek=1")
    assert peeked.document["user"]["name"] == "Ada"
    assert not any("session-token" in line for line in peeked.all("Set-Cookie"))
    assert not site.upstream.server.redemptions
    assert site.ask(path="/api/auth/session").document["user"]["name"] == "Ada"
    assert site.held().generation == 1


def test_a_session_does_not_outlive_its_refresh_token(tmp_path: pathlib.Path) -> None:
    """The cookie's end is the refresh token's, when that comes first (F010)."""
    site = Site(tmp_path, refresh_seconds=5000)
    site.sign_in(-30)
    assert site.ask().code == 200
    session = site.sessions.read("; ".join(f"{name}={value}" for name, value in site.cookies.items()))
    assert session is not None
    assert abs((session.expires or 0) - time.time() - 5000) < 5
    shown = site.ask(path="/api/auth/session").document["expires"]
    assert shown[:10] <= time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5001))


def test_signing_out_with_an_old_cookie_revokes_the_newest_token(site: Site) -> None:
    """What is revoked is the refresh token that lives, not the one that is spent."""
    from wsgiproxy_hs.sessions import newest_claims

    site.sign_in(-30)
    stale = dict(site.cookies)
    site.ask()
    newest = site.held()
    site.cookies = stale
    session = site.sessions.read("; ".join(f"{name}={value}" for name, value in stale.items()))
    assert session is not None
    renewal = renewal_of(site.app)
    assert newest_claims(site.sessions, session, renewal)["refreshToken"] == newest.refresh
    assert newest_claims(site.sessions, session, None)["refreshToken"] != newest.refresh


class Scripted:
    """A renewal that does as it is told."""

    def __init__(self, outcome: Any) -> None:
        self.outcome, self.asked = outcome, 0

    def is_fresh(self, pair: TokenPair, now: float) -> bool:
        return True

    def newest(self, pair: TokenPair) -> TokenPair:
        return pair

    def current(self, pair: TokenPair, *, is_dead: bool = False) -> TokenPair:
        self.asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert isinstance(self.outcome, TokenPair)
        return self.outcome


def handle(outcome: Any, **options: Any) -> AccessToken:
    return AccessToken("old", pair=TokenPair("old", "refresh", **options), renewal=Scripted(outcome))


def test_the_handle_tells_whether_a_replay_is_worth_it() -> None:
    """Another token: yes. The same: no. One that was renewed in between needs no renewal."""
    token = handle(TokenPair("new", "next", 1, 1))
    assert token.renew("JWT old")
    assert token.authorization("JWT") == "JWT new"
    assert token.renew("JWT old")
    assert token.renewed_pair() == TokenPair("new", "next", 1, 1)
    same = handle(TokenPair("old", "refresh"))
    assert not same.renew("JWT old")
    assert not handle(None, renewed=time.time() - 5).renew("JWT old")


@pytest.mark.parametrize(("error", "is_refused"), [(Unauthorized(), True), (RenewalUnavailable(), False)])
def test_the_handle_passes_on_why_it_could_not(error: Exception, is_refused: bool) -> None:
    """And remembers whether the session is over; what is dead is not sent again."""
    token = handle(error)
    with pytest.raises(type(error)):
        token.renew("JWT old")
    assert token.is_refused is is_refused
    assert token.is_over(0)
    with pytest.raises(type(error)):
        token.authorization("JWT")


def test_a_token_that_does_not_verify_is_renewed() -> None:
    """With a key to verify by, a token that does not is as good as over."""
    sessions = make_sessions(verify_access_token=lambda token, now: None)
    from wsgiproxy_hs.sessions import Session

    session = Session({"accessToken": "old", "refreshToken": "refresh"})
    renewal = Scripted(TokenPair("new", "next", 1, 1))
    token = sessions.access_token(session, renewal)
    assert token is not None
    assert token.authorization("JWT") == "JWT new"
    assert sessions.access_token(session) is None
