"""Realised savings, append-only: one entry per act that ended verified; implements `finops.ports.act.RealizedSavings`.

Called by the operator's executor, read by reports. Fields of an entry, all texts: `request` (uid), `name`,
`namespace`, `policy`, `account`, `region`, `kind`, `id`, `resource` (ARN), `action`, `before`, `after` and `saving`
(decimal strings, a month, from the request's estimate), `currency`, `time` (ISO 8601, when the end was verified),
`hoursPerMonth` (with which the amounts were counted), `undoes` (uid of the act that it undid, or empty), `lastsDays`
(days after which AWS undoes the act by itself, so that `saving` is saved once; empty: it is saved every month), `parts`
(dimensions of the cost that the act changes, with commas; empty: all of it is judged), `part` (what they cost a month
as the last scan before the act priced them; empty without `parts`), `moving` (what of the judged cost moves by itself,
before the act or after it, whichever is more; empty: not known, all of it may), `setting` (attribute of the resource
that the act set, or empty), `set` (its value) and `was` (its value right before the act; empty: not known). `was` is
absent from entries of older releases; the five before it from older ones, where nothing is known to move and no setting
is; `kind`, `id`, `hoursPerMonth` and `undoes` from still older ones, where an act after which the resource costs more
has undone the one before it. What scans saw of an act since stands beside the entries: see `finops.domain.lasting`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.lasting import AT_ONCE, Lasting, Promise, Shows, begun
from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.resource import Shard
from finops.ports.act import ActRequest
from finops.store.connection import Store, store_errors
from finops.store.inventory import InventoryStore
from finops.store.resource_costs import ResourceCostStore

# A second key remembers the uids, so that an append sent twice or repeated after a crash stays one. The third one holds
# what scans saw: of an effect still to come that none has seen it.
_APPEND: Final = """
if redis.call('HSETNX', KEYS[2], ARGV[1], '') == 0 then return 0 end
local entry = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
if ARGV[2] ~= '' then redis.call('HSETNX', KEYS[3], ARGV[1], ARGV[2]) end
redis.call('HSET', KEYS[2], ARGV[1], entry)
return 1
"""


def undone_by(entries: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Return place of an act among the entries → place of the entry that undid it, in the order of time.

    Args:
        entries: in the order of time. One that names no act undid the latest of its kind on the resource.
    """
    found, by_uid, by_kind = dict[int, int](), dict[Any, list[int]](), dict[Any, list[int]]()
    for place, one in enumerate(entries):
        kind = (one.get("resource"), one.get("action"))
        if is_undo(one):
            uid = one.get("undoes")
            acts = by_uid.get(uid, []) if uid else by_kind.get(kind, [])
            while acts and acts[-1] in found:
                acts.pop()
            if acts:
                found[acts[-1]] = place
        else:
            by_kind.setdefault(kind, []).append(place)
        by_uid.setdefault(one.get("request"), []).append(place)
    return found


def by_resource(ordered: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, ...], ...]:
    """Return the places of entries that can bear on each other: those of one resource, an undo beside its act.

    Args:
        ordered: in the order of time, which the places of each resource keep.
    """
    acts = {undo: act for act, undo in undone_by(ordered).items()}
    found: dict[Any, list[int]] = {}
    for place in range(len(ordered)):
        found.setdefault(ordered[acts.get(place, place)].get("resource"), []).append(place)
    return tuple(map(tuple, found.values()))


def is_undo(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is that of an act which undid another one."""
    if "undoes" in entry:
        return bool(entry["undoes"])
    return Decimal(entry.get("saving") or 0) < 0


def hours_per_month(entry: Mapping[str, Any]) -> Decimal:
    """Return the hours of a month with which the amounts of an entry were counted."""
    return _amount(entry.get("hoursPerMonth")) or DEFAULT_HOURS_PER_MONTH


def stood_until(entry: Mapping[str, Any], time: str, known: Mapping[str, Lasting]) -> bool:
    """Return whether the act of an entry had not ended before another one, as far as scans saw.

    Args:
        entry: of the act.
        time: of the other one, ISO 8601.
        known: uid of a request → what scans saw since.
    """
    act = promise_of(entry)
    at, seen = datetime.fromisoformat(time), known.get(str(entry.get("request")))
    over = act.lasts is not None and at >= act.since + act.lasts
    return not over and (seen is None or seen.ended is None or seen.ended >= at)


def whole_cost(entry: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """Return what the resource of an entry cost a month before the act and was to cost after it, None: not known."""
    return _amount(entry.get("before")), _amount(entry.get("after"))


def parts_of(entry: Mapping[str, Any]) -> frozenset[str]:
    """Return the dimensions of a cost by which the act of an entry is judged; none: by all of it."""
    return frozenset(filter(None, str(entry.get("parts") or "").split(",")))


def promise_of(entry: Mapping[str, Any], *, destroys: bool = False, shows_within: timedelta = timedelta(0)) -> Promise:
    """Return what the act of an entry was approved for; what it has saved depends on neither of the others."""
    days, (before, after) = entry.get("lastsDays"), _judged_cost(entry, _amount(entry.get("part")))
    return Promise(
        since=datetime.fromisoformat(str(entry["time"])),
        saving=_amount(entry.get("saving")),
        before=before,
        after=after,
        lasts=timedelta(days=int(days)) if days else None,
        destroys=destroys,
        shows_within=shows_within,
        moving=_amount(entry.get("moving", "0")),
    )


class StoredSavings:
    """Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._costs, self._inventory = ResourceCostStore(store), InventoryStore(store)
        self._stream = store.keys.realized
        self._seen = f"{store.keys.realized}:seen"

    def append(
        self,
        request: ActRequest,
        verified_at: datetime,
        undoes: str = "",
        shows: Shows = AT_ONCE,
        began: datetime | None = None,
    ) -> None:
        """Append the entry of one act, once; one whose effect may come later saves nothing until a scan has shown it.

        One that no scan can measure is known to be such from the start.

        Args:
            request: the act.
            verified_at: when its end was read back from AWS, aware.
            undoes: uid of the act that it undid; empty: it undid none.
            shows: how it shows in what its resource costs.
            began: when its first call was intended, aware; None: when its end was verified.
        """
        resource = request.plan.resource
        entry = {
            "request": request.uid,
            "name": request.name,
            "namespace": request.tenant.namespace,
            "policy": request.tenant.policy,
            "account": resource.account,
            "region": resource.region,
            "kind": resource.kind,
            "id": resource.id,
            "resource": resource.arn,
            "resourceName": resource.name,
            "action": request.plan.action,
            "before": request.estimate.get("currentMonthlyCost", ""),
            "after": request.estimate.get("newMonthlyCost", ""),
            "saving": _saving(request.estimate),
            "currency": request.estimate.get("currency", ""),
            "time": verified_at.astimezone(UTC).isoformat(timespec="seconds"),
            "hoursPerMonth": request.estimate.get("hoursPerMonth", ""),
            "undoes": undoes,
            "lastsDays": request.estimate.get("lastsDays", ""),
        }
        entry |= _set_by(request, shows) | self._judged(entry, shows, began or verified_at)
        fields = [text for pair in entry.items() for text in pair]
        first = begun(promise_of(entry, shows_within=shows.within))
        seen = _lasting_text(first) if first.share is None and not undoes else ""
        keys = (self._stream, f"{self._stream}:acts", self._seen)
        with store_errors():
            self._client.eval(_APPEND, len(keys), *keys, request.uid, seen, *fields)

    def _judged(self, entry: Mapping[str, str], shows: Shows, began: datetime) -> dict[str, str]:
        """Return by what of its resource's cost the act of an entry is judged, as the last scan priced it."""
        shard, name = Shard(entry["account"], entry["region"], entry["kind"]), entry["id"]
        cost, head = self._costs.many(shard, [name], hours_per_month(entry))[name], self._inventory.head(shard)
        # A listing that was under way may have seen what the act had changed by then.
        part = cost.part(shows.parts) if head is not None and head.completed < began else None
        parts = shows.parts if part is not None else frozenset[str]()
        moving = None if shows.moves else cost.by_use_of(parts)
        if shows.used_after and moving is not None:
            after = _judged_cost(entry, part if parts else None)[1]
            moving = None if after is None else max(moving, after)
        return {
            "parts": ",".join(sorted(parts)),
            "part": f"{part:f}" if parts else "",
            "moving": "" if moving is None else f"{moving:f}",
        }

    def read(self) -> Iterator[Mapping[str, str]]:
        """Yield the entries in order."""
        with store_errors():
            entries: Any = self._client.xrange(self._stream)
        for _, fields in entries:
            yield fields

    def note_seen(self, found: Mapping[str, Lasting]) -> None:
        """Keep what scans saw of acts, by the uid of their requests; an act that is not named keeps what it has."""
        if found:
            with store_errors():
                self._client.hset(self._seen, mapping={uid: _lasting_text(one) for uid, one in found.items()})

    def seen(self) -> dict[str, Lasting]:
        """Return uid of a request → what scans saw since its act; one that no scan has seen yet is absent."""
        with store_errors():
            texts: Any = self._client.hgetall(self._seen)
        return {uid: _lasting(text) for uid, text in texts.items()}


def _set_by(request: ActRequest, shows: Shows) -> dict[str, str]:
    """Return which attribute an act set, to what, and what that was, as its plan is bound to it."""
    value = request.plan.parameters.get(shows.parameter) if shows.setting else None
    if value is None:
        return {"setting": "", "set": "", "was": ""}
    was = request.plan.fingerprint.get(shows.fact) if shows.fact else None
    return {"setting": shows.setting, "set": str(value), "was": "" if was is None else str(was)}


def _saving(estimate: Mapping[str, str]) -> str:
    before, after = estimate.get("currentMonthlyCost", ""), estimate.get("newMonthlyCost", "")
    if before and after and Decimal(after) > Decimal(before):
        return f"{Decimal(before) - Decimal(after)}"
    return estimate.get("monthlySavings", "")


def _judged_cost(entry: Mapping[str, Any], part: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """Return what `whole_cost` does of the judged parts, which cost `part` before the act; None: of all of it."""
    before, after = whole_cost(entry)
    if part is None or before is None or after is None:
        return before, after
    return part, part - (before - after)


def _amount(text: Any) -> Decimal | None:
    return Decimal(text) if text else None


def _lasting_text(one: Lasting) -> str:
    return json.dumps(
        {
            "until": one.until.isoformat(),
            "share": None if one.share is None else f"{one.share:f}",
            "saved": f"{one.saved:f}",
            "seen": one.seen,
            "unknown": one.unknown,
            "ended": None if one.ended is None else one.ended.isoformat(),
            "why": one.why,
            "waiting": one.waiting,
            "measurableUntil": None if one.measurable_until is None else one.measurable_until.isoformat(),
        },
        separators=(",", ":"),
    )


def _lasting(text: str) -> Lasting:
    found = json.loads(text)
    measurable = found.get("measurableUntil")
    return Lasting(
        until=datetime.fromisoformat(found["until"]),
        share=None if found["share"] is None else Decimal(found["share"]),
        saved=Decimal(found["saved"]),
        seen=found["seen"],
        unknown=found["unknown"],
        ended=None if found["ended"] is None else datetime.fromisoformat(found["ended"]),
        why=found["why"],
        waiting=found.get("waiting", False),
        measurable_until=None if measurable is None else datetime.fromisoformat(measurable),
    )
