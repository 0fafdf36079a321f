"""How often acts may happen, and that only one at a time touches a resource; implements `finops.ports.act.ActCaps`.

Called by the operator's executor. One Lua script looks and takes in one go, keyed by the request's uid, so that a
command sent twice admits once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from finops.domain.execution import Stop, StopKind
from finops.ports.act import ActRequest, Limits
from finops.store.connection import Store, store_errors

_ADMIT: Final = """
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return {'resource', holder} end
local now = tonumber(ARGV[2])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - 86400))
  local day = redis.call('ZCOUNT', KEYS[1], '(' .. (now - 86400), '+inf')
  if redis.call('ZCOUNT', KEYS[1], '(' .. (now - 3600), '+inf') >= tonumber(ARGV[3]) then return {'hour', ''} end
  if day >= tonumber(ARGV[4]) then return {'day', ''} end
  if day >= tonumber(ARGV[5]) then return {'fleet', ''} end
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end
-- A week: no act takes that long, and a holder that was forgotten must not block a resource for ever.
redis.call('SET', KEYS[2], ARGV[1], 'EX', 604800)
return {'admitted', ''}
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if ARGV[2] == '0' then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
"""


def fleet_share(limits: Limits) -> int:
    """Return how many acts a day the share of the fleet allows; never less than one, or small fleets could not act."""
    return max(1, limits.fleet * limits.percent_of_fleet // 100)


class StoredCaps:
    """Counters per policy and a holder per resource. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = store.keys

    def admit(self, request: ActRequest, now: datetime) -> Stop | None:
        """Take a place, or say which cap forbids it."""
        limits = request.limits
        with store_errors():
            answer: Any = self._client.eval(
                _ADMIT,
                2,
                *self._names(request),
                request.uid,
                str(now.timestamp()),
                str(limits.per_hour),
                str(limits.per_day),
                str(fleet_share(limits)),
            )
        return _refusal(str(answer[0]), str(answer[1]), limits)

    def release(self, request: ActRequest, *, counted: bool) -> None:
        """Free the resource; give the place back when nothing was changed."""
        with store_errors():
            self._client.eval(_RELEASE, 2, *self._names(request), request.uid, "1" if counted else "0")

    def _names(self, request: ActRequest) -> tuple[str, str]:
        tenant = request.tenant
        return (
            self._keys.caps(f"policy:{tenant.namespace}:{tenant.policy}"),
            self._keys.caps(f"resource:{request.plan.resource.arn}"),
        )


def _refusal(word: str, holder: str, limits: Limits) -> Stop | None:
    messages = {
        "resource": ("ResourceBusy", f"another act (request {holder}) is under way on this resource"),
        "hour": ("PerHour", f"the policy allows {limits.per_hour} acts an hour"),
        "day": ("PerDay", f"the policy allows {limits.per_day} acts a day"),
        "fleet": (
            "PercentOfFleet",
            f"the policy allows acts on {limits.percent_of_fleet} % of its {limits.fleet} resources a day",
        ),
    }
    if word not in messages:
        return None
    code, message = messages[word]
    return Stop(StopKind.HOLD, code, f"Waiting: {message}.")
