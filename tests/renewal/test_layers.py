"""Levels that go away and come back: nothing fails for it, and nobody is signed out for it (F145)."""

from __future__ import annotations

import os
import pathlib
import resource
import signal
from typing import Any

import pytest

from tests.renewal.redis_server import PROGRAM, RedisServer, redis_server
from tests.renewal.test_renewal import World
from wsgiproxy_hs.exceptions import RenewalUnavailable, Unauthorized
from wsgiproxy_hs.sessions import TokenPair
from wsgiproxy_hs.sessions.stores import Entry, FileStore, LayeredStore, MemoryStore, StoreUnavailable
from wsgiproxy_hs.sessions.stores.layers import MAX_UNTOLD, merge


class Breakable(MemoryStore):
    """A store that can be away."""

    is_away = False
    asked = 0

    def __getattribute__(self, name: str) -> Any:
        if name in ("look", "claim", "extend", "sending", "release", "refuse", "finish"):
            type(self).asked += 1
            if object.__getattribute__(self, "is_away"):
                raise StoreUnavailable("it is away")
        return super().__getattribute__(name)


class Hosts(World):
    """Two hosts, each with a store of its own, and one that they share."""

    def __init__(self, **server: Any) -> None:
        super().__init__(**server)
        self.shared = Breakable(clock=self.clock)
        self.local = [MemoryStore(clock=self.clock) for _ in range(2)]
        stores = [LayeredStore(local, self.shared, clock=self.clock) for local in self.local]
        self.one, self.two = (self.renewal(store=store) for store in stores)


def test_what_asks_for_more_care_counts() -> None:
    """The newest version, and of it a lease rather than none, a doubt rather than none, the outermost pair."""
    assert merge([]) == Entry()
    assert merge([Entry(version=1, successor="new"), Entry(owner="a", remaining_seconds=9, is_refused=True)]) == Entry(
        version=1, successor="new"
    )
    merged = merge([Entry(owner="a", remaining_seconds=2), Entry(remaining_seconds=9, unsure=1)])
    assert (merged.owner, merged.remaining_seconds, merged.unsure) == ("a", 2, 1)
    assert merge([Entry(version=1, successor="inner"), Entry(version=1, successor="outer")]).successor == "outer"


def test_two_hosts_redeem_once() -> None:
    """Sharing a store they share the pair."""
    hosts = Hosts()
    old = hosts.server.sign_in()
    hosts.now += 301
    assert hosts.one.current(old) == hosts.two.current(old)
    assert sum(hosts.server.redemptions.values()) == 1


def test_a_lease_is_had_on_all_levels_or_on_none() -> None:
    """Who loses on the outer level gives the inner one back."""
    hosts = Hosts()
    hosts.shared.claim("key", "b", seen=0, seconds=9, may_repeat=False)
    layered = LayeredStore(hosts.local[0], hosts.shared, clock=hosts.clock)
    assert layered.claim("key", "a", seen=0, seconds=9, may_repeat=False).owner == "b"
    assert hosts.local[0].look("key").owner == ""


def test_who_lost_the_outer_lease_does_not_send() -> None:
    """A lease that ran out on one level is given back on all."""
    hosts = Hosts()
    layered = LayeredStore(hosts.local[0], hosts.shared, clock=hosts.clock)
    layered.claim("key", "a", seen=0, seconds=9, may_repeat=False)
    hosts.shared.release("key", "a", pause_seconds=0, is_undone=False)
    assert not layered.sending("key", "a", seconds=9)
    assert layered.look("key") == Entry()


def test_away_from_the_start_there_is_one_redemption_a_host(caplog: pytest.LogCaptureFixture) -> None:
    """Each host goes on alone, with one warning; the second host's refusal ends no session, only this answer."""
    hosts = Hosts()
    old = hosts.server.sign_in()
    hosts.shared.is_away = True
    hosts.now += 301
    assert hosts.one.current(old).generation == 1
    assert hosts.one.current(old).generation == 1
    for _ in range(2):
        with pytest.raises(RenewalUnavailable):
            hosts.two.current(old)
    assert hosts.server.redemptions[old.refresh or ""] == 2
    assert caplog.text.count("coordinated without Breakable") == 2


def test_a_token_that_is_really_over_is_told_after_the_doubt() -> None:
    """With a level away the first refusal is 503; half a minute later whoever still holds that pair signs in anew."""
    hosts = Hosts()
    old = hosts.server.sign_in()
    hosts.server.live.clear()
    hosts.shared.is_away = True
    hosts.now += 301
    with pytest.raises(RenewalUnavailable):
        hosts.one.current(old)
    hosts.now += 31
    with pytest.raises(Unauthorized):
        hosts.one.current(old)
    assert hosts.server.redemptions[old.refresh or ""] == 1


def test_gone_in_the_middle_those_who_share_an_inner_level_know() -> None:
    """Between the lease and the pair the outer level goes: the pair is kept on the inner one, and told when it is back."""
    hosts = Hosts()
    old = hosts.server.sign_in()
    hosts.now += 301

    def redeem(refresh: str) -> Any:
        hosts.shared.is_away = True
        return hosts.server.redeem(refresh)

    store = LayeredStore(hosts.local[0], hosts.shared, clock=hosts.clock)
    new = hosts.renewal(store=store, redeem=redeem).current(old)
    assert new.generation == 1
    assert hosts.one.current(old) == new
    hosts.shared.is_away = False
    hosts.now += 3
    assert hosts.one.current(old) == new
    assert hosts.two.current(old) == new
    assert sum(hosts.server.redemptions.values()) == 1


def test_a_level_that_is_back_is_told_what_it_missed() -> None:
    """By whatever the host asks it next, of whatever token: then the other hosts know the pair, too."""
    hosts = Hosts()
    old, other = hosts.server.sign_in(), hosts.server.sign_in()
    hosts.now += 301
    hosts.shared.is_away = True
    new = hosts.one.current(old)
    hosts.shared.is_away = False
    hosts.now += 3
    assert hosts.two.newest(old) == old
    assert hosts.one.newest(other) == other
    assert hosts.two.newest(old) == new


def test_a_level_that_goes_again_while_it_is_told_is_told_later() -> None:
    """What it did not take is not forgotten; what is remembered for it has a bound."""
    shared = Breakable()
    layered = LayeredStore(MemoryStore(), shared, retry_seconds=0.0)
    shared.is_away = True
    for number in range(MAX_UNTOLD + 5):
        layered.finish(f"key{number}", version=1, successor="sealed")
    shared.is_away = False
    told = shared.finish
    taken: list[str] = []

    def finish(key: str, **options: Any) -> Entry:
        if len(taken) == 3:
            raise StoreUnavailable("it went again")
        taken.append(key)
        return told(key, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "finish", finish, raising=False)
        layered.look("another")
    assert taken == ["key0", "key1", "key2"]
    layered.look("another")
    known = [number for number in range(MAX_UNTOLD + 5) if shared.look(f"key{number}").version]
    assert known == list(range(MAX_UNTOLD))


def test_in_doubt_a_request_waits_a_moment_for_the_other_hosts_pair() -> None:
    """Refused while a level is away, it looks again for five seconds: a pair that comes is used, with none it is 503
    with a short ``Retry-After``, and the upstream is asked no second time.
    """
    hosts = Hosts()
    old = hosts.server.sign_in()
    hosts.now += 301
    hosts.shared.is_away = True
    new = hosts.one.current(old)
    began = hosts.now
    with pytest.raises(RenewalUnavailable) as caught:
        hosts.two.current(old)
    assert 5 <= hosts.now - began < 6
    assert dict(caught.value.headers)["Retry-After"] == "5"

    def sleep(seconds: float) -> None:
        hosts.now += seconds
        hosts.shared.is_away = False
        hosts.one.newest(old)

    two = hosts.renewal(store=LayeredStore(hosts.local[1], hosts.shared, clock=hosts.clock), sleep=sleep)
    assert two.current(old) == new
    assert hosts.server.redemptions[old.refresh or ""] == 2


def test_a_level_that_is_away_is_not_asked_every_time(caplog: pytest.LogCaptureFixture) -> None:
    """It costs its timeout once in two seconds and no more; when it is back, that is said."""
    hosts = Hosts()
    layered = LayeredStore(hosts.local[0], hosts.shared, clock=hosts.clock)
    hosts.shared.is_away = True
    Breakable.asked = 0
    for _ in range(50):
        layered.look("key")
    assert Breakable.asked == 1
    hosts.now += 3
    hosts.shared.is_away = False
    assert layered.look("key").is_degraded
    assert "again" in caplog.text
    hosts.now += 30
    assert not layered.look("key").is_degraded


@pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")
def test_redis_stopped_in_the_middle_and_started_again(tmp_path: pathlib.Path) -> None:
    """A real Redis: stopped while the call runs, nobody is signed out and nothing is redeemed twice on a host."""
    from wsgiproxy_hs.sessions.stores.redis import RedisStore

    world = World()
    old = world.server.sign_in()
    world.now += 301
    with redis_server(str(tmp_path)) as server:
        outer = [RedisStore(server.url), RedisStore(server.url)]
        files = [FileStore(tmp_path / f"host{number}") for number in range(2)]
        one, two = (LayeredStore(*levels, retry_seconds=0.0) for levels in zip(files, outer, strict=True))

        def redeem(refresh: str) -> Any:
            server.stop()
            return world.server.redeem(refresh)

        new = world.renewal(store=one, redeem=redeem).current(old)
        assert new.generation == 1
        assert world.renewal(store=one).current(old) == new
        with pytest.raises(RenewalUnavailable):
            world.renewal(store=two).current(old)
        server.start()
        assert world.renewal(store=one).current(old) == new
        third = world.renewal(store=one)
        world.now += 301
        newer = third.current(new)
        assert world.renewal(store=two).newest(new) == newer
        for store in [*outer, *files]:
            store.close()


def test_a_disk_that_fills_up_stops_nothing(tmp_path: pathlib.Path) -> None:
    """Made with room to spare, the file goes on when it may not grow by a byte: two processes, one redemption."""
    assert _in_child(_renew_with_a_full_disk, tmp_path, True) == 0


def test_without_any_room_the_file_is_left_out(tmp_path: pathlib.Path) -> None:
    """A disk that was full before we began: memory alone, and nobody is signed out."""
    assert _in_child(_renew_with_a_full_disk, tmp_path, False) == 0


def _in_child(run: Any, *arguments: Any) -> int:
    """The exit code of a function in a process of its own, whose limits may be spoilt."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            run(*arguments)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _renew_with_a_full_disk(folder: pathlib.Path, is_prepared: bool) -> None:
    world = World()
    files = [FileStore(folder / "private") for _ in range(2)]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if is_prepared:
        for file in files:
            file.look("key")
        largest = max(path.stat().st_size for path in (folder / "private").iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    one, two = (world.renewal(store=LayeredStore(MemoryStore(clock=world.clock), file)) for file in files)
    pair = world.server.sign_in()
    for _ in range(200 if is_prepared else 1):
        world.now += 301
        new = one.current(pair)
        assert new.generation == pair.generation + 1
        if is_prepared:
            assert two.current(pair) == new
        else:
            _assert_stays(two, pair)
        pair = new
    assert max(world.server.redemptions.values()) == (1 if is_prepared else 2)


def _assert_stays(renewal: Any, pair: TokenPair) -> None:
    try:
        renewal.current(pair)
    except RenewalUnavailable:
        return
    raise AssertionError("a pair from nowhere")


def test_a_real_full_file_system(tmp_path: pathlib.Path) -> None:
    """A tiny tmpfs, filled to the last byte behind the store's back: renewals go on."""
    mount = tmp_path / "tiny"
    mount.mkdir()
    if os.getuid() != 0 or os.system(f"mount -t tmpfs -o size=8m tmpfs {mount} 2>/dev/null") != 0:
        pytest.skip("mounting a tmpfs takes root")
    try:
        world = World()
        files = [FileStore(mount / "private") for _ in range(2)]
        for file in files:
            file.look("key")
        assert os.system(f"dd if=/dev/zero of={mount}/ballast bs=4096 2>/dev/null") != 0
        one, two = (world.renewal(store=LayeredStore(MemoryStore(clock=world.clock), file)) for file in files)
        pair = world.server.sign_in()
        for _ in range(50):
            world.now += 301
            new = one.current(pair)
            assert two.current(pair) == new
            pair = new
        assert max(world.server.redemptions.values()) == 1
        for file in files:
            file.close()
    finally:
        os.system(f"umount {mount}")


def test_the_redis_fixture_is_real(redis: RedisServer) -> None:
    """It answers."""
    import redis as client

    connection = client.Redis.from_url(redis.url)
    assert connection.ping()
    connection.close()
