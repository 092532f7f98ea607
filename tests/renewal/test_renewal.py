"""Deciding on a pair: by plain values first, then with a store, a clock that is set, and a token server."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.renewal.token_server import TokenServer
from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized
from wsgiproxy_hs.sessions import Redeemed, Refused, Renewal, TokenPair, Unavailable, judged
from wsgiproxy_hs.sessions.redemption import beating, opened, sealed_pair
from wsgiproxy_hs.sessions.renewal import Step, is_due, lives, next_step
from wsgiproxy_hs.sessions.stores import Entry, MemoryStore

SECRETS = ["a-test-key-that-nobody-uses-0123456789"]
NOW = 1_800_000_000.0


class World:
    """A clock that is set, a token server and a store, with as many renewals on it as are asked for."""

    def __init__(self, **server: Any) -> None:
        self.now = NOW
        self.server = TokenServer(clock=self.clock, **server)
        self.store = MemoryStore(clock=self.clock)
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def renewal(self, **options: Any) -> Renewal:
        given = {
            "store": self.store, "redeem": self.server.redeem, "sealing_secrets": SECRETS, "clock": self.clock,
            "ticks": self.clock, "sleep": self.sleep, "start": lambda run: run(),
        }  # fmt: skip
        return Renewal(**{**given, **options})


LEASED, PAUSED = Entry(owner="a", remaining_seconds=5), Entry(remaining_seconds=5)


@pytest.mark.parametrize(
    ("entry", "alive", "dead"),
    [
        (Entry(), Step.REDEEM, Step.REDEEM),
        (LEASED, Step.USE, Step.WAIT),
        (PAUSED, Step.USE, Step.PAUSE),
        (Entry(unsure=1), Step.USE, Step.REDEEM),
        (Entry(unsure=2, owner="a", remaining_seconds=1), Step.USE, Step.WAIT),
        (Entry(unsure=1, remaining_seconds=1), Step.USE, Step.PAUSE),
        (Entry(is_refused=True), Step.END, Step.END),
        (Entry(is_refused=True, remaining_seconds=1), Step.USE, Step.PAUSE),
        (Entry(version=3, successor="sealed"), Step.REDEEM, Step.REDEEM),
    ],
)
def test_the_decision(entry: Entry, alive: Step, dead: Step) -> None:
    """The whole table: while the old access token lives nobody waits, and nothing unsure is repeated."""
    assert next_step(entry, is_due=True, lives=True) is alive
    assert next_step(entry, is_due=True, lives=False) is dead
    assert next_step(entry, is_due=False, lives=True) is Step.USE


def test_due_is_before_over_and_never_at_once() -> None:
    """Sixty seconds before its end, but not in the first three quarters of a short life; unknown ends are never due."""
    world = World(access_seconds=3600)
    token = world.server.sign_in().access
    assert [is_due(token, NOW + age, 60) for age in (0, 3539, 3540, 9999)] == [False, False, True, True]
    assert [lives(token, NOW + age) for age in (0, 3599.9, 3600)] == [True, True, False]
    short = World(access_seconds=20).server.sign_in().access
    assert [is_due(short, NOW + age, 60) for age in (0, 14.9, 15)] == [False, False, True]
    assert not is_due("opaque", 1e12, 60)
    assert lives("opaque", 1e12)


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (200, {"access": "new"}, Redeemed("new")),
        (200, {"access": "new", "refresh": "next"}, Redeemed("new", "next")),
        (200, {"access": "new", "refresh": ""}, Redeemed("new")),
        (200, {"access": "a b"}, Unavailable()),
        (200, {"refresh": "next"}, Unavailable()),
        (200, ["access"], Unavailable()),
        (200, None, Unavailable()),
        (204, None, Unavailable()),
        (401, {"detail": "Token is blacklisted", "code": "token_not_valid"}, Refused()),
        (403, {"detail": "x", "code": "token_not_valid"}, Refused()),
        (400, {"error": "invalid_grant"}, Refused()),
        (401, {"detail": "No active account found for the given token."}, Refused()),
        (401, {"error": "invalid_client"}, Unavailable(True)),
        (401, {"detail": "x", "code": "something_else"}, Unavailable(True)),
        (401, None, Unavailable(True)),
        (403, {"detail": "CSRF Failed"}, Unavailable(True)),
        (400, {"refresh": ["This field is required."]}, Unavailable(True)),
        (404, None, Unavailable(True)),
        (302, None, Unavailable(True)),
        (429, {"detail": "Request was throttled."}, Unavailable(True)),
        (503, None, Unavailable(True)),
        (500, None, Unavailable(False)),
        (502, {"code": "token_not_valid"}, Unavailable(False)),
        (504, None, Unavailable(False)),
    ],
)
def test_only_a_clear_refusal_ends_a_session(status: int, document: object, expected: object) -> None:
    """Everything else leaves it as it is; whether the token may have been spent is told apart (F009, F011, F015)."""
    assert judged(status, document, {}) == expected


@pytest.mark.parametrize(
    ("given", "seconds"), [("7", 7), ("0", 1), ("9999", 60), ("", 1), ("soon", 1), ("-3", 1), ("²", 1), ("9" * 99, 1)]
)
def test_the_upstreams_wish_to_be_left_alone_is_kept_within_bounds(given: str, seconds: float) -> None:
    """``Retry-After`` counts from one second to a minute."""
    assert judged(429, None, {"Retry-After": given}) == Unavailable(True, seconds)


def test_what_lies_in_the_store_is_sealed() -> None:
    """No token in plain, no other secret opens it, and it is no session cookie."""
    pair = TokenPair("access", "refresh", 3, NOW)
    sealed = sealed_pair(pair, SECRETS, NOW, 60)
    assert "access" not in sealed
    assert opened(sealed, SECRETS, NOW) == pair
    assert opened(sealed, ["another-test-key-of-nobody-9876543210"], NOW) is None
    assert opened(sealed, SECRETS, NOW + 9999) is None
    assert opened("garbage", SECRETS, NOW) is None
    assert opened(None, SECRETS, NOW) is None
    assert "refresh" not in repr(pair)


def test_a_pair_larger_than_any_cookie_is_kept() -> None:
    """Sessions in a store have tokens of any size; whoever did not redeem gets them, too."""
    pair = TokenPair("a" * 100_000, "r" * 100_000, 1, NOW)
    assert opened(sealed_pair(pair, SECRETS, NOW, 60), SECRETS, NOW) == pair


@pytest.mark.parametrize("rotates", [True, False])
def test_a_due_token_is_renewed_once(rotates: bool) -> None:
    """The first gets a new pair, and who comes late with the old one gets the same (F001, F002, F015)."""
    world = World(rotates=rotates)
    old = world.server.sign_in()
    world.now += 290
    new = world.renewal().current(old)
    assert new.access != old.access
    assert (new.refresh != old.refresh) is rotates
    assert (new.generation, new.renewed) == (1, world.now)
    assert world.renewal().current(old) == new
    assert world.renewal().newest(old) == new
    assert list(world.server.redemptions.values()) == [1]


@pytest.mark.parametrize("rotates", [True, False])
def test_an_old_cookie_leads_to_the_newest_pair_over_many_renewals(rotates: bool) -> None:
    """Three renewals later the very first cookie is still as good as the last (F008)."""
    world = World(rotates=rotates)
    pair = first = world.server.sign_in()
    for _ in range(3):
        world.now += 301
        pair = world.renewal().current(pair)
    assert pair.generation == 3
    assert world.renewal().newest(first) == pair
    world.now += 301
    last = world.renewal().current(first)
    assert last.generation == 4
    assert set(world.server.redemptions.values()) == ({1} if rotates else {4})


def test_a_cookie_newer_than_the_store_is_not_taken_back() -> None:
    """Without rotation a store that was restored may hold an older pair of the same refresh token: ours is newer."""
    world = World(rotates=False)
    old = world.server.sign_in()
    world.now += 301
    world.renewal().current(old)
    newer = TokenPair(world.server._jwt("access", 300), old.refresh, 7, world.now)
    assert world.renewal().newest(newer) == newer


def test_a_refusal_ends_the_session_and_is_not_asked_for_again() -> None:
    """401, once and for all who hold the pair (F003, F010)."""
    world = World()
    old = world.server.sign_in()
    world.server.live.clear()
    world.now += 301
    for _ in range(3):
        with pytest.raises(Unauthorized):
            world.renewal().current(old)
    assert world.server.redemptions[old.refresh or ""] == 1


@pytest.mark.parametrize("undone", [True, False])
def test_a_failing_token_endpoint_keeps_the_session(undone: bool) -> None:
    """The old token while it lives; then 503 with ``Retry-After``; and when the endpoint is back, all goes on (F009)."""
    world = World()
    old = world.server.sign_in()
    world.server.failing = Unavailable(undone, 5)
    world.now += 280
    assert world.renewal().current(old) is old
    world.now += 30
    with pytest.raises(RenewalUnavailable) as caught:
        world.renewal().current(old)
    assert dict(caught.value.headers)["Retry-After"] == "5"
    world.server.failing = None
    with pytest.raises(RenewalUnavailable):
        world.renewal().current(old)
    world.now += 6
    assert world.renewal().current(old).generation == 1


def test_an_exception_of_the_call_is_an_unknown_outcome(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in the call logs nobody out, and is logged itself."""
    world = World()
    old = world.server.sign_in()

    def broken(_: str) -> Redeemed:
        raise ZeroDivisionError

    world.now += 290
    assert world.renewal(redeem=broken).current(old) is old
    assert "could not be asked" in caplog.text
    assert world.store.look(old.key()).unsure == 1


def test_a_dead_token_is_renewed_before_its_end() -> None:
    """What the upstream refused is as good as over (F013)."""
    world = World()
    old = world.server.sign_in()
    assert world.renewal().current(old, is_dead=True).generation == 1


def test_waiting_is_bounded() -> None:
    """While another redeems and the old token is over, wait; beyond the bound 503, no later (F006, F144)."""
    world = World()
    old = world.server.sign_in()
    world.now += 301
    world.store.claim(old.key(), "another", seen=0, seconds=9999, may_repeat=False)
    began = world.now
    with pytest.raises(RenewalUnavailable):
        world.renewal(wait_seconds=30).current(old)
    assert 30 <= world.now - began < 30.5
    assert max(world.slept) <= 0.2


def test_waiters_take_over_when_the_owner_dies_before_sending() -> None:
    """Killed before the request was sent: the next one redeems, and nobody is signed out."""
    world = World()
    old = world.server.sign_in()
    world.now += 301
    world.store.claim(old.key(), "dead", seen=0, seconds=10, may_repeat=False)
    began = world.now
    assert world.renewal().current(old).generation == 1
    assert 10 <= world.now - began < 10.5


def test_an_unknown_outcome_is_repeated_only_when_there_is_no_other_way(caplog: pytest.LogCaptureFixture) -> None:
    """While the old access token lives everybody goes on; then the second redemption decides: the documented case."""
    world = World()
    old = world.server.sign_in()
    world.now += 280
    world.store.claim(old.key(), "dead", seen=0, seconds=1, may_repeat=False)
    world.store.sending(old.key(), "dead", seconds=1)
    world.now += 10
    assert world.renewal().current(old) is old
    assert not world.server.redemptions
    world.server.redeem(old.refresh or "")  # what the dead one had sent
    world.now += 10
    with pytest.raises(Unauthorized):
        world.renewal().current(old)
    assert world.server.redemptions[old.refresh or ""] == 2
    assert "nobody recorded" in caplog.text


def test_a_request_does_not_wait_for_a_slow_endpoint_while_its_token_lives() -> None:
    """The one who renews goes on after a moment; the new pair is there for those who come later (20 s endpoint)."""
    world = World()
    old = world.server.sign_in()
    gate, finished = threading.Event(), threading.Event()

    def slow(refresh: str) -> Any:
        gate.wait(10)
        return world.server.redeem(refresh)

    def start(run: Any) -> None:
        threading.Thread(target=lambda: (run(), finished.set())).start()

    world.now += 290
    renewal = world.renewal(redeem=slow, start=start, patience_seconds=0.01)
    assert renewal.current(old) is old
    assert renewal.current(old) is old
    gate.set()
    assert finished.wait(10)
    assert renewal.current(old).generation == 1
    assert sum(world.server.redemptions.values()) == 1


def test_a_lease_outlives_a_call_longer_than_itself() -> None:
    """The lease is renewed while the call runs: nobody else redeems, however long it takes (F005)."""
    server = TokenServer(clock=time.time, access_seconds=-1)
    old, store = server.sign_in(), MemoryStore()

    def slow(refresh: str) -> Any:
        time.sleep(0.6)
        return server.redeem(refresh)

    renewals = [
        Renewal(store=store, redeem=slow, sealing_secrets=SECRETS, lease_seconds=0.15, wait_seconds=10)
        for _ in range(8)
    ]
    found: list[TokenPair] = []
    server.access_seconds = 300
    threads = [threading.Thread(target=lambda each=each: found.append(each.current(old))) for each in renewals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({pair.access for pair in found}) == 1
    assert len(found) == 8
    assert sum(server.redemptions.values()) == 1


def test_the_owners_request_is_bounded_too() -> None:
    """Whoever redeems answers 503 at the bound, and what it started still ends well."""
    server = TokenServer(clock=time.time, access_seconds=-1)
    old, store, gate = server.sign_in(), MemoryStore(), threading.Event()
    server.access_seconds = 300

    def slow(refresh: str) -> Any:
        gate.wait(10)
        return server.redeem(refresh)

    renewal = Renewal(store=store, redeem=slow, sealing_secrets=SECRETS, wait_seconds=0.05)
    with pytest.raises(RenewalUnavailable):
        renewal.current(old)
    gate.set()
    renewal = Renewal(store=store, redeem=slow, sealing_secrets=SECRETS, wait_seconds=10)
    assert renewal.current(old).generation == 1
    assert sum(server.redemptions.values()) == 1


def test_a_lease_lost_before_sending_sends_nothing() -> None:
    """A process that slept through its lease looks again and does not send."""
    world = World()
    old = world.server.sign_in()
    world.now += 301

    def stall_then(run: Any) -> None:
        if not world.slept:
            world.sleep(11)
            world.store.claim(old.key(), "another", seen=0, seconds=1, may_repeat=False)
        run()

    assert world.renewal(start=stall_then).current(old).generation == 1
    assert sum(world.server.redemptions.values()) == 1


def test_when_no_thread_can_be_started_nothing_is_kept() -> None:
    """The place is given back, and the error is told."""
    world = World()
    old = world.server.sign_in()
    world.now += 301

    def no_thread(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    renewal = world.renewal(start=no_thread)
    with pytest.raises(RuntimeError):
        renewal.current(old)
    assert renewal._places._value == 64
    world.now += 11
    assert world.renewal().current(old).generation == 1


def test_too_many_redemptions_at_once_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a free place the old token goes on while it lives; over, it waits for a place, bounded."""
    monkeypatch.setattr("wsgiproxy_hs.sessions.renewal.MAX_REDEMPTIONS", 0 + 1)
    world = World()
    old = world.server.sign_in()
    renewal = world.renewal(wait_seconds=1)
    renewal._places.acquire()
    world.now += 290
    assert renewal.current(old) is old
    world.now += 20
    with pytest.raises(RenewalUnavailable):
        renewal.current(old)
    renewal._places.release()
    assert renewal.current(old).generation == 1


def test_without_a_refresh_token_there_is_nothing_newer() -> None:
    """No store is asked for it."""
    pair = TokenPair("access")
    renewal = Renewal(store=None, redeem=None, sealing_secrets=SECRETS)  # type: ignore[arg-type]
    assert renewal.newest(pair) is pair


def test_a_heart_that_fails_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """What a sign of life raises is logged."""
    beaten = threading.Event()

    def beat() -> None:
        beaten.set()
        raise ZeroDivisionError

    with beating(beat, 0.001):
        assert beaten.wait(5)
