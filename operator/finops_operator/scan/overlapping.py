"""A group and its members share one cost: of what both would save only the better advice counts. Pure.

Called once when all of a scan was judged. The side counts of which more can be carried out, in US dollars together;
where that is alike the one that saves more in all. So advice never takes the place of an act, and a member's small act
never that of the whole group. What a group is billed beside its members is part of its side alone: a stop of it and
other advice for its members are alternatives, and the figure of one side is whole, never a sum of parts of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from finops.domain.price import Cost
from finops.domain.recommendation import Recommendation, Status

_Place: TypeAlias = tuple[str, str, str, str]
"""Account, region, kind and id."""


@dataclass(frozen=True, slots=True)
class GroupAdvice:
    """The best advice for a group.

    Attributes:
        members: (kind, id) of all whose cost is the group's, groups between among them.
    """

    best: Recommendation
    members: frozenset[tuple[str, str]]

    @property
    def places(self) -> frozenset[_Place]:
        """The members with the account and region that they share with the group."""
        where = self.best.resource
        return frozenset((where.account, where.region, kind, name) for kind, name in self.members)


def members_of(cost: Cost) -> frozenset[tuple[str, str]]:
    """Return (kind, id) of the members of a group whose cost this is, and of the groups between."""
    group, found = cost.group, cost.attributed
    if group is None:
        return frozenset()
    between = {(group.through, one) for one in group.ids or ()} if group.through else set()
    named = () if found is None else found.members or ()
    return frozenset({*between, *((group.kind, one) for one, _ in named)})


def not_counted(groups: Sequence[GroupAdvice], advice: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Return what must not count, of groups and of members, so that nothing is saved twice.

    Args:
        groups: all of a scan.
        advice: all recommendations of the scan; read once, and of them only the members' are kept.
    """
    members = {place for one in groups for place in one.places}
    counted: dict[_Place, Recommendation] = {}
    for one in advice:
        if one.counted and one.list_monthly_savings and _place(one) in members:
            counted[_place(one)] = one
    left_out: list[Recommendation] = []
    between = _groups(groups)
    # Groups of machines before groups of such groups, whose members they are.
    for group in sorted(groups, key=lambda one: (len(one.members & between), one.best.id)):
        left_out += _weaker(group, counted)
    return tuple(left_out)


def _groups(groups: Sequence[GroupAdvice]) -> frozenset[tuple[str, str]]:
    return frozenset((one.best.resource.kind, one.best.resource.id) for one in groups)


def _weaker(group: GroupAdvice, counted: dict[_Place, Recommendation]) -> list[Recommendation]:
    """Return the side that does not count, and take it out of `counted`."""
    # At list price: what commitments leave of it is known of members alone.
    best, saving = group.best, group.best.list_monthly_savings
    theirs = [place for place in group.places if place in counted]
    if not theirs or not saving or not best.counted:
        return []
    if _weight([best]) > _weight(counted[place] for place in theirs):
        return [counted.pop(place) for place in theirs]
    counted.pop(_place(best), None)
    return [best]


def _weight(side: Iterable[Recommendation]) -> tuple[Decimal, Decimal]:
    """Return what acts save of one side, and what it saves in all."""
    acts = everything = Decimal(0)
    for one in side:
        saving = one.list_monthly_savings or Decimal(0)
        everything += saving
        acts += saving if one.status is Status.ACTIONABLE else 0
    return acts, everything


def _place(one: Recommendation) -> _Place:
    return one.resource.account, one.resource.region, one.resource.kind, one.resource.id
