"""The steps of :class:`.redis.RedisSessionStore`, in Lua. Times in milliseconds, but for ends in the index: seconds.

A row is a hash: ``sealed``, ``generation``, ``user``, and ``moved`` when its sealed form may still be in a browser; or
``revoked`` alone. A user's index holds the keys of the rows, by when they end.
"""

from __future__ import annotations

from typing import Final

# KEYS: the row, the user's index, the user's cut. A score is when the row ends, in seconds of Redis' clock.
SAVE: Final = """
local saving, digest, sealed, prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local user, generation, issued, keep = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local row = redis.call('HMGET', KEYS[1], 'generation', 'revoked', 'user')
if row[2] then return 0 end
if row[1] then
    if tonumber(row[1]) > generation then return 1 end
    if row[3] ~= user then redis.call('ZREM', prefix .. 'user:' .. row[3], digest) end
elseif saving == 'kept' then
    return 0
elseif saving == 'moved' then
    local cut = redis.call('GET', KEYS[3])
    if cut and issued <= tonumber(cut) then return 0 end
    redis.call('HSET', KEYS[1], 'moved', 1)
end
redis.call('HSET', KEYS[1], 'sealed', sealed, 'generation', generation, 'user', user)
redis.call('PEXPIRE', KEYS[1], keep)
if user ~= '' then
    local now = tonumber(redis.call('TIME')[1])
    redis.call('ZADD', KEYS[2], now + keep / 1000, digest)
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    redis.call('PEXPIRE', KEYS[2], math.max(keep, redis.call('PTTL', KEYS[2])))
end
return 1
"""

# One row: 0 when nothing is kept, 1 when it was, 2 when it was revoked before.
_STRIKE: Final = """
local function strike(prefix, digest, remember, long)
    local key = prefix .. 'row:' .. digest
    local row = redis.call('HMGET', key, 'user', 'moved', 'revoked')
    if row[3] then return 2 end
    if not row[1] and remember < long then return 0 end
    if row[1] and row[1] ~= '' then redis.call('ZREM', prefix .. 'user:' .. row[1], digest) end
    if row[2] then remember = math.max(remember, long) end
    redis.call('DEL', key)
    redis.call('HSET', key, 'revoked', 1)
    redis.call('PEXPIRE', key, remember)
    return row[1] and 1 or 0
end
"""

# ARGV: the prefix, how long at most, then each digest with how long to remember it.
REVOKE: Final = (
    _STRIKE
    + """
local found = {}
for number = 3, #ARGV, 2 do
    table.insert(found, strike(ARGV[1], ARGV[number], tonumber(ARGV[number + 1]), tonumber(ARGV[2])))
end
return found
"""
)

# KEYS: the user's index, the user's cut. ARGV: the prefix, how long at most, how long at least, now.
REVOKE_ALL: Final = (
    _STRIKE
    + """
local count = 0
for _, digest in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if strike(ARGV[1], digest, tonumber(ARGV[3]), tonumber(ARGV[2])) == 1 then count = count + 1 end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[2])
return count
"""
)
