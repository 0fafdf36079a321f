"""How often acts may happen, and that only one at a time touches a resource; implements `finops.ports.act.ActCaps`.

Called by the operator's executor. One Lua script checks and takes in one go, keyed by the request's uid, so that a
command sent twice admits once. Hour and day count all acts of a policy; the share of the fleet counts those on its
kind of resource, because the fleet is counted by kind.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from finops.domain.execution import Stop, StopKind
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
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
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[6])
return {'admitted', ''}
"""

_HOLD: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

_HELD_SECONDS: Final = 3600
"""An act under way holds its resource anew at each of its readings, a minute apart at most; one that was forgotten by a
process that died frees it after this."""

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
                str(_HELD_SECONDS),
            )
        return _refusal(str(answer[0]), str(answer[1]), request)

    def hold(self, request: ActRequest) -> bool:
        """Keep the resource of an act under way; return whether it is this act's."""
        with store_errors():
            held: Any = self._client.eval(_HOLD, 1, self._names(request)[1], request.uid, str(_HELD_SECONDS))
        return bool(held)

    def release(self, request: ActRequest, *, counted: bool) -> None:
        """Free the resource; give the place back when nothing was changed."""
        with store_errors():
            self._client.eval(_RELEASE, 3, *self._names(request), request.uid, "1" if counted else "0")

    def give_back(self, uid: str, tenant: Tenant, *, arn: str, kind: str) -> None:
        """Free resource and place of a request that ended without any call, admitted or not."""
        with store_errors():
            self._client.eval(_RELEASE, 3, *self._names_of(tenant, arn, kind), uid, "0")

    def _names(self, request: ActRequest) -> tuple[str, str, str]:
        return self._names_of(request.tenant, request.plan.resource.arn, request.plan.resource.kind)

    def _names_of(self, tenant: Tenant, arn: str, kind: str) -> tuple[str, str, str]:
        policy = f"policy:{tenant.namespace}:{tenant.policy}"
        return self._keys.caps(policy), self._keys.caps(f"resource:{arn}"), self._keys.caps(f"{policy}:{kind}")


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
