"""Realised savings, append-only: one entry per act that ended verified; implements `finops.ports.act.RealizedSavings`.

Called by the operator's executor, read by reports. Fields of an entry, all texts: `request` (uid), `name`,
`namespace`, `policy`, `account`, `region`, `resource` (ARN), `action`, `before`, `after` and `saving` (decimal strings,
a month, from the request's estimate), `currency`, `time` (ISO 8601, when the end was verified), `lastsDays` (days after
which AWS undoes the act by itself, so that `saving` is saved once; empty: it is saved every month). An act after which
the resource costs more has undone an earlier one: its saving is negative and ends that one's in every sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.ports.act import ActRequest
from finops.store.connection import Store, store_errors

# A second key remembers the uids, so that an append sent twice or repeated after a crash stays one.
_APPEND: Final = """
if redis.call('HSETNX', KEYS[2], ARGV[1], '') == 0 then return 0 end
local entry = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
redis.call('HSET', KEYS[2], ARGV[1], entry)
return 1
"""


_MONTH: Final = timedelta(days=30)


def saved_a_month(entries: Iterable[Mapping[str, Any]], now: datetime) -> Decimal:
    """Return what acts save in a month by now; what was saved once counts for a month from the end of its act.

    Never negative: a store that lost the entry of an act, and not that of its undo, still holds what the undo costs.

    Args:
        entries: in any order; that of an undo counts for as long as the one of its act.
        now: aware.
    """
    found, ended = Decimal("0.00"), dict[tuple[str, str], datetime]()
    for one in sorted(entries, key=lambda one: str(one.get("time"))):
        saving = Decimal(one.get("saving") or 0)
        if one.get("lastsDays"):
            act, time = (str(one.get("resource")), str(one.get("action"))), datetime.fromisoformat(one["time"])
            since = ended.setdefault(act, time) if saving < 0 else time
            ended[act] = since
            saving = saving if now - since < _MONTH else Decimal(0)
        found += saving
    return max(found, Decimal("0.00"))


class StoredSavings:
    """Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._stream = store.keys.realized

    def append(self, request: ActRequest, verified_at: datetime) -> None:
        """Append the entry of one act, once."""
        resource = request.plan.resource
        entry = {
            "request": request.uid,
            "name": request.name,
            "namespace": request.tenant.namespace,
            "policy": request.tenant.policy,
            "account": resource.account,
            "region": resource.region,
            "resource": resource.arn,
            "action": request.plan.action,
            "before": request.estimate.get("currentMonthlyCost", ""),
            "after": request.estimate.get("newMonthlyCost", ""),
            "saving": _saving(request.estimate),
            "currency": request.estimate.get("currency", ""),
            "time": verified_at.astimezone(UTC).isoformat(timespec="seconds"),
            "lastsDays": request.estimate.get("lastsDays", ""),
        }
        fields = [text for pair in entry.items() for text in pair]
        with store_errors():
            self._client.eval(_APPEND, 2, self._stream, f"{self._stream}:acts", request.uid, *fields)

    def read(self) -> Iterator[Mapping[str, str]]:
        """Yield the entries in order."""
        with store_errors():
            entries: Any = self._client.xrange(self._stream)
        for _, fields in entries:
            yield fields


def _saving(estimate: Mapping[str, str]) -> str:
    before, after = estimate.get("currentMonthlyCost", ""), estimate.get("newMonthlyCost", "")
    if before and after and Decimal(after) > Decimal(before):
        return f"{Decimal(before) - Decimal(after)}"
    return estimate.get("monthlySavings", "")
