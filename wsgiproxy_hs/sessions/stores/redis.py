"""Stores that several hosts share: Redis 5 or newer (the extra ``redis``), one server, not a cluster.

Each step is one Lua script, which Redis runs alone, by its own clock: hosts whose clocks differ agree all the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from .protocol import DEFAULT_KEEP_SECONDS, Entry, StoreUnavailable
from .redis_scripts import REVOKE, REVOKE_ALL, SAVE
from .session_store import Revoked, Saving, StoredRow

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 1.0
"""Longest wait for Redis, which answers within a millisecond or is away."""

# The rules are those of .protocol, in Lua. Times in milliseconds. Returns the entry and whether it changed.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local row = redis.call('HMGET', KEYS[1], 'version', 'owner', 'until', 'unsure', 'refused', 'successor')
local version, owner, ends = tonumber(row[1] or 0), row[2] or '', tonumber(row[3] or 0)
local unsure, refused, successor = tonumber(row[4] or 0), tonumber(row[5] or 0), row[6] or ''
local step, keep, who = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local span, number, flag, text = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local changed = 0
if step == 'claim' then
    if not (ends > now or refused == 1 or version > number or (unsure > 0 and flag == 0)) then
        version, owner, ends, changed = number, who, now + span, 1
    end
elseif step == 'extend' then
    if owner == who and ends > now then
        ends, unsure, changed = now + span, unsure + flag, 1
    end
elseif step == 'release' then
    if owner == who then
        owner, ends, unsure, changed = '', now + span, math.max(0, unsure - flag), 1
    end
elseif step == 'refuse' then
    if owner == who then
        owner, ends, refused, changed = '', now + span, 1, 1
    end
elseif step == 'finish' then
    if version < number then
        version, owner, ends, unsure, refused, successor, changed = number, '', 0, 0, 0, text, 1
    end
end
if changed == 1 then
    redis.call('HSET', KEYS[1], 'version', version, 'owner', owner, 'until', string.format('%.0f', ends),
               'unsure', unsure, 'refused', refused, 'successor', successor)
    redis.call('PEXPIRE', KEYS[1], keep)
end
local remaining = math.max(0, ends - now)
if remaining == 0 then owner = '' end
return {version, owner, remaining, unsure, refused, successor, changed}
"""


def connected(url: str, timeout_seconds: float) -> Redis:
    """A client that opens nothing before it is first asked, and asks once."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


class RedisStore:
    """All hosts that name the same Redis agree through it. Nothing is opened before it is first asked.

    :param url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py takes it.
    :param keep_seconds: how long an entry is kept after its last change.
    :param prefix: of the keys.
    :param timeout_seconds: for connecting, and for each answer.
    """

    def __init__(
        self,
        url: str,
        *,
        keep_seconds: float = DEFAULT_KEEP_SECONDS,
        prefix: str = "wsgiproxy_hs:renewal:",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._redis = connected(url, timeout_seconds)
        self._script = self._redis.register_script(_SCRIPT)
        self._keep = int(keep_seconds * 1000)
        self._prefix = prefix

    def look(self, key: str) -> Entry:
        return self._run(key, "look")[0]

    def claim(self, key: str, owner: str, *, seen: int, seconds: float, may_repeat: bool) -> Entry:
        return self._run(key, "claim", owner, seconds, number=seen, flag=may_repeat)[0]

    def extend(self, key: str, owner: str, *, seconds: float) -> bool:
        return self._run(key, "extend", owner, seconds)[1]

    def sending(self, key: str, owner: str, *, seconds: float) -> bool:
        return self._run(key, "extend", owner, seconds, flag=True)[1]

    def release(self, key: str, owner: str, *, pause_seconds: float, is_undone: bool) -> bool:
        return self._run(key, "release", owner, pause_seconds, flag=is_undone)[1]

    def refuse(self, key: str, owner: str, *, pause_seconds: float) -> bool:
        return self._run(key, "refuse", owner, pause_seconds)[1]

    def finish(self, key: str, *, version: int, successor: str) -> Entry:
        return self._run(key, "finish", number=version, text=successor)[0]

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _run(
        self,
        key: str,
        step: str,
        owner: str = "",
        seconds: float = 0.0,
        *,
        number: int = 0,
        flag: bool = False,
        text: str = "",
    ) -> tuple[Entry, bool]:
        """The entry afterwards, and whether it changed."""
        arguments: list[str | int | float] = [step, self._keep, owner, int(seconds * 1000), number, int(flag), text]
        try:
            found: Any = self._script(keys=[self._prefix + key], args=arguments)
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis: {error}") from error
        version, holder, remaining, unsure, refused, successor, changed = found
        entry = Entry(version, holder, remaining / 1000, unsure, bool(refused), successor or None)
        return entry, bool(changed)


class RedisSessionStore:
    """All hosts that name the same Redis share their sessions. Nothing is opened before it is first asked.

    :param url: as :class:`RedisStore` takes it. :param prefix: of the keys.
    :param timeout_seconds: for connecting, and for each answer; after one that did not come nobody waits for as long.
    :param clock: seconds that never go back.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "wsgiproxy_hs:session:",
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = connected(url, timeout_seconds)
        self._save, self._revoke, self._revoke_all = map(self._redis.register_script, (SAVE, REVOKE, REVOKE_ALL))
        self._prefix = prefix
        self._timeout = timeout_seconds
        self._clock = clock
        self._silent_until = 0.0
        self._is_away = False

    def look(self, key: str, *, user: str = "") -> StoredRow:
        def ask() -> Any:
            if not user:
                return [self._redis.hmget(f"{self._prefix}row:{key}", "sealed", "revoked"), None]
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hmget(f"{self._prefix}row:{key}", "sealed", "revoked")
            pipeline.get(f"{self._prefix}cut:{user}")
            return pipeline.execute()

        (sealed, revoked), cut = self._asked(ask)
        return StoredRow(sealed, revoked is not None, float(cut or 0))

    def save(
        self,
        key: str,
        sealed: str,
        *,
        saving: Saving,
        user: str,
        generation: int,
        issued: float,
        keep_seconds: float,
    ) -> bool:
        keys = [f"{self._prefix}{kind}" for kind in (f"row:{key}", f"user:{user}", f"cut:{user}")]
        keep = max(1000, int(keep_seconds * 1000))
        arguments: list[str | int | float] = [saving.value, key, sealed, self._prefix, user, generation, issued, keep]
        return bool(self._asked(lambda: self._save(keys=keys, args=arguments)))

    def revoke(self, keys: Sequence[str], *, remember_seconds: Sequence[float], long_seconds: float) -> list[Revoked]:
        arguments: list[str | int] = [self._prefix, int(long_seconds * 1000)]
        for key, seconds in zip(keys, remember_seconds, strict=True):
            arguments += [key, int(seconds * 1000)]
        return [Revoked(found) for found in self._asked(lambda: self._revoke(keys=[], args=arguments))]

    def revoke_all(self, user: str, *, now: float, long_seconds: float) -> int:
        keys = [f"{self._prefix}user:{user}", f"{self._prefix}cut:{user}"]
        arguments: list[str | int | float] = [self._prefix, int(long_seconds * 1000), 60_000, now]
        return int(self._asked(lambda: self._revoke_all(keys=keys, args=arguments)))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What Redis says. One that hangs is left alone for a moment, or all threads would soon wait for it."""
        if self._clock() < self._silent_until:
            raise StoreUnavailable("Redis: it did not answer a moment ago")
        try:
            found = ask()
        except (RedisError, OSError) as error:
            if isinstance(error, (RedisTimeout, TimeoutError)):
                self._silent_until = self._clock() + self._timeout
            if not self._is_away:
                self._is_away = True
                log.warning("Sessions cannot be read: Redis: %s", error)
            raise StoreUnavailable(f"Redis: {error}") from error
        if self._is_away:
            self._is_away = False
            log.warning("Sessions can be read again")
        return found
