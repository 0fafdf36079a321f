"""What a smaller group would still cost: the least that its members' costs prove. Pure; used by checks of groups.

AWS bills the members and chooses which of them end. What is surely saved is therefore the cost of the cheapest ones,
with the last units of prices that fall with what an account uses; where the cost of one member is not known, or members
come and go, the saving is not known, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from finops.domain.price import Cost
from finops.domain.quantity import counted
from finops.domain.recommendation import EvidenceFact


@dataclass(frozen=True, slots=True)
class SmallerGroup:
    """A group with fewer members.

    Attributes:
        monthly: what is left of the cost of all members without what the bill falls by, None where it is not known.
        unknown: why, empty where it is known.
        fact: the same in words for people.
    """

    monthly: Decimal | None
    unknown: str
    fact: EvidenceFact


def smaller_group(cost: Cost, wanted: int | None, enough: int, *, by_capacity: bool | None = False) -> SmallerGroup:
    """Return what a group costs with fewer members.

    Args:
        cost: of the group, with what its members cost.
        wanted: how many members it wants today.
        enough: how many would stay.
        by_capacity: whether its size counts capacity that members bring differently; None: not known.
    """
    members = None if cost.attributed is None else cost.attributed.members
    reason = _why_unknown(members, wanted, by_capacity=by_capacity)
    if members is None or reason:
        return SmallerGroup(None, reason, EvidenceFact("Saving", f"not known: {reason}"))
    costs = sorted(one.monthly for _, one in members if one.monthly is not None)
    saved = sorted(one.least_saved for _, one in members if one.least_saved is not None)
    ending = max(0, len(costs) - enough)
    alike = not costs or costs[0] == costs[-1]
    which = f"{ending} of its {counted(len(costs), 'member')}, which cost the same"
    if not alike:
        cheapest = "the cheapest" if ending == 1 else f"the {ending} cheapest"
        which = f"{cheapest} of its {len(costs)} members; AWS chooses which ones end"
    said = f"{'' if alike else 'at least '}the cost of {which}"
    if saved != costs:
        said += ", at the lowest prices that the account reaches"
    return SmallerGroup(sum(costs, Decimal(0)) - sum(saved[:ending], Decimal(0)), "", EvidenceFact("Saving", said))


def _why_unknown(members: tuple[tuple[str, Cost], ...] | None, wanted: int | None, *, by_capacity: bool | None) -> str:
    if by_capacity is not False:
        return "its size counts capacity and not members" if by_capacity else "how its size counts is not known"
    if members is None:
        return "which members it has is not known"
    unpriced = sum(one.monthly is None for _, one in members)
    if unpriced:
        return f"the cost of {unpriced} of its {counted(len(members), 'member')} is not known"
    if wanted != len(members):
        return f"it has {counted(len(members), 'member')} and wants {'?' if wanted is None else wanted}"
    return ""
