"""Every store there is, each as three handles that share what they know."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.renewal.shared_redis import shared_redis as shared_redis
from wsgiproxy_hs.sessions.stores import FileStore, LayeredStore, MemoryStore, RenewalStore

_numbers = itertools.count()


@pytest.fixture(params=["memory", "file", "redis", "layered"], name="store_pair")
def _store_pair(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[tuple[RenewalStore, RenewalStore]]:
    """Two handles on one store, as two threads, processes or hosts would have them."""
    closing: list[Callable[[], None]] = []
    kind = request.param

    def file_store() -> FileStore:
        store = FileStore(tmp_path / "private", keep_seconds=1.5)
        closing.append(store.close)
        return store

    def shared_redis(prefix: str) -> RenewalStore:
        from wsgiproxy_hs.sessions.stores.redis import RedisStore

        store = RedisStore(request.getfixturevalue("redis").url, prefix=prefix, keep_seconds=1.5)
        closing.append(store.close)
        return store

    prefix = f"test{next(_numbers)}:"
    if kind == "memory":
        one = MemoryStore(keep_seconds=1.5)
        pair: tuple[RenewalStore, RenewalStore] = (one, one)
    elif kind == "file":
        pair = (file_store(), file_store())
    elif kind == "redis":
        pair = (shared_redis(prefix), shared_redis(prefix))
    else:
        pair = tuple(  # type: ignore[assignment]
            LayeredStore(MemoryStore(keep_seconds=1.5), file_store(), shared_redis(prefix)) for _ in range(2)
        )
    yield pair
    for close in closing:
        close()
