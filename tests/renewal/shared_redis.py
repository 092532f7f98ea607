"""One real Redis for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.renewal.redis_server import PROGRAM, RedisServer, redis_server


@pytest.fixture(scope="session", name="redis")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis; the tests are skipped only where there is no ``redis-server``."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with redis_server(str(tmp_path_factory.mktemp("redis"))) as server:
        yield server
