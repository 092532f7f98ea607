"""A real Redis that goes while one host redeems and another one waits for it: two processes, one killed server.

Without Redis there is one redemption a host: an upstream that takes a refresh token twice notices nothing, a strict one
refuses the second, and that refusal ends nobody's session. What was counted is printed (``pytest -rP``).
"""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.renewal.redis_server import PROGRAM, RedisServer, redis_server
from tests.renewal.test_processes import FileServer, forked, renewal
from wsgiproxy_hs.exceptions import RenewalUnavailable
from wsgiproxy_hs.sessions import Refused, Renewal, TokenPair
from wsgiproxy_hs.sessions.stores import FileStore, LayeredStore, MemoryStore
from wsgiproxy_hs.sessions.stores.redis import RedisStore

OVER, LIVING = 3900, 3570
"""Seconds since a token of an hour was issued: it is over, or due and good for half a minute."""


class Upstream(FileServer):
    """:param is_strict: whether a refresh token is good for one redemption only."""

    def __init__(self, folder: pathlib.Path, is_strict: bool) -> None:
        super().__init__(folder)
        self.is_strict = is_strict

    def redeem(self, refresh: str) -> Any:
        found = super().redeem(refresh)
        if self.is_strict or not isinstance(found, Refused):
            return found
        self.tokens.live.add(refresh)
        return self.tokens.redeem(refresh)


class Signal:
    """Something that one process says to another, once."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def give(self) -> None:
        os.write(self._writer, b"x")

    def wait(self) -> None:
        assert os.read(self._reader, 1) == b"x"

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class Scene:
    """A host of its own process that is in the middle of a redemption, and the host of this process."""

    def __init__(self, folder: pathlib.Path, server: RedisServer, upstream: Upstream, pair: TokenPair) -> None:
        self.folder, self.server, self.upstream, self.pair = folder, server, upstream, pair
        self.committed, self.go, self.kept, self.is_back = (Signal() for _ in range(4))
        self.stores: list[Any] = []
        self.child = forked(self._other_host)
        self.committed.wait()

    def _store(self, name: str) -> LayeredStore:
        levels = FileStore(self.folder / name), RedisStore(self.server.url, timeout_seconds=0.5)
        self.stores += levels
        return LayeredStore(MemoryStore(), *levels, retry_seconds=0.0)

    def _other_host(self) -> bool:
        def redeem(refresh: str) -> Any:
            found = self.upstream.redeem(refresh)
            self.committed.give()
            self.go.wait()
            return found

        own = renewal(self._store("other"), redeem)
        new = own.current(self.pair)
        self.kept.give()
        self.is_back.wait()
        return new.generation == 1 and own.newest(self.pair) == new

    def host(self, **options: Any) -> Renewal:
        return renewal(self._store("own"), self.upstream.redeem, **options)

    def other_ends_well(self) -> bool:
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1]) == 0

    def close(self) -> None:
        for each in [*self.stores, self.committed, self.go, self.kept, self.is_back]:
            each.close()


Begin = Callable[[float, bool], Scene]


@pytest.fixture(name="begin")
def _begin(tmp_path: pathlib.Path) -> Iterator[Begin]:
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    scenes: list[Scene] = []
    with redis_server(str(tmp_path)) as server:

        def begin(age_seconds: float, is_strict: bool) -> Scene:
            upstream = Upstream(tmp_path, is_strict)
            scenes.append(Scene(tmp_path, server, upstream, upstream.tokens.sign_in(age_seconds)))
            return scenes[0]

        yield begin
        for scene in scenes:
            scene.close()


class Sleep:
    """Waits as a renewal does, and does one thing more at each of the first pauses."""

    def __init__(self, *things: Callable[[], None]) -> None:
        self._things = list(things)

    def __call__(self, seconds: float) -> None:
        if self._things:
            self._things.pop(0)()
        time.sleep(seconds)


def test_who_waits_goes_on_alone_at_once(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    """The token is over, the upstream tolerant: the waiting request succeeds within moments, with a warning; two hosts,
    two redemptions.
    """
    scene = begin(OVER, False)
    stopped: list[float] = []

    def stop() -> None:
        scene.server.stop()
        stopped.append(time.monotonic())

    new = scene.host(sleep=Sleep(stop)).current(scene.pair)
    seconds = time.monotonic() - stopped[0]
    assert new.generation == 1
    assert "coordinated without RedisStore" in caplog.text
    scene.go.give()
    scene.is_back.give()
    assert scene.other_ends_well()
    print(f"tolerant, over: {scene.upstream.calls} redemptions by 2 hosts; waited {seconds:.3f} s without Redis")
    assert scene.upstream.calls == 2
    assert seconds < 3


@pytest.mark.parametrize("is_strict", [False, True])
def test_while_the_old_token_lives_nobody_notices(begin: Begin, is_strict: bool) -> None:
    """Whatever the upstream says to the second redemption, every request goes on, with the old token or a new one."""
    scene = begin(LIVING, is_strict)
    host = scene.host()
    assert host.current(scene.pair) == scene.pair
    scene.server.stop()
    found = [host.current(scene.pair) for _ in range(20)]
    assert {pair.generation for pair in found} <= ({0} if is_strict else {0, 1})
    scene.go.give()
    scene.is_back.give()
    assert scene.other_ends_well()
    print(f"{'strict' if is_strict else 'tolerant'}, living: {scene.upstream.calls} redemptions by 2 hosts")
    assert scene.upstream.calls == 2


def test_a_strict_upstream_signs_nobody_out(begin: Begin) -> None:
    """The token is over and its refresh token spent by the other host: nothing that this host could do. It is refused
    once, says 503 with a short ``Retry-After``, and asks the upstream no more.
    """
    scene = begin(OVER, True)
    host = scene.host(sleep=Sleep(scene.server.stop), ticks=lambda: time.monotonic() * 10)
    for _ in range(2):
        with pytest.raises(RenewalUnavailable) as caught:
            host.current(scene.pair)
        assert 1 <= int(dict(caught.value.headers)["Retry-After"]) <= 5
    scene.go.give()
    scene.is_back.give()
    assert scene.other_ends_well()
    print(f"strict, over: {scene.upstream.calls} redemptions by 2 hosts, 1 refused")
    assert scene.upstream.calls == 2


def test_when_redis_is_back_the_other_hosts_pair_is_found(begin: Begin) -> None:
    """The same, but Redis starts again, empty: the other host tells it of the pair that it could not be told of, and the
    request that waits in doubt goes on with it.
    """
    scene = begin(OVER, True)

    def restart() -> None:
        scene.go.give()
        scene.kept.wait()
        scene.server.start()
        scene.is_back.give()
        assert scene.other_ends_well()

    def nothing() -> None:
        """The pause before the refusal may be one or two."""

    began = time.monotonic()
    new = scene.host(sleep=Sleep(scene.server.stop, nothing, nothing, restart)).current(scene.pair)
    print(f"strict, over, Redis back: {scene.upstream.calls} redemptions; {time.monotonic() - began:.3f} s in all")
    assert new.generation == 1
    assert scene.upstream.calls == 2
