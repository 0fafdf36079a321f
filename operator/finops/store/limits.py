"""Token buckets in Redis, one per account, region and service, shared by all processes and pods.

One Lua script reads the server's clock, refills, takes, and answers how long to wait. A resent command takes a token
twice, which only makes us slower, so this needs no operation id. After a throttling answer a bucket refills at half
its speed (never below a quarter) and recovers with every later request.
"""

from __future__ import annotations

from typing import Any, Final

from finops.ports.limits import Bucket
from finops.store.connection import Store, store_errors

_TAKE: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local capacity, refill, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local row = redis.call('HMGET', KEYS[1], 'level', 'at', 'factor')
local level = tonumber(row[1]) or capacity
local at = tonumber(row[2]) or now
local factor = tonumber(row[3]) or 1
level = math.min(capacity, level + math.max(0, now - at) * refill * factor)
if ARGV[4] == 'throttled' then
  factor = math.max(0.25, factor / 2)
  level = math.min(level, 0)
else
  factor = math.min(1, factor + 0.02)
  level = level - tokens
end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', string.format('%.6f', now), 'factor', tostring(factor))
redis.call('EXPIRE', KEYS[1], 3600)
if level >= 0 then return '0' end
return tostring(-level / (refill * factor))
"""


class SharedRateLimits:
    """RateLimits over Redis."""

    def __init__(self, store: Store) -> None:
        self._keys = store.keys
        self._script = store.client.register_script(_TAKE)

    def take(self, bucket: Bucket, tokens: float = 1.0) -> float:
        return float(self._run(bucket, tokens, "take"))

    def throttled(self, bucket: Bucket) -> None:
        self._run(bucket, 0.0, "throttled")

    def _run(self, bucket: Bucket, tokens: float, mode: str) -> Any:
        key = self._keys.limit(bucket.account, bucket.region, bucket.service)
        with store_errors():
            return self._script(keys=[key], args=[bucket.capacity, bucket.refill, tokens, mode])
