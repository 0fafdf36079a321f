"""How often each Slack method may still be called: one budget for all replicas of the bot.

Slack counts calls per method and app, not per process. Under `slack:`: `pace` (next instant per method; the outbox
keeps those of channels there).
"""

from __future__ import annotations

from typing import Any, Final

from finops.store.connection import Store, store_errors

# Generic cell rate algorithm: one number per method, the theoretical arrival time of the next call.
_RESERVE: Final = """
local now, interval, burst = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local arrival = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') or 0
local blocked = tonumber(redis.call('HGET', KEYS[1], ARGV[1] .. ':blocked') or '0') or 0
if blocked > now then return blocked - now end
if arrival < now then arrival = now end
local wait = arrival - now - interval * (burst - 1)
if wait > 0 then return wait end
redis.call('HSET', KEYS[1], ARGV[1], arrival + interval)
return 0
"""


class SlackPace:
    """Budgets of Slack's methods. Every method raises StoreUnavailable; instants are milliseconds since 1970."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = store.keys
        self._reserve = self._client.register_script(_RESERVE)

    def reserve(self, method: str, now_ms: int, *, interval_ms: int, burst: int) -> int:
        """Take one call of a Slack method out of its budget. Returns 0, or the milliseconds to wait (nothing taken)."""
        with store_errors():
            wait: Any = self._reserve(
                keys=[self._keys.slack("pace")], args=[f"method.{method}", now_ms, interval_ms, burst]
            )
        return int(wait)

    def block(self, method: str, until_ms: int) -> None:
        """Nobody calls `method` before `until_ms`: Slack's Retry-After."""
        with store_errors():
            self._client.hset(self._keys.slack("pace"), f"method.{method}:blocked", str(until_ms))
