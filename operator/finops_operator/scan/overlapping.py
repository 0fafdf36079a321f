"""A group and its members share one cost: of what both would save only the better advice counts. Pure.

Called once when all of a scan was judged. What AWS bills a group itself (the storage, requests and backups of a
database cluster) is no member's, so that this part of its saving counts beside any advice for the members. Of the rest
the side counts of which more can be carried out, in US dollars together; where that is alike the one that saves more in
all. So advice never takes the place of an act, and a member's small act never that of the whole group. A group whose
members count keeps the part of its saving that is its own, if there is one, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from finops.domain.money import CURRENCY, as_text, clamp_saving, to_cents
from finops.domain.price import Cost
from finops.domain.recommendation import EvidenceFact, Finding, Recommendation, Status
from finops_operator.rules.readiness import ActTerms, judged
from finops_operator.scan.recommend import discounted

_Place: TypeAlias = tuple[str, str, str, str]
"""Account, region, kind and id."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class GroupAdvice:
    """The best advice for a group.

    Attributes:
        members: (kind, id) of all whose cost is the group's, groups between among them.
        own: how much of its saving at list price is surely not its members', US dollars a month.
    """

    best: Recommendation
    members: frozenset[tuple[str, str]]
    own: Decimal = _NOTHING

    @property
    def places(self) -> frozenset[_Place]:
        """The members with the account and region that they share with the group."""
        where = self.best.resource
        return frozenset((where.account, where.region, kind, name) for kind, name in self.members)


@dataclass(frozen=True, slots=True)
class Settled:
    """A counted recommendation whose saving, or a part of it, is another one's too, and as it counts."""

    before: Recommendation
    after: Recommendation


def advice_of_group(best: Recommendation, cost: Cost, findings: Iterable[Finding]) -> GroupAdvice:
    """Return the best advice for a group whose cost this is; `findings`: those about the group."""
    own_new_cost = next((one.own_new_cost for one in findings if one.check == best.check), None)
    return GroupAdvice(best, members_of(cost), _own(best.list_monthly_savings, cost, own_new_cost))


def _own(saving: Decimal | None, cost: Cost, own_new_cost: Decimal | None) -> Decimal:
    """Return how much of a saving is the group's own: what its check says, else what exceeds its members' cost."""
    members = None if cost.attributed is None else cost.attributed.whole
    if not saving or cost.monthly is None or members is None:
        return _NOTHING
    own = saving - members if own_new_cost is None else cost.monthly - to_cents(own_new_cost)
    return clamp_saving(own, saving)


def members_of(cost: Cost) -> frozenset[tuple[str, str]]:
    """Return (kind, id) of the members of a group whose cost this is, and of the groups between."""
    group, found = cost.group, cost.attributed
    if group is None:
        return frozenset()
    between = {(group.through, one) for one in group.ids or ()} if group.through else set()
    named = () if found is None else found.members or ()
    return frozenset({*between, *((group.kind, one) for one, _ in named)})


def counted_once(
    groups: Sequence[GroupAdvice], advice: Iterable[Recommendation], acts: Callable[[str], ActTerms]
) -> tuple[Settled, ...]:
    """Return what counts otherwise than it was made, of groups and of members, so that nothing is saved twice.

    Args:
        groups: all of a scan.
        advice: all recommendations of the scan; read once, and of them only the members' are kept.
        acts: account → what the policy lets be done there; decides what becomes of a group's own part alone.
    """
    members = {place for one in groups for place in one.places}
    counted: dict[_Place, Recommendation] = {}
    for one in advice:
        if one.counted and one.list_monthly_savings and _place(one) in members:
            counted[_place(one)] = one
    settled: list[Settled] = []
    between = _groups(groups)
    # Groups of machines before groups of such groups, whose members they are.
    for group in sorted(groups, key=lambda one: (len(one.members & between), one.best.id)):
        settled += _weaker(group, counted, acts)
    return tuple(settled)


def _groups(groups: Sequence[GroupAdvice]) -> frozenset[tuple[str, str]]:
    return frozenset((one.best.resource.kind, one.best.resource.id) for one in groups)


def _weaker(
    group: GroupAdvice, counted: dict[_Place, Recommendation], acts: Callable[[str], ActTerms]
) -> list[Settled]:
    """Return what the side that does not count becomes, and take it out of `counted`."""
    # At list price: what commitments leave of it is known of members alone.
    best, saving = group.best, group.best.list_monthly_savings
    theirs = [place for place in group.places if place in counted]
    if not theirs or not saving or not best.counted or saving <= group.own:
        return []
    if _weight([(best.status, saving - group.own)]) > _weight(
        (one.status, one.list_monthly_savings or _NOTHING) for one in (counted[place] for place in theirs)
    ):
        return [_not_counted(counted.pop(place)) for place in theirs]
    counted.pop(_place(best), None)
    if not group.own:
        return [_not_counted(best)]
    alone = judged(_own_alone(best, group.own), acts(best.resource.account))
    return [Settled(best, alone)]


def _not_counted(one: Recommendation) -> Settled:
    return Settled(one, replace(one, counted=False))


def _own_alone(best: Recommendation, own: Decimal) -> Recommendation:
    """Return a group's advice with the part of its saving that is its own; what was net stays no more than that."""
    current, list_saving = best.current_monthly_cost, best.list_monthly_savings or _NOTHING
    percent = Decimal(str(best.attributes.get("discountPercent") or 0))
    less = discounted(own, percent) or _NOTHING
    monthly = less if best.monthly_savings is None else min(less, best.monthly_savings)
    said = (
        f"{own:,.2f} {CURRENCY}; the other {list_saving - own:,.2f} are its members', whose own advice counts instead"
    )
    return replace(
        best,
        new_monthly_cost=None if current is None else current - own,
        list_monthly_savings=own,
        monthly_savings=monthly,
        net_monthly_savings=None if best.net_monthly_savings is None else monthly,
        attributes={**best.attributes, "listMonthlySavings": as_text(own)},
        facts=(*best.facts, EvidenceFact("Saving of its own", said)),
    )


def _weight(side: Iterable[tuple[Status, Decimal]]) -> tuple[Decimal, Decimal]:
    """Return what acts save of one side, and what it saves in all."""
    acts = everything = _NOTHING
    for status, saving in side:
        everything += saving
        acts += saving if status is Status.ACTIONABLE else 0
    return acts, everything


def _place(one: Recommendation) -> _Place:
    return one.resource.account, one.resource.region, one.resource.kind, one.resource.id
