"""What scanners elsewhere pushed, as rows beside those of the scans; read anew when something was pushed or priced."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from finops.domain.price import Attributed, Cost
from finops.domain.resource import Gap
from finops.store.connection import Store
from finops.store.pushed import KEPT, PushedResource, PushedResources, PushedScan
from finops_web.readings.resources import Push, ResourceRow, dearest_first

OVERDUE_AFTER: Final = timedelta(hours=26)
"""A daily push that is two hours late: what it brought is shown as of then, with a gap."""
NOT_PRICED: Final = Cost(None, None, missing=("the operator has not priced it yet",))
_KEPT_LISTS: Final = 8


@dataclass(frozen=True, slots=True)
class _Read:
    """One namespace as it was read; `times` are those of its oldest and newest push, nothing where there is none."""

    versions: tuple[int, int]
    rows: tuple[ResourceRow, ...]
    scans: Mapping[str, PushedScan]
    times: tuple[datetime, ...]

    def is_older(self, than: timedelta, now: datetime) -> bool:
        """Return whether any of its resources was pushed longer ago."""
        return bool(self.times) and now - self.times[0] > than


class PushedReadings:
    """Rows of all namespaces; thread-safe. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._pushed = PushedResources(store)
        self._kept: dict[str, _Read] = {}
        self._merged: OrderedDict[tuple[int, tuple[int, ...]], tuple[object, tuple[ResourceRow, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def namespaces(self) -> frozenset[str]:
        """Return every namespace into which something was ever pushed."""
        return frozenset(self._pushed.versions())

    def beside(
        self, seen: tuple[ResourceRow, ...], namespaces: Collection[str], now: datetime
    ) -> tuple[ResourceRow, ...]:
        """Return what scans have seen and what was pushed into the namespaces, the dearest first.

        What a scan has seen, AWS itself has said: the same resource pushed as well is left out. One that was pushed
        into several of the namespaces is there once, as it was pushed last.
        """
        found = self._read(namespaces, now)
        if not any(one.rows for one in found):
            return seen
        key = (id(seen), tuple(id(one) for one in found))
        with self._lock:
            known = self._merged.get(key)
        if known is None:
            scanned = {_name(row) for row in seen}
            pushed = _each_once(row for one in found for row in one.rows if _name(row) not in scanned)
            # What the key names by its address is kept with it, so that no other can get that address.
            known = ((seen, found), dearest_first((*seen, *pushed)))
            with self._lock:
                self._merged[key] = known
                if len(self._merged) > _KEPT_LISTS:
                    self._merged.popitem(last=False)
        return known[1]

    def gaps(self, namespaces: Collection[str], now: datetime) -> tuple[Gap, ...]:
        """Return what the scanners could not see, and which accounts nobody has pushed for more than a day."""
        found: list[Gap] = []
        for one in self._read(namespaces, now):
            late: dict[str, list[datetime]] = {}
            for row in one.rows if one.is_older(OVERDUE_AFTER, now) else ():
                if row.push is not None and now - row.push.at > OVERDUE_AFTER:
                    late.setdefault(row.resource.account, []).append(row.push.at)
            found += [_overdue(account, times) for account, times in sorted(late.items())]
            found += [gap for _, scan in sorted(one.scans.items()) if now - scan.at <= KEPT for gap in scan.gaps]
        return tuple(found)

    def pushes(self, namespaces: Collection[str], now: datetime) -> tuple[datetime, ...]:
        """Return when the oldest and the newest of the resources were pushed; nothing where there are none."""
        return _ends(time for one in self._read(namespaces, now) for time in one.times)

    def _read(self, namespaces: Collection[str], now: datetime) -> Sequence[_Read]:
        versions = self._pushed.versions()
        with self._lock:
            for name in sorted(versions.keys() & set(namespaces)):
                kept = self._kept.get(name)
                if kept is None or kept.versions != versions[name] or kept.is_older(KEPT, now):
                    rows = tuple(self._rows(name, now))
                    times = _ends(row.push.at for row in rows if row.push is not None)
                    self._kept[name] = _Read(versions[name], rows, self._pushed.scans(name), times)
            return [self._kept[name] for name in sorted(versions.keys() & set(namespaces))]

    def _rows(self, namespace: str, now: datetime) -> Iterator[ResourceRow]:
        shards = list(self._pushed.read(namespace))
        costs: dict[tuple[str, str, str, str], Cost] = {}
        items: list[PushedResource] = []
        for shard, found, priced in shards:
            for name, one in found.items():
                if now - one.at > KEPT:
                    continue
                mark, cost = priced.get(name, ("", NOT_PRICED))
                # The cost of what was pushed before says nothing of what it has become.
                costs[shard.account, shard.region, shard.kind, name] = cost if mark == one.mark else NOT_PRICED
                items.append(one)
        for one in items:
            shard = one.resource.shard
            cost = _with_members(costs[shard.account, shard.region, shard.kind, one.resource.id], one, costs)
            yield ResourceRow.of(one.resource, cost, None, Push(namespace, one.at, one.by))


def _with_members(cost: Cost, one: PushedResource, costs: Mapping[tuple[str, str, str, str], Cost]) -> Cost:
    """Return a group's cost with what its members cost, as far as they were pushed and priced as well."""
    group = cost.group
    if group is None:
        return cost
    ids = None if group.through else group.ids
    place = one.resource.account, one.resource.region, group.kind
    members = None if ids is None else tuple((name, costs.get((*place, name), NOT_PRICED)) for name in ids)
    return replace(cost, attributed=Attributed(members))


def _each_once(rows: Iterable[ResourceRow]) -> Iterable[ResourceRow]:
    """Return each resource once: the newest push of it, and of two of the same moment the first by namespace."""
    newest: dict[tuple[str, str, str, str], ResourceRow] = {}
    for row in rows:
        kept = newest.get(_name(row))
        if kept is None or _pushed_at(row) > _pushed_at(kept):
            newest[_name(row)] = row
    return newest.values()


def _pushed_at(row: ResourceRow) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if row.push is None else row.push.at


def _ends(times: Iterable[datetime]) -> tuple[datetime, ...]:
    found = sorted(times)
    return (found[0], found[-1]) if found else ()


def _name(row: ResourceRow) -> tuple[str, str, str, str]:
    one = row.resource
    return one.kind, one.account, one.region, one.id


def _overdue(account: str, times: Iterable[datetime]) -> Gap:
    found = list(times)
    return Gap(
        account=account,
        region="",
        service="push",
        operation="push",
        code="PushOverdue",
        message=f"Not pushed again since {min(found):%Y-%m-%d %H:%M} UTC: shown as of then, for 8 days. "
        "Check the scanner in that account.",
        resources=len(found),
    )
