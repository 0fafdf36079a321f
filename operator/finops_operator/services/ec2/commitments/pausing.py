"""Net savings of instances that are stopped again and again: what commitments keep over the hours that each runs. Pure.

AWS applies commitments to every hour on its own. Of an instance that is stopped again and again the share of its hours
is known, and not which hours they are. So an act is worked out in an hour in which no other such instance runs, and in
one in which all of them do. Where both keep the same, so do the hours between them, as long as the instance stays in
its family: more instances use more of what it leaves. Another family leaves commitments and finds others, so that hours
between may keep something where both ends keep nothing: beside two others or more that share them it is not known. So
it is where another size leaves or finds Reserved Instances that pay for one size alone, and where plans pay beside
Reserved Instances or capacity reservations: what these leave to a plan changes with what runs.
Where one other instance alone is stopped and the act's own always runs, its share says how many hours are of each sort.
Elsewhere the net saving is not known: it depends on which hours they have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, TypeAlias

from finops.domain.resource import Resource
from finops_operator.plugins.commitments import Act, Unsaved
from finops_operator.services.ec2.commitments.cover import pool_of
from finops_operator.services.ec2.commitments.fleet import CommittedFleet, became, changes_hours, counted, placed
from finops_operator.services.ec2.commitments.model import Agreements, Placed, ReservedInstances
from finops_operator.services.ec2.commitments.sizes import spreads
from finops_operator.services.ec2.rules.running import share_of_hours

_ALWAYS: Final = Decimal(1)
_SAME: Final = Decimal("1e-9")
"""What a division may leave of nothing."""
_NOT_KNOWN: Final = Unsaved(
    None, "it is not known in which hours instances run beside each other that are stopped again and again"
)
_Pausing: TypeAlias = Mapping[tuple[Placed, Decimal], int]
"""How many are billed alike and run for the same share of their hours, more than 0 and less than 1."""


@dataclass(frozen=True, slots=True)
class PausingFleet:
    """A fleet some of which is stopped again and again; implements `plugins.commitments.Committed`.

    Attributes:
        always: those that run in every hour, beside the commitments.
        pausing: the others.
        shares: id → share of its hours, of those that count in `pausing`.
    """

    always: CommittedFleet
    pausing: _Pausing = field(default_factory=dict)
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    _hours: dict[Placed | None, CommittedFleet] = field(init=False, compare=False, repr=False, default_factory=dict)

    @classmethod
    def of(cls, instances: Iterable[Resource], beside: CommittedFleet) -> PausingFleet:
        """Return running instances, each with the share of its hours, beside what an empty fleet has bought.

        They are counted one by one: only their sorts are kept, and the ids of those that are often stopped.
        What no share is known of runs in every hour, as its cost is that of a whole month.
        """
        counts: Counter[tuple[Placed, Decimal]] = Counter()
        shares: dict[str, Decimal] = {}
        for one in instances:
            where, share = placed(one), share_of_hours(one)
            if where is not None:
                counts[where, share] += 1
                if share != _ALWAYS:
                    shares[one.id] = share
        return cls._parted(counts, shares, beside)

    @classmethod
    def _parted(
        cls, counts: Mapping[tuple[Placed, Decimal], int], shares: Mapping[str, Decimal], beside: CommittedFleet
    ) -> PausingFleet:
        """Return what is counted by sort and share of its hours, those that run in every hour apart."""
        always = {where: count for (where, share), count in counts.items() if share == _ALWAYS and count > 0}
        pausing = {one: count for one, count in counts.items() if one[1] != _ALWAYS and count > 0}
        return cls(replace(beside, fleet=always), pausing, shares)

    def unsaved(self, act: Act) -> Unsaved:
        """Return what `act` would not save of the price of the hours that its instance runs, over all hours."""
        where, share = placed(act.resource), share_of_hours(act.resource)
        if where is None or not changes_hours(act):
            return self.always.unsaved(act)
        known = self.seen((act.resource,))
        own = {} if share == _ALWAYS else {(where, share): 1}
        reached = known.sharing(where, became(where, act))
        others = [(one, count - own.get(one, 0)) for one, count in reached.items() if count > own.get(one, 0)]
        alone = (known.always if share == _ALWAYS else known.hour_with(where)).unsaved(act)
        if not others or alone.hourly is None:
            return _over(alone, share)
        several = sum(count for _, count in others) > 1
        if several and _changes_with_hours(where, became(where, act), known.always.agreements):
            return _NOT_KNOWN
        beside = known.hour_of_all().unsaved(act)
        if beside.hourly is None or abs(beside.hourly - alone.hourly) <= _SAME:
            return _over(beside, share)
        (_, often), _count = others[0]
        if several or share != _ALWAYS:
            return _NOT_KNOWN
        more = max((alone, beside), key=lambda one: one.hourly or 0)
        return Unsaved(beside.hourly * often + alone.hourly * (1 - often), more.note)

    def after(self, act: Act) -> PausingFleet:
        """Return the fleet without the instance, or with its new type for as many hours."""
        where, share = placed(act.resource), share_of_hours(act.resource)
        if where is None or not changes_hours(act) or not self.always.agreements:
            return self
        known = self.seen((act.resource,))
        if share == _ALWAYS:
            return replace(known, always=known.always.after(act))
        then = became(where, act)
        return replace(known, pausing=counted(known.pausing, (where, share), None if then is None else (then, share)))

    def seen(self, resources: Iterable[Resource]) -> PausingFleet:
        """Return the fleet with the shares of hours that these instances of it have by now."""
        changed = [
            (one.id, where, share)
            for one in resources
            if (share := share_of_hours(one)) != self.shares.get(one.id, _ALWAYS) and (where := placed(one)) is not None
        ]
        if not changed:
            return self
        counts = Counter({(where, _ALWAYS): count for where, count in self.always.fleet.items()} | dict(self.pausing))
        shares = dict(self.shares)
        for identity, where, share in changed:
            counts[where, shares.pop(identity, _ALWAYS)] -= 1
            counts[where, share] += 1
            if share != _ALWAYS:
                shares[identity] = share
        return self._parted(counts, shares, self.always)

    def sharing(self, before: Placed, then: Placed | None) -> _Pausing:
        """Return those that are often stopped and share commitments with an instance, before or after its change.

        A plan reaches them all; Reserved Instances and capacity reservations stay within one family and product.
        """
        agreements = self.always.agreements
        if not agreements:
            return {}
        if agreements.plans:
            return self.pausing
        pools = {pool_of(one.use) for one in (before, then) if one is not None}
        return {one: count for one, count in self.pausing.items() if pool_of(one[0].use) in pools}

    def hour_with(self, where: Placed) -> CommittedFleet:
        """Return an hour in which one that is often stopped runs, and no other such."""
        if where not in self._hours:
            self._hours[where] = replace(self.always, fleet=counted(self.always.fleet, None, where))
        return self._hours[where]

    def hour_of_all(self) -> CommittedFleet:
        """Return an hour in which all run."""
        if None not in self._hours:
            there = dict(self.always.fleet)
            for (where, _), count in self.pausing.items():
                there[where] = there.get(where, 0) + count
            self._hours[None] = replace(self.always, fleet=there)
        return self._hours[None]


def _changes_with_hours(before: Placed, then: Placed | None, agreements: Agreements) -> bool:
    """Return whether hours between may keep something although neither an hour alone nor one of all does."""
    if agreements.plans and (agreements.reserved or agreements.capacity):
        return True
    if then is None:
        return False
    return pool_of(then.use) != pool_of(before.use) or any(_of_one_size(one, before) for one in agreements.reserved)


def _of_one_size(reserved: ReservedInstances, before: Placed) -> bool:
    """Return whether Reserved Instances of an instance's pool pay for their own size alone."""
    return pool_of(reserved.use) == pool_of(before.use) and not spreads(reserved.use)


def _over(kept: Unsaved, share: Decimal) -> Unsaved:
    """Return what an hour in which it runs keeps, over all hours."""
    return kept if kept.hourly is None else replace(kept, hourly=kept.hourly * share)
