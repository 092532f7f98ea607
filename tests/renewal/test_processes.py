"""Processes that share nothing but a store, and what happens when one of them is killed."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.renewal.redis_server import RedisServer
from tests.renewal.token_server import TokenServer
from wsgiproxy_hs.exceptions import SessionError
from wsgiproxy_hs.sessions import Refused, Renewal, TokenPair
from wsgiproxy_hs.sessions.stores import FileStore, LayeredStore, MemoryStore, RenewalStore

SECRETS = ["a-test-key-that-nobody-uses-0123456789"]


class FileServer:
    """A token server for several processes: whoever makes the file of a refresh token first has redeemed it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.tokens = TokenServer(clock=time.time, access_seconds=3600)

    def redeem(self, refresh: str) -> Any:
        with open(self.folder / "calls", "a") as calls:
            calls.write("x")
        try:
            os.close(os.open(self.folder / f"spent{hash(refresh)}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return Refused()
        self.tokens.live.add(refresh)
        return self.tokens.redeem(refresh)

    @property
    def calls(self) -> int:
        path = self.folder / "calls"
        return path.stat().st_size if path.exists() else 0


def forked(run: Callable[[], bool]) -> int:
    """The pid of a child that ends with 0 when ``run`` says so."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if run() else 2
        finally:
            os._exit(code)
    return pid


def over(server: FileServer) -> TokenPair:
    return server.tokens.sign_in(3900)


def renewal(store: RenewalStore, redeem: Any, **options: Any) -> Renewal:
    return Renewal(
        store=store, redeem=redeem, sealing_secrets=SECRETS, **{"lease_seconds": 0.5, "wait_seconds": 20, **options}
    )


def test_four_forked_workers_redeem_once(tmp_path: pathlib.Path) -> None:
    """Through a file alone (F004)."""
    server = FileServer(tmp_path)
    store = LayeredStore(MemoryStore(), FileStore(tmp_path / "private"))
    pair = over(server)
    children = [forked(lambda: renewal(store, server.redeem).current(pair).generation == 1) for _ in range(4)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert server.calls == 1


def test_hosts_whose_clocks_differ_by_two_minutes_redeem_once(tmp_path: pathlib.Path, redis: RedisServer) -> None:
    """Leases run by Redis' clock: one host two minutes ahead, one behind, and nobody is signed out (F014)."""
    from wsgiproxy_hs.sessions.stores.redis import RedisStore

    server = FileServer(tmp_path)
    pair = over(server)

    def host(skew: float) -> Callable[[], bool]:
        def run() -> bool:
            levels = (FileStore(tmp_path / f"host{skew}"), RedisStore(redis.url, prefix=f"{tmp_path}:"))
            store = LayeredStore(MemoryStore(), *levels)
            return renewal(store, server.redeem, clock=lambda: time.time() + skew).current(pair).generation == 1

        return run

    children = [forked(host(skew)) for skew in (-120, 0, 120)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 3
    assert server.calls == 1


@pytest.mark.parametrize(("when", "calls"), [("before sending", 1), ("before the commit", 1), ("behind the commit", 2)])
def test_a_worker_killed_while_it_redeems(tmp_path: pathlib.Path, when: str, calls: int) -> None:
    """SIGKILL: others take over when the lease has run out, within their bound. Only what the upstream had committed
    and nobody recorded costs the session: the documented case.
    """
    server = FileServer(tmp_path)
    pair = over(server)
    file = FileStore(tmp_path / "private")

    def killed(refresh: str) -> Any:
        if when == "behind the commit":
            server.redeem(refresh)
        os.kill(os.getpid(), signal.SIGKILL)

    class Deadly(FileStore):
        def sending(self, *arguments: Any, **options: Any) -> bool:
            os.kill(os.getpid(), signal.SIGKILL)
            return True

    kind = Deadly if when == "before sending" else FileStore
    child = forked(lambda: bool(renewal(kind(tmp_path / "private"), killed).current(pair)))
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    began = time.monotonic()
    try:
        found: object = renewal(LayeredStore(MemoryStore(), file), server.redeem).current(pair).generation
    except SessionError as error:
        found = error.code
    assert found == (1 if calls == 1 else "unauthorized")
    assert time.monotonic() - began < 5
    assert server.calls == calls
    file.close()
