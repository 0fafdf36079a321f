"""Notes after each scan of a policy what it saw of the resources that its acts have changed: for how long they save.

Called by `PolicyScans.follow_up`. Only what this scan has judged counts, at the time at which its listing began. Noting
the same scan twice changes nothing, and a scan whose note is lost leaves its hours to the next one, or unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from finops.domain.lasting import Lasting, Sighting, begun, ended, sighted
from finops.domain.realised import Realised
from finops.domain.resource import Shard
from finops.store.inventory import InventoryStore
from finops.store.realized import StoredSavings, by_resource, hours_per_month, is_undo, parts_of, promise_of
from finops.store.realized_settings import settings_of, values_at
from finops.store.realized_sums import ends_of, realised_a_month
from finops.store.recommendations import PolicyHead
from finops.store.resource_costs import ResourceCostStore
from finops_operator.plugins.action import Action


@dataclass(frozen=True, slots=True)
class SavedHours:
    """The acts of all policies. Raises StoreUnavailable (all methods)."""

    savings: StoredSavings
    inventory: InventoryStore
    costs: ResourceCostStore
    actions: Mapping[str, Action]

    def a_month(self, policy: tuple[str, str], now: datetime) -> Realised:
        """Return what the acts of a policy (namespace, name) save a month, as scans last saw them."""
        return realised_a_month(self._beside(policy), now, self.savings.seen(), _acts_of(policy))

    def note(self, policy: tuple[str, str], head: PolicyHead | None) -> None:
        """Note what a scan of a policy saw of its own acts; what ended one of them may be any policy's.

        Entries of older releases do not say which resource they are about: nothing is noted of them.

        Args:
            policy: namespace and name.
            head: of its last scan; None: it has none.
        """
        known, found = self.savings.seen(), dict[str, Lasting]()
        ordered, own = sorted(self._beside(policy), key=lambda one: str(one.get("time"))), _acts_of(policy)
        judged = {} if head is None else dict(head.shards)
        for places in by_resource(ordered):
            found.update(self._noted([ordered[at] for at in places], own, known, judged))
        self.savings.note_seen(found)

    def _noted(
        self,
        ordered: Sequence[Mapping[str, str]],
        own: Callable[[Mapping[str, Any]], bool],
        known: Mapping[str, Lasting],
        judged: Mapping[Shard, str],
    ) -> Iterator[tuple[str, Lasting]]:
        """Yield uid and what is known by now of each act on one resource of which that is new."""
        over = {place: (_time(ordered[at]), why) for place, (at, why) in ends_of(ordered, known).items()}
        settings = settings_of(ordered, known)
        for place, entry in enumerate(ordered):
            uid, action = str(entry["request"]), self.actions.get(str(entry.get("action")))
            if not own(entry) or is_undo(entry) or not entry.get("kind") or action is None:
                continue
            promise = promise_of(entry, destroys=_removes(action), shows_within=action.shows.within)
            before = known.get(uid) or begun(promise)
            if before.ended is not None:
                continue
            after = before
            for sighting in self._sightings(entry, judged, partial(values_at, place, ordered, settings)):
                if place not in over or sighting.at < over[place][0]:
                    after = sighted(after, promise, sighting)
            if place in over:
                after = ended(after, *over[place])
            if after != before or uid not in known:
                yield uid, after

    def _beside(self, policy: tuple[str, str]) -> list[Mapping[str, str]]:
        """Return the entries of a policy's acts that ended verified, and of all other acts on the same resources."""
        entries, own = list(self.savings.read()), _acts_of(policy)
        resources = {one.get("resource") for one in entries if own(one)}
        return [one for one in entries if one.get("resource") in resources]

    def _sightings(
        self, entry: Mapping[str, Any], judged: Mapping[Shard, str], values: Callable[[datetime], Collection[str]]
    ) -> Iterator[Sighting]:
        """Yield what the scan saw of an act's resource; nothing where it is not clear, or another scan came since.

        `values`: time → those of the act's setting that are its own or a later act's.
        """
        shard, name = Shard(str(entry["account"]), str(entry["region"]), str(entry["kind"])), str(entry["id"])
        head = self.inventory.head(shard)
        if head is None or not head.generation or judged.get(shard) != head.generation:
            return
        listed = self.inventory.many(shard, [name])
        there, value = name in listed, None
        if there and entry.get("setting"):
            value = listed[name].attributes.get(str(entry["setting"]))
        whole = self.costs.many(shard, [name], hours_per_month(entry))[name] if there else None
        cost = None if whole is None else whole.part(parts_of(entry))
        now = self.inventory.head(shard)
        # Where the listing has gaps, what is absent is unknown, not gone.
        if now is not None and now.generation == head.generation and (there or not now.gaps):
            yield Sighting(head.started, there, cost, None if value is None else str(value) in values(head.started))


def _acts_of(policy: tuple[str, str]) -> Callable[[Mapping[str, Any]], bool]:
    return lambda entry: (entry.get("namespace"), entry.get("policy")) == policy


def _removes(action: Action) -> bool:
    """Return whether the resource is gone after the act; some that destroy, such as a retention, leave it there."""
    return any(rules.destroys for rules in action.procedure.steps.values())


def _time(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(entry["time"]))
