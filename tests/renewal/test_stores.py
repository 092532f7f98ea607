"""One behaviour for all stores: in memory, in a file, in a real Redis, and all three in layers."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import stat
import threading
import time

import pytest

from wsgiproxy_hs.sessions.stores import Entry, FileStore, MemoryStore, RenewalStore, StoreUnavailable, file
from wsgiproxy_hs.sessions.stores.file import DATABASE_NAME, runtime_directory

Pair = tuple[RenewalStore, RenewalStore]
CLAIM = {"seen": 0, "seconds": 5.0, "may_repeat": False}


def test_what_nobody_touched_is_an_empty_entry(store_pair: Pair) -> None:
    """An unknown token has no owner, no successor, no version."""
    assert store_pair[0].look("key") == Entry()


def test_one_of_two_gets_the_lease(store_pair: Pair) -> None:
    """The second to claim sees who was first, and for how long (F001, F004)."""
    one, two = store_pair
    assert one.claim("key", "a", **CLAIM).owner == "a"
    refused = two.claim("key", "b", **CLAIM)
    assert refused.owner == "a"
    assert 4 < refused.remaining_seconds <= 5
    assert two.look("key").owner == "a"
    assert two.claim("other", "b", **CLAIM).owner == "b"


def test_a_lease_that_ran_out_is_free(store_pair: Pair) -> None:
    """Whoever died keeps the lease until it runs out and no longer (F006, F144)."""
    one, two = store_pair
    one.claim("key", "a", seen=0, seconds=0.05, may_repeat=False)
    time.sleep(0.06)
    assert two.look("key") == Entry()
    assert not one.extend("key", "a", seconds=5)
    assert not one.sending("key", "a", seconds=5)
    assert two.claim("key", "b", **CLAIM).owner == "b"


def test_a_lease_lives_as_long_as_its_owner_says_so(store_pair: Pair) -> None:
    """Extended in time it never runs out, whatever the call takes; nobody else can extend it (F005)."""
    one, two = store_pair
    one.claim("key", "a", seen=0, seconds=0.8, may_repeat=False)
    for _ in range(3):
        time.sleep(0.3)
        assert one.extend("key", "a", seconds=0.8)
        assert not two.extend("key", "b", seconds=9)
        assert two.claim("key", "b", **CLAIM).owner == "a"


def test_an_outcome_nobody_recorded_is_only_for_those_who_may_repeat(store_pair: Pair) -> None:
    """After the owner died behind its request, only who has no other way is let in."""
    one, two = store_pair
    one.claim("key", "a", seen=0, seconds=0.2, may_repeat=False)
    assert one.sending("key", "a", seconds=0.05)
    time.sleep(0.06)
    assert two.look("key") == Entry(unsure=1)
    assert two.claim("key", "b", **CLAIM).owner == ""
    assert two.claim("key", "b", seen=0, seconds=5, may_repeat=True).owner == "b"
    assert two.sending("key", "b", seconds=5)
    assert one.look("key").unsure == 2


@pytest.mark.parametrize(("is_undone", "unsure"), [(True, 0), (False, 1)])
def test_a_release_pauses_everybody(store_pair: Pair, is_undone: bool, unsure: int) -> None:
    """After a failure nobody asks before the pause is over; what surely was not redeemed is not unsure (F009)."""
    one, two = store_pair
    one.claim("key", "a", **CLAIM)
    one.sending("key", "a", seconds=5)
    assert not two.release("key", "b", pause_seconds=9, is_undone=True)
    assert one.release("key", "a", pause_seconds=0.2, is_undone=is_undone)
    paused = two.look("key")
    assert (paused.owner, paused.unsure) == ("", unsure)
    assert 0 < paused.remaining_seconds <= 0.2
    assert two.claim("key", "b", seen=0, seconds=5, may_repeat=True).owner == ""
    time.sleep(0.21)
    assert two.claim("key", "b", seen=0, seconds=5, may_repeat=True).owner == "b"


def test_a_refused_token_stays_refused(store_pair: Pair) -> None:
    """Nobody redeems it again (F003)."""
    one, two = store_pair
    one.claim("key", "a", **CLAIM)
    assert not two.refuse("key", "b", pause_seconds=0)
    assert one.refuse("key", "a", pause_seconds=0)
    assert two.look("key") == Entry(is_refused=True)
    assert two.claim("key", "b", seen=9, seconds=5, may_repeat=True).owner == ""


def test_the_successor_is_there_for_everybody(store_pair: Pair) -> None:
    """A finished redemption frees the lease and shows what came of it (F002)."""
    one, two = store_pair
    one.claim("key", "a", **CLAIM)
    one.sending("key", "a", seconds=5)
    assert one.finish("key", version=1, successor="sealed").successor == "sealed"
    assert two.look("key") == Entry(version=1, successor="sealed")


def test_who_has_not_seen_the_newest_gets_no_lease(store_pair: Pair) -> None:
    """Compare and swap: a claim that knows an older version is refused and shown the newer one."""
    one, two = store_pair
    one.finish("key", version=1, successor="sealed")
    late = two.claim("key", "b", **CLAIM)
    assert (late.owner, late.version, late.successor) == ("", 1, "sealed")
    again = two.claim("key", "b", seen=1, seconds=5, may_repeat=False)
    assert (again.owner, again.version) == ("b", 1)
    assert one.look("key").successor == "sealed"


def test_a_pair_in_the_hand_counts_whoever_holds_the_lease(store_pair: Pair) -> None:
    """An owner that was stalled beyond its lease still delivers; its successor in office can no longer refuse."""
    one, two = store_pair
    one.claim("key", "a", seen=0, seconds=0.05, may_repeat=False)
    one.sending("key", "a", seconds=0.05)
    time.sleep(0.06)
    two.claim("key", "b", seen=0, seconds=5, may_repeat=True)
    one.finish("key", version=1, successor="sealed")
    assert not two.refuse("key", "b", pause_seconds=0)
    assert two.look("key") == Entry(version=1, successor="sealed")


def test_the_first_pair_of_a_version_stays(store_pair: Pair) -> None:
    """Two pairs of one version: the first counts, and the second is told so."""
    one, two = store_pair
    one.finish("key", version=1, successor="first")
    assert two.finish("key", version=1, successor="second").successor == "first"
    assert two.finish("key", version=2, successor="third").successor == "third"


def test_entries_are_forgotten_after_the_grace(store_pair: Pair) -> None:
    """What was last changed long ago is gone."""
    one, two = store_pair
    one.finish("key", version=1, successor="sealed")
    time.sleep(1.6)
    assert two.look("key") == Entry()


def test_of_many_threads_one_gets_the_lease(store_pair: Pair) -> None:
    """Sixteen at once, and one owner."""
    barrier, seen = threading.Barrier(16), []

    def claim(number: int) -> None:
        barrier.wait()
        seen.append(store_pair[number % 2].claim("key", str(number), **CLAIM).owner == str(number))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False] * 15 + [True]


def test_of_four_forked_processes_one_gets_the_lease(tmp_path: pathlib.Path) -> None:
    """A store that was used before the fork serves the children too, and one of them owns the lease (F004)."""
    store = FileStore(tmp_path / "private")
    store.look("key")
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            won = False
            try:
                won = store.claim("key", str(number), **CLAIM).owner == str(number)
            finally:
                os._exit(7 if won else 0)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    assert sorted(codes) == [0, 0, 0, 7]
    assert store.look("key").owner == str(codes.index(7))
    store.close()


def test_the_directory_is_ours_alone(tmp_path: pathlib.Path) -> None:
    """It is made with mode 0700, and nothing is opened before it is needed."""
    store = FileStore(tmp_path / "a" / "private")
    assert not (tmp_path / "a").exists()
    store.look("key")
    assert stat.S_IMODE((tmp_path / "a" / "private").stat().st_mode) == 0o700
    store.close()


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_directory_that_is_not_ours_alone_is_not_used(tmp_path: pathlib.Path, kind: str) -> None:
    """Others could read along or put in their own: the store says that it cannot be used."""
    place = tmp_path / "private"
    if kind == "open to others":
        place.mkdir(mode=0o755)
        place.chmod(0o755)
    elif kind == "a link":
        (tmp_path / "real").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "real")
    else:
        place.write_text("")
    with pytest.raises(StoreUnavailable):
        FileStore(place).look("key")


def test_a_broken_database_is_unavailable_and_not_a_crash(tmp_path: pathlib.Path) -> None:
    """Whatever SQLite says, it is one exception."""
    place = tmp_path / "private"
    place.mkdir(mode=0o700)
    (place / DATABASE_NAME).write_bytes(b"this is no database" * 1000)
    store = FileStore(place)
    with pytest.raises(StoreUnavailable):
        store.look("key")
    with pytest.raises(StoreUnavailable):
        store.claim("key", "a", **CLAIM)


def test_processes_that_make_the_database_together(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses some of them at once, whatever the timeout: they try again, and only for so long."""
    connected, refusals = file._connected, [sqlite3.OperationalError("database is locked")] * 3

    def refusing(path: str) -> sqlite3.Connection:
        if refusals:
            raise refusals.pop()
        return connected(path)

    monkeypatch.setattr(file, "_connected", refusing)
    store = FileStore(tmp_path / "private")
    assert store.look("key") == Entry()
    store.close()
    refusals += [sqlite3.OperationalError("unable to open database file")]
    with pytest.raises(StoreUnavailable, match="unable to open"):
        store.look("key")
    monkeypatch.setattr(file, "BUSY_SECONDS", 0.0)
    refusals += [sqlite3.OperationalError("database is locked")] * 99
    with pytest.raises(StoreUnavailable, match="locked"):
        store.look("key")


def test_a_store_comes_back_after_a_failure(tmp_path: pathlib.Path) -> None:
    """A failure ends the connection, not the store."""
    store = FileStore(tmp_path / "private")
    store.look("key")
    store._connection.execute("DROP TABLE renewals")  # type: ignore[union-attr]
    with pytest.raises(StoreUnavailable):
        store.look("key")
    assert store.look("key") == Entry()
    store.close()


def test_the_log_keeps_its_room(tmp_path: pathlib.Path) -> None:
    """Free pages and a log of some size are there from the start, for the day when the disk is full."""
    store = FileStore(tmp_path / "private")
    store.look("key")
    place = tmp_path / "private"
    assert (place / (DATABASE_NAME + "-wal")).stat().st_size > 1_000_000
    store.close()
    database = sqlite3.connect(place / DATABASE_NAME)
    assert database.execute("PRAGMA freelist_count").fetchone()[0] > 200
    database.close()


def test_the_runtime_directory_is_the_users() -> None:
    """A name of this user's among the temporary files."""
    assert runtime_directory().endswith(f"/wsgiproxy_hs-{os.getuid()}")


def test_memory_does_not_grow_for_ever() -> None:
    """Entries that are over are swept away."""
    now = 0.0
    store = MemoryStore(keep_seconds=10, clock=lambda: now)
    for number in range(2000):
        now += 1
        store.finish(str(number), version=1, successor="sealed")
    assert len(store._rows) < 300


def test_redis_that_is_away_is_unavailable() -> None:
    """A refused connection is one exception, at once."""
    pytest.importorskip("redis")
    from tests.renewal.redis_server import free_port
    from wsgiproxy_hs.sessions.stores.redis import RedisStore

    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.look("key")
    assert time.monotonic() - began < 2
    store.close()
