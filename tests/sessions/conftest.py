"""A real Redis, and sessions that are kept in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import redis as client

from tests.harness import OTHER_SECRET as OTHER_SECRET
from tests.harness import SECRET as SECRET
from tests.renewal.redis_server import RedisServer
from tests.renewal.shared_redis import shared_redis as shared_redis
from wsgiproxy_hs.sessions import Sessions
from wsgiproxy_hs.sessions.stores.redis import RedisSessionStore

NOW = 1_800_000_000.0
READ = ("stored", "authjs", "next-auth", "signed")
ID_COOKIE = "__Secure-wsgiproxy_hs.session-id"
SEALED_COOKIE = "__Secure-authjs.session-token"
_numbers = itertools.count()


class Browser:
    """The cookies of one."""

    def __init__(self, cookies: Mapping[str, str] = {}) -> None:
        self.cookies = dict(cookies)

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def keep(self, lines: list[str]) -> None:
        for line in lines:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
            if "Max-Age=0" in line:
                del self.cookies[name]

    def copy(self) -> Browser:
        return Browser(self.cookies)


class Shelf:
    """Sessions in one Redis under a prefix of the test's own, and a clock that is set."""

    def __init__(self, server: RedisServer, closing: list[Callable[[], None]]) -> None:
        self.server = server
        self.prefix = f"shelf{next(_numbers)}:"
        self.now = NOW
        self._closing = closing
        self.redis = client.Redis.from_url(server.url, decode_responses=True)
        closing.append(self.redis.close)

    def clock(self) -> float:
        return self.now

    def store(self, **options: Any) -> RedisSessionStore:
        store = RedisSessionStore(self.server.url, prefix=self.prefix, **options)
        self._closing.append(store.close)
        return store

    def sessions(self, **options: Any) -> Sessions:
        """As one worker has them with ``SESSION_STORE=redis``."""
        given = {"secrets": [SECRET], "secure": True, "clock": self.clock, "max_age_seconds": 1000, "formats": READ}
        return Sessions(**{**given, "write_format": "stored", "store": self.store(), **options})

    def sealed(self, **options: Any) -> Sessions:
        """As a worker without a store."""
        return self.sessions(**{"formats": READ[1:], "write_format": "authjs", "store": None, **options})

    def keys(self) -> list[str]:
        return sorted(self.redis.scan_iter(f"{self.prefix}*"))

    def dump(self) -> str:
        """Everything that Redis holds of it."""
        return dump_of(self.redis, f"{self.prefix}*")


def dump_of(redis: client.Redis, pattern: str = "*") -> str:
    """Names and values of the keys; of a client that decodes them."""
    parts: list[Any] = []
    for key in redis.scan_iter(pattern):
        parts.append(key)
        match redis.type(key):
            case "hash":
                parts += [text for pair in redis.hgetall(key).items() for text in pair]
            case "zset":
                parts += redis.zrange(key, 0, -1)
            case "string":
                parts.append(redis.get(key))
            case other:
                raise AssertionError(f"a {other}")
    return "\n".join(parts)


def claims_of(sub: str = "7", **more: Any) -> dict[str, Any]:
    return {
        "name": "Ada Lovelace",
        "sub": sub,
        "accessToken": f"access-of-{sub}",
        "refreshToken": f"refresh-of-{sub}",
        **more,
    }


def renewed(claims: Mapping[str, Any], generation: int) -> dict[str, Any]:
    mark = {"generation": generation, "at": int(NOW)}
    return {**claims, "accessToken": f"access-{generation}", "renewal": mark}


@pytest.fixture(name="shelf")
def _shelf(redis: RedisServer) -> Iterator[Shelf]:
    closing: list[Callable[[], None]] = []
    yield Shelf(redis, closing)
    for close in closing:
        close()
