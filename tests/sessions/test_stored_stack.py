"""Sessions in Redis through the whole stack, and the settings and the command for them."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator

import pytest

from tests.harness import PUBLIC_URL, SECRET, UPSTREAM_URL, call, request
from tests.renewal.redis_server import PROGRAM, RedisServer, redis_server
from tests.renewal.test_write_back import Site
from wsgiproxy_hs import Settings, create_app
from wsgiproxy_hs.__main__ import main
from wsgiproxy_hs.assembly import make_sessions
from wsgiproxy_hs.exceptions import ConfigurationError

ID_COOKIE = "__Secure-wsgiproxy_hs.session-id"
VALUES = {"backend_url": UPSTREAM_URL, "public_url": PUBLIC_URL, "secrets": [SECRET]}


class StoredSite(Site):
    """As that of the tests of renewal, with its sessions in Redis."""

    def __init__(self, folder: pathlib.Path, server: RedisServer, **values: object) -> None:
        super().__init__(folder)
        values = {"session_store": "redis", "redis_url": server.url, **values}
        self.settings = Settings(**VALUES, renewal_directory=str(folder / "private"), **values)
        self.sessions = make_sessions(self.settings)
        self.app = create_app(self.settings, transport=self.upstream, sessions=self.sessions)


@pytest.fixture(name="own_redis")
def _own_redis(tmp_path: pathlib.Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which may be stopped and holds nothing else."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with redis_server(str(tmp_path)) as server:
        yield server


@pytest.fixture(name="site")
def _site(tmp_path: pathlib.Path, own_redis: RedisServer) -> StoredSite:
    return StoredSite(tmp_path, own_redis)


def test_redis_must_be_named() -> None:
    """``SESSION_STORE=redis`` without ``REDIS_URL`` stops the start, with one sentence that names both."""
    environ = {"BACKEND_URL": UPSTREAM_URL, "AUTH_URL": PUBLIC_URL, "AUTH_SECRET": SECRET, "SESSION_STORE": "redis"}
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environ(environ)
    (fault,) = caught.value.faults
    assert fault.startswith("SESSION_STORE (session_store) is wrong")
    assert "REDIS_URL" in fault
    with pytest.raises(ConfigurationError, match="SESSION_STORE"):
        Settings(**VALUES, session_store="file")
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        make_sessions(Settings(**VALUES, session_store="redis", redis_url="http://127.0.0.1"))


def test_the_default_is_the_cookie_and_asks_no_redis(tmp_path: pathlib.Path) -> None:
    """With a Redis for renewals that is away, sealed sessions are read as ever."""
    settings = Settings(**VALUES, redis_url="redis://127.0.0.1:1/0")
    assert Settings(**VALUES).session_store == settings.session_store == "cookie"
    sessions = make_sessions(settings)
    (line,) = sessions.write({"sub": "7", "accessToken": "a"}, "")
    session = sessions.read(line.partition(";")[0])
    assert session is not None
    assert "storeKey" not in session.claims


def test_a_request_with_an_id(site: StoredSite) -> None:
    """The upstream gets the token, the answer no cookie: nothing changed."""
    site.sign_in()
    answer = site.ask()
    assert (answer.code, answer.all("Set-Cookie"), list(site.cookies)) == (200, [], [ID_COOKIE])
    assert answer.header("Cache-Control") == "private, no-store"


@pytest.mark.parametrize("seconds", [30, -30])
def test_a_renewal_is_written_into_the_store(site: StoredSite, seconds: float) -> None:
    """Due or over: the id stays, what it leads to is the new pair, and there is one redemption."""
    old = site.sign_in(seconds)
    before = dict(site.cookies)
    answer = site.ask()
    assert (answer.code, len(answer.all("Set-Cookie"))) == (200, 1)
    assert site.cookies == before
    assert site.held().generation == 1
    assert site.held().refresh != old.refresh
    assert site.ask().all("Set-Cookie") == []
    assert sum(site.upstream.server.redemptions.values()) == 1


def test_two_workers(site: StoredSite, tmp_path: pathlib.Path, own_redis: RedisServer) -> None:
    """A renewal by one is seen by the other at once."""
    site.sign_in(-30)
    other = StoredSite(tmp_path / "other", own_redis)
    other.upstream.server = site.upstream.server
    other.cookies = dict(site.cookies)
    assert site.ask().code == 200
    assert other.held() == site.held()
    assert other.ask().all("Set-Cookie") == []


def test_a_refused_refresh_token_ends_the_stored_session(site: StoredSite) -> None:
    """401, the cookie is removed, and a copy of it is of no use."""
    site.sign_in(-30)
    copied = dict(site.cookies)
    site.upstream.server.live.clear()
    assert site.ask().code == 401
    assert site.cookies == {}
    site.cookies = copied
    answer = site.ask()
    assert (answer.code, sum(site.upstream.server.redemptions.values())) == (401, 1)


@pytest.mark.parametrize("size", [5_000, 100_000])
def test_a_large_token_reaches_the_upstream(site: StoredSite, size: int) -> None:
    """Whole, though the cookie is short; and it is renewed like any other."""
    padding = "x" * size
    site.sign_in(30, padding=padding)
    large = f"{site.held().access}.{padding}"
    header = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
    session = site.sessions.read(header)
    assert session is not None
    site.keep(site.sessions.write({**session.claims, "accessToken": large}, header))
    assert len(header) < 100
    seen: list[str] = []
    site.upstream.server.accepts = lambda token: seen.append(token) or True  # type: ignore[method-assign,func-returns-value]
    assert site.ask().code == 200
    assert seen == [large]


def test_redis_away(site: StoredSite, own_redis: RedisServer) -> None:
    """Stopped in the middle: 503 with ``Retry-After`` and no cookie for who has a session, and nothing goes upstream;
    rows that need none answer. When Redis is back and knows the session, so is everything.
    """
    site.sign_in()
    assert site.ask().code == 200
    asked = site.upstream.asked
    own_redis.stop()
    for method, body in (("GET", None), ("POST", b'{"name": "a"}')):
        answer = site.ask(method, body=body)
        assert (answer.code, answer.header("Retry-After"), answer.all("Set-Cookie")) == (503, "1", [])
        assert answer.document["code"] == "renewal-unavailable"
    assert site.upstream.asked == asked
    assert site.ask(path="/api/subscriptions/pricing").code == 200
    assert site.ask("POST", "/api/subscriptions/webhook", body=b"{}").code == 200
    anonymous = call(site.app, request("GET", "/api/workspaces", headers={"Origin": PUBLIC_URL}))
    assert anonymous.code == 401
    own_redis.start()
    assert site.ask().code == 401
    site.sign_in()
    assert site.ask().code == 200


def test_redis_goes_while_the_upstream_answers(site: StoredSite, own_redis: RedisServer) -> None:
    """The answer to a request that renewed is given without cookies."""
    site.sign_in(30)
    site.upstream.while_answering = own_redis.stop
    answer = site.ask()
    assert (answer.code, answer.all("Set-Cookie")) == (200, [])


def test_switching_on_and_back_in_the_stack(site: StoredSite, tmp_path: pathlib.Path, own_redis: RedisServer) -> None:
    """A browser with a sealed cookie: served, moved by its next renewal, and moved back when the setting is."""
    sealed = StoredSite(tmp_path / "sealed", own_redis, session_store="cookie")
    sealed.upstream.server = site.upstream.server
    sealed.sign_in(30)
    assert list(sealed.cookies) == ["__Secure-authjs.session-token"]
    site.cookies = sealed.cookies
    assert site.ask().code == 200
    assert list(site.cookies) == [ID_COOKIE]
    assert site.ask().all("Set-Cookie") == []
    session = site.ask(path="/api/auth/session")
    assert session.document["user"]["name"] == "Ada"
    sealed.cookies = dict(site.cookies)
    assert sealed.ask().code == 200
    assert sealed.ask(path="/api/auth/session").document["user"]["name"] == "Ada"
    assert "__Secure-authjs.session-token" in sealed.cookies
    assert ID_COOKIE not in sealed.cookies


@pytest.fixture(name="command")
def _command(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"BACKEND_URL": UPSTREAM_URL, "AUTH_URL": PUBLIC_URL, "AUTH_SECRET": SECRET, "SESSION_STORE": "redis"}
    for name, value in {**environ, "REDIS_URL": own_redis.url}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("command")
def test_the_command_revokes(
    site: StoredSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``session revoke``: one by its cookie, all by the user; how many there were is printed."""
    for _ in range(2):
        site.cookies = {}
        site.sign_in(sub="7")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"Cookie: {ID_COOKIE}={site.cookies[ID_COOKIE]}\n"))
    assert main(["session", "revoke", "--cookie"]) == 0
    assert site.ask().code == 401
    assert main(["session", "revoke", "--user", "7"]) == 0
    assert main(["session", "revoke", "--user", "7"]) == 0
    assert capsys.readouterr().out.splitlines() == ["1 session ended", "1 session ended", "0 sessions ended"]


@pytest.mark.usefixtures("command")
def test_the_command_says_when_it_cannot(
    own_redis: RedisServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 when Redis is away, 2 when sessions are sealed into cookies; either time nothing on standard output."""
    own_redis.stop()
    assert main(["session", "revoke", "--user", "7"]) == 1
    monkeypatch.setenv("SESSION_STORE", "cookie")
    assert main(["session", "revoke", "--user", "7"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Nothing was revoked: Redis" in printed.err
    assert "SESSION_STORE" in printed.err
