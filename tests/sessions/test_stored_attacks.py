"""What somebody who has an old cookie, a planted id, a copy of Redis or a pen for it can do: nothing."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tests.renewal.redis_server import RedisServer, redis_server
from tests.sessions.conftest import ID_COOKIE, NOW, OTHER_SECRET, READ, SECRET, Browser, Shelf, claims_of, renewed
from tests.sessions.test_stored import held, signed_in
from wsgiproxy_hs.exceptions import RenewalUnavailable
from wsgiproxy_hs.sessions import AccessToken, Session, Sessions, TokenPair, cookies_after
from wsgiproxy_hs.sessions.stored import carried_id


def rows(shelf: Shelf) -> list[str]:
    return [key for key in shelf.keys() if ":row:" in key]


FORGED = {
    "random": "A" * 43,
    "empty": "",
    "short": "A" * 42,
    "long": "A" * 44,
    "other characters": "A" * 42 + "*",
    "a glob": "*",
    "a line": "A" * 43 + "%0a",
    "surrogates": "\udcff" * 43,
    "a key": "0123456789abcdef" * 4,
}


@pytest.mark.parametrize("value", FORGED.values(), ids=FORGED)
def test_a_forged_id_is_no_session(shelf: Shelf, value: str) -> None:
    """Whatever stands in the cookie, there is no session, no error, and nothing is stored for it (F026)."""
    sessions = shelf.sessions()
    browser = Browser({ID_COOKIE: value})
    assert sessions.read(browser.header) is None
    sessions.clear(browser.header)
    assert shelf.keys() == []


def test_the_digest_is_no_id(shelf: Shelf) -> None:
    """Who knows a key, from a copy of Redis, cannot come with it."""
    sessions = shelf.sessions()
    signed_in(sessions)
    key = rows(shelf)[0].rpartition(":")[2]
    for value in (key, key[:43]):
        assert sessions.read(f"{ID_COOKIE}={value}") is None


def test_redis_holds_nothing_in_plain(shelf: Shelf) -> None:
    """Every key and value of it: no token, no claim, no id, no secret, no key made of it."""
    browsers = [signed_in(shelf.sealed()), *(signed_in(shelf.sessions()) for _ in range(3))]
    sessions = shelf.sessions()
    sealed_token = browsers[0].header.partition("=")[2]
    for browser in browsers:
        browser.keep(sessions.write(renewed(held(sessions, browser).claims, 1), browser.header))
    sessions.revoke(browsers[1].header)
    sessions.write(claims_of("a-user@example.com"), "")
    sessions.revoke_all("a-user@example.com")
    dump = shelf.dump()
    assert len(dump) > 1000
    private = ["access-", "refresh-of", "Ada Lovelace", "accessToken", "a-user@", SECRET, sealed_token[-40:]]
    private += [browser.cookies[ID_COOKIE] for browser in browsers]
    assert [text for text in private if text in dump] == []


def test_a_row_under_another_key_is_no_session(shelf: Shelf) -> None:
    """Who can write to Redis copies a row to the key of an own id: the claims name the key they were sealed for."""
    sessions = shelf.sessions()
    victim = signed_in(sessions, "1")
    (theirs,) = rows(shelf)
    own = signed_in(sessions, "2")
    (ours,) = set(rows(shelf)) - {theirs}
    shelf.redis.hset(ours, mapping=shelf.redis.hgetall(theirs))
    assert sessions.read(own.header) is None
    assert shelf.sessions().read(own.header) is None
    assert held(sessions, victim).claims["sub"] == "1"


def test_a_sealed_cookie_put_into_the_store_is_no_session(shelf: Shelf) -> None:
    """Nor what was sealed with the same secret for another purpose, in either direction."""
    sessions = shelf.sessions()
    own = signed_in(sessions)
    (row,) = rows(shelf)
    stored = str(shelf.redis.hget(row, "sealed"))
    cookie = signed_in(shelf.sealed()).header.partition("=")[2]
    shelf.redis.hset(row, "sealed", cookie)
    assert sessions.read(own.header) is None
    assert shelf.sealed().read(f"__Secure-authjs.session-token={stored}") is None


@pytest.mark.parametrize("change", ["a character", "cut", "empty", "nonsense", "other secret", "other type"])
def test_a_changed_row_is_no_session(shelf: Shelf, change: str) -> None:
    """A stored value that was tampered with is refused, and no error comes of it (F027)."""
    sessions = shelf.sessions(secrets=[OTHER_SECRET]) if change == "other secret" else shelf.sessions()
    browser = signed_in(sessions)
    (row,) = rows(shelf)
    sealed = str(shelf.redis.hget(row, "sealed"))
    position = len(sealed) // 2
    other = "A" if sealed[position] != "A" else "B"
    changed = {
        "a character": sealed[:position] + other + sealed[position + 1 :],
        "cut": sealed[:-8],
        "empty": "",
        "nonsense": "{}",
        "other secret": sealed,
        "other type": sealed,
    }
    shelf.redis.hset(row, "sealed", changed[change])
    if change == "other type":
        shelf.redis.delete(row)
        shelf.redis.set(row, sealed)
        with pytest.raises(RenewalUnavailable):
            shelf.sessions().read(browser.header)
        return
    assert shelf.sessions().read(browser.header) is None
    if change != "other secret":
        assert sessions.read(browser.header) is None


def test_a_copied_cookie_is_dead_after_signing_out(shelf: Shelf) -> None:
    """What ``clear`` removes from one browser is over in all, on every worker; other sessions of the user go on."""
    sessions = shelf.sessions()
    browser, elsewhere = signed_in(sessions), signed_in(sessions)
    thief = browser.copy()
    worker = shelf.sessions()
    assert worker.read(thief.header) is not None
    browser.keep(sessions.clear(browser.header))
    assert browser.cookies == {}
    assert worker.read(thief.header) is None
    assert held(worker, elsewhere).claims["sub"] == "7"


def test_what_comes_late_does_not_bring_it_back(shelf: Shelf) -> None:
    """A renewal that began before the session was revoked writes nothing, and gives no cookie."""
    sessions = shelf.sessions()
    browser = signed_in(sessions)
    claims = held(sessions, browser).claims
    assert sessions.revoke(browser.header) == 1
    assert sessions.write(renewed(claims, 5), browser.header) == []
    assert sessions.read(browser.header) is None
    assert sessions.revoke(browser.header) == 0
    (row,) = rows(shelf)
    shelf.redis.delete(row)  # a minute later
    assert sessions.write(renewed(claims, 5), browser.header) == []
    assert shelf.keys() == []


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_copied_sealed_cookie_is_dead_too(shelf: Shelf, is_moved: bool) -> None:
    """A cookie from before the store, copied: after signing out it is over, moved or not, late movers included."""
    browser = signed_in(shelf.sealed())
    thief = browser.copy()
    sessions = shelf.sessions()
    late = dict(held(sessions, thief).claims)
    if is_moved:
        browser.keep(sessions.write(held(sessions, browser).claims, browser.header))
    browser.keep(sessions.clear(browser.header))
    assert browser.cookies == {}
    assert shelf.sessions().read(thief.header) is None
    assert sessions.write(late, thief.header) == []
    (row,) = rows(shelf)
    assert shelf.redis.hkeys(row) == ["revoked"]
    assert shelf.redis.pttl(row) > 30 * 86_400_000


def test_all_sessions_of_a_user(shelf: Shelf) -> None:
    """Stored, moved and sealed ones are over; another user's are not, nor is who signs in afterwards."""
    sealed, sessions = shelf.sealed(), shelf.sessions()
    theirs = [signed_in(sealed), signed_in(sealed), signed_in(sessions), signed_in(sessions)]
    moved = theirs[0].copy()
    moved.keep(sessions.write(held(sessions, moved).claims, moved.header))
    late = dict(held(sessions, theirs[1]).claims)
    other = [signed_in(sealed, "8"), signed_in(sessions, "8")]
    assert sessions.revoke_all("7") == 3
    assert [shelf.sessions().read(each.header) for each in [*theirs, moved]] == [None] * 5
    assert [held(shelf.sessions(), each).claims["sub"] for each in other] == ["8", "8"]
    assert sessions.write(late, theirs[1].header) == []
    assert held(sessions, signed_in(sessions)).claims["sub"] == "7"
    assert sessions.revoke_all("7") == 1
    assert sessions.revoke_all("nobody") == 0


def test_without_a_store_there_is_nothing_to_revoke(shelf: Shelf) -> None:
    """Sealed sessions: ``revoke`` finds none, and ``revoke_all`` says that it cannot."""
    sealed = shelf.sealed()
    browser = signed_in(sealed)
    assert sealed.revoke(browser.header) == 0
    with pytest.raises(ValueError, match="there is no store"):
        sealed.revoke_all("7")


def test_an_id_from_before_signing_in_is_never_kept(shelf: Shelf) -> None:
    """A planted id, made up or of a session of the attacker's: the new session has another, and the planted one ends."""
    sessions = shelf.sessions()
    for planted in (
        Browser({ID_COOKIE: "A" * 43}),
        signed_in(sessions, "attacker"),
        signed_in(shelf.sealed(), "attacker"),
    ):
        victim = planted.copy()
        victim.keep(sessions.write(claims_of(), victim.header))
        assert list(victim.cookies) == [ID_COOKIE]
        assert victim.cookies[ID_COOKIE] not in planted.header
        assert held(sessions, victim).claims["sub"] == "7"
        assert sessions.read(planted.header) is None


def test_claims_that_name_another_key_begin_a_new_session(shelf: Shelf) -> None:
    """Only a session that the request itself carried is written to."""
    sessions = shelf.sessions()
    victim, own = signed_in(sessions, "1"), signed_in(sessions, "2")
    key = held(sessions, victim).claims["storeKey"]
    own.keep(sessions.write({**claims_of("2"), "storeKey": key}, own.header))
    assert held(sessions, victim).claims["sub"] == "1"
    assert held(sessions, own).claims["sub"] == "2"


def test_an_answer_that_comes_late_takes_no_new_cookie_away(shelf: Shelf) -> None:
    """Another tab asks with the old id while somebody signs in again: its answer must not remove the new cookie. Later
    on a dead id is removed like anything of no use.
    """
    sessions = shelf.sessions()
    browser = signed_in(sessions)
    other_tab = browser.copy()
    browser.keep(sessions.write(claims_of(), browser.header))
    assert sessions.read(other_tab.header) is None
    assert sessions.clear(other_tab.header) == []
    assert held(sessions, browser).claims["sub"] == "7"
    key = carried_id(other_tab.cookies[ID_COOKIE])
    assert key is not None
    row = f"{shelf.prefix}row:{key.key}"
    assert 0 < shelf.redis.pttl(row) <= 60_000
    shelf.redis.delete(row)
    assert "Max-Age=0" in sessions.clear(other_tab.header)[0]


def test_a_stranger_cannot_fill_the_store(shelf: Shelf) -> None:
    """Cookies that nobody sealed here, cleared by the session endpoint for everybody who comes with them."""
    sessions = shelf.sessions()
    forged = signed_in(shelf.sealed(secrets=[OTHER_SECRET]))
    assert sessions.clear(forged.header) != []
    assert shelf.keys() == []


def test_one_request_makes_few_questions(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ids and chunks of ids it carries."""
    store = shelf.store()
    asked: list[str] = []
    look = store.look
    monkeypatch.setattr(store, "look", lambda key, **options: asked.append(key) or look(key, **options))
    sessions = shelf.sessions(store=store)
    cookies = [f"{ID_COOKIE}={number:043d}" for number in range(50)]
    cookies += [f"{ID_COOKIE}.{number}={number:043d}" for number in range(50)]
    assert sessions.read("; ".join(cookies)) is None
    assert len(asked) == 4


@pytest.fixture(name="own_redis")
def _own_redis(tmp_path, redis: RedisServer):  # type: ignore[no-untyped-def]
    """A Redis of the test's own, which may be stopped."""
    with redis_server(str(tmp_path)) as server:
        yield server


def away(sessions: Sessions, header: str) -> RenewalUnavailable:
    with pytest.raises(RenewalUnavailable) as caught:
        sessions.read(header)
    assert caught.value.status == 503
    assert dict(caught.value.headers)["Retry-After"] == "1"
    return caught.value


def test_redis_stopped_in_the_middle(own_redis, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    """Nobody can tell: 503, once in the log, and nothing that a session has is lost for good. Without an id in the
    request nothing is asked. When Redis is back, so is everything; one that lost its memory knows no session.
    """
    from wsgiproxy_hs.sessions.stores.redis import RedisSessionStore

    store = RedisSessionStore(own_redis.url)
    sessions = Sessions(
        secrets=[SECRET], secure=True, clock=lambda: NOW, formats=READ, write_format="stored", store=store
    )
    browser = signed_in(sessions)
    own_redis.stop()
    for _ in range(3):
        away(sessions, browser.header)
        with pytest.raises(RenewalUnavailable):
            sessions.write(claims_of(), "")
        with pytest.raises(RenewalUnavailable):
            sessions.clear(browser.header)
        with pytest.raises(RenewalUnavailable):
            sessions.revoke_all("7")
    assert caplog.text.count("Sessions cannot be read") == 1
    assert sessions.read("_ga=GA1.1; __Secure-wsgiproxy_hs.session-id=nonsense") is None
    own_redis.start()
    assert sessions.read(browser.header) is None
    assert held(sessions, signed_in(sessions)).claims["sub"] == "7"
    assert caplog.text.count("Sessions can be read again") == 1
    store.close()


def test_a_redis_that_hangs_is_not_waited_for_by_everybody(own_redis) -> None:  # type: ignore[no-untyped-def]
    """SIGSTOP: the first request waits for the timeout, those of the next moment do not; then it is asked again."""
    from wsgiproxy_hs.sessions.stores.redis import RedisSessionStore

    ticks = [0.0]
    store = RedisSessionStore(own_redis.url, timeout_seconds=0.3, clock=lambda: ticks[0])
    sessions = Sessions(
        secrets=[SECRET], secure=True, clock=lambda: NOW, formats=READ, write_format="stored", store=store
    )
    browser = signed_in(sessions)
    pid = own_redis._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        away(sessions, browser.header)
        assert time.monotonic() - began >= 0.3
        began = time.monotonic()
        for _ in range(100):
            away(sessions, browser.header)
        assert time.monotonic() - began < 0.3
    finally:
        os.kill(pid, signal.SIGCONT)
    ticks[0] += 0.31
    assert held(sessions, browser).claims["sub"] == "7"
    store.close()


def test_a_write_back_that_cannot_be_stored_fails_no_answer(own_redis, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    """The answer is there when Redis goes: it is given without cookies, and the log says so."""
    from wsgiproxy_hs.sessions.stores.redis import RedisSessionStore

    class Renewed:
        def is_fresh(self, pair: TokenPair, now: float) -> bool:
            return False

        def newest(self, pair: TokenPair) -> TokenPair:
            return pair

        def current(self, pair: TokenPair, *, is_dead: bool = False) -> TokenPair:
            return pair.next("new-access", "new-refresh", NOW)

    store = RedisSessionStore(own_redis.url)
    sessions = Sessions(
        secrets=[SECRET], secure=True, clock=lambda: NOW, formats=READ, write_format="stored", store=store
    )
    browser = signed_in(sessions)
    session = held(sessions, browser)
    token = sessions.access_token(session, Renewed())
    assert isinstance(token, AccessToken)
    assert token.authorization("JWT") == "JWT new-access"
    assert "session-id" in cookies_after(sessions, session, token, browser.header)[0]
    own_redis.stop()
    assert cookies_after(sessions, session, token, browser.header) == []
    token.is_refused = True
    assert cookies_after(sessions, session, token, browser.header) == []
    assert "cannot be stored just now" in caplog.text
    store.close()


def test_revoking_while_many_write(shelf: Shelf) -> None:
    """Sixteen threads of two workers prolong a session while it is revoked: it stays revoked."""
    workers = shelf.sessions(), shelf.sessions()
    browser = signed_in(workers[0])
    session: Session = held(workers[0], browser)
    barrier = threading.Barrier(9)

    def run(number: int) -> None:
        barrier.wait()
        for generation in range(1, 20):
            workers[number % 2].write(renewed(session.claims, generation), browser.header)

    threads = [threading.Thread(target=run, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    assert workers[0].revoke(browser.header) == 1
    for thread in threads:
        thread.join()
    assert [worker.read(browser.header) for worker in workers] == [None, None]
    assert not [key for key in shelf.keys() if ":user:" in key]
