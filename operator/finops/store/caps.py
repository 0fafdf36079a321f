"""How often acts may happen, and that only one at a time touches a resource; implements `finops.ports.act.ActCaps`.

Called by the operator's executor. One Lua script looks and takes in one go, keyed by the request's uid, so that a
command sent twice admits once. Hour and day count all acts of a policy; the share of the fleet counts those on its
kind of resource, because the fleet is counted by kind.
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
  local function since(key, seconds) return redis.call('ZCOUNT', key, '(' .. (now - seconds), '+inf') end
  for _, key in ipairs({KEYS[1], KEYS[3]}) do redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (now - 86400)) end
  if since(KEYS[1], 3600) >= tonumber(ARGV[3]) then return {'hour', ''} end
  if since(KEYS[1], 86400) >= tonumber(ARGV[4]) then return {'day', ''} end
  if since(KEYS[3], 86400) >= tonumber(ARGV[5]) then return {'fleet', ''} end
  for _, key in ipairs({KEYS[1], KEYS[3]}) do redis.call('ZADD', key, now, ARGV[1]) end
end
-- A week: no act takes that long, and a holder that was forgotten must not block a resource for ever.
redis.call('SET', KEYS[2], ARGV[1], 'EX', 604800)
return {'admitted', ''}
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if ARGV[2] == '0' then
  for _, key in ipairs({KEYS[1], KEYS[3]}) do redis.call('ZREM', key, ARGV[1]) end
end
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
                3,
                *self._names(request),
                request.uid,
                str(now.timestamp()),
                str(limits.per_hour),
                str(limits.per_day),
                str(fleet_share(limits)),
            )
        return _refusal(str(answer[0]), str(answer[1]), request)

    def release(self, request: ActRequest, *, counted: bool) -> None:
        """Free the resource; give the place back when nothing was changed."""
        with store_errors():
            self._client.eval(_RELEASE, 3, *self._names(request), request.uid, "1" if counted else "0")

    def _names(self, request: ActRequest) -> tuple[str, str, str]:
        policy, resource = f"policy:{request.tenant.namespace}:{request.tenant.policy}", request.plan.resource
        return (
            self._keys.caps(policy),
            self._keys.caps(f"resource:{resource.arn}"),
            self._keys.caps(f"{policy}:{resource.kind}"),
        )


def _refusal(word: str, holder: str, request: ActRequest) -> Stop | None:
    limits, kind = request.limits, request.plan.resource.kind
    messages = {
        "resource": ("ResourceBusy", f"another act (request {holder}) is under way on this resource"),
        "hour": ("PerHour", f"the policy allows {limits.per_hour} acts an hour"),
        "day": ("PerDay", f"the policy allows {limits.per_day} acts a day"),
        "fleet": (
            "PercentOfFleet",
            f"the policy allows acts on {limits.percent_of_fleet} % of its {limits.fleet} {kind} resources a day",
        ),
    }
    if word not in messages:
        return None
    code, message = messages[word]
    return Stop(StopKind.HOLD, code, f"Waiting: {message}.")
