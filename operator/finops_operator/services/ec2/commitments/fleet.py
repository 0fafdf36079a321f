"""The instances that run in one hour beside commitments: what a stop or another type really saves. Pure.

The saving of an act is what the bill of the whole fleet falls by, in its account and beside the account's own
commitments; what other accounts of an organization buy or use is not visible there, and the reason says so. So an
idle instance inside a reservation that nothing else would use saves nothing, and where another instance takes the
reservation over, that one's price is saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from finops.domain.recommendation import ActionType
from finops.domain.resource import Resource
from finops_operator.plugins.commitments import Act, Unsaved
from finops_operator.services.ec2.commitments.cover import Cover, PriceOf, covered, price_of_difference
from finops_operator.services.ec2.commitments.model import (
    Agreements,
    CapacityReservation,
    Fleet,
    Placed,
    PlanType,
    ReservedInstances,
    SavingsPlan,
    Use,
)
from finops_operator.services.ec2.commitments.products import product_of

_RUNNING: Final = "running"
_ENDS: Final = frozenset({ActionType.STOP, ActionType.DELETE})
_ZERO: Final = Decimal(0)
_SAME: Final = Decimal("1e-9")
"""What a division may leave of nothing."""
_KEPT: Final = 8
"""Changed fleets that are kept until one of them is asked for: as many as one resource has recommendations, about."""
_Change = tuple[Placed, Placed | None]
"""What an instance is billed as before and after an act; None: no more."""
_Key = TypeVar("_Key")
OTHER_ACCOUNTS: Final = "commitments of other accounts are not visible here"
MAY_BE_SHARED: Final = "where accounts share commitments, another one may use it instead"


def placed(instance: Resource) -> Placed | None:
    """Return what a running instance on demand is billed as; None where commitments cannot reach it."""
    if instance.state != _RUNNING or instance.text("lifecycle"):
        return None
    tenancy = instance.text("tenancy") or "default"
    if tenancy == "host":
        return None
    platform = instance.text("platform_details") or instance.text("platform") or "Linux/UNIX"
    use = Use(instance.text("instance_type"), product_of(platform), tenancy, instance.text("availability_zone"))
    return Placed(use, instance.text("capacity_reservation"))


@dataclass(frozen=True, slots=True)
class CommittedFleet:
    """A fleet that runs as it is, hour by hour, and its commitments.

    Attributes:
        unread: what could not be read, in words; empty: all was.
    """

    fleet: Fleet
    agreements: Agreements
    price_of: PriceOf
    unread: str = ""
    now_covered: Cover = field(init=False, compare=False)
    _answers: dict[_Change, Unsaved] = field(init=False, compare=False, repr=False, default_factory=dict)
    _changed: dict[_Change, CommittedFleet] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now_covered", covered(self.fleet, self.agreements, self.price_of))

    def unsaved(self, act: Act) -> Unsaved:
        """Return what `act` would not save of the price of its hours."""
        before = placed(act.resource)
        if before is None or not changes_hours(act):
            return Unsaved(_ZERO)
        if self.unread:
            return Unsaved(None, self.unread)
        if act.action_type not in _ENDS and not act.target:
            return Unsaved(None, "it is not known what it becomes")
        if any(act.target and not one.knows(act.target) for one in self.agreements.plans):
            return Unsaved(None, f"a Savings Plan's rate for {act.target} was not read")
        if before.reservation and before.reservation not in self._own_reservations():
            return Unsaved(None, "it runs in a capacity reservation of another account")
        change = before, became(before, act)
        if change not in self._answers:
            self._answers[change] = self._unsaved(*change)
        return self._answers[change]

    def after(self, act: Act) -> CommittedFleet:
        """Return the fleet without the instance, or with its new type."""
        before = placed(act.resource)
        if before is None or not changes_hours(act) or not self.agreements:
            # Where nothing is committed, one instance less changes nothing for the others.
            return self
        changed = self._changed_to(before, became(before, act))
        # Whoever counts the act goes on with the changed fleet: this one must not hold a chain of all that follow.
        self._changed.clear()
        return changed

    def _changed_to(self, before: Placed, became: Placed | None) -> CommittedFleet:
        """Return the fleet with one instance less, or changed; its cover is worked out once for answer and act."""
        change = before, became
        if change not in self._changed:
            if len(self._changed) >= _KEPT:
                self._changed.clear()
            self._changed[change] = replace(self, fleet=counted(self.fleet, before, became))
        return self._changed[change]

    def _own_reservations(self) -> frozenset[str]:
        return frozenset(one.id for one in self.agreements.capacity if one.ours)

    def _unsaved(self, before: Placed, became: Placed | None) -> Unsaved:
        listed = price_of_difference(
            {before.use: Decimal(1)}, {} if became is None else {became.use: Decimal(1)}, self.price_of
        )
        if not self.agreements and listed is not None:
            return Unsaved(_ZERO, self._why_all(before))
        then = self._changed_to(before, became).now_covered
        saved = price_of_difference(self.now_covered.on_demand, then.on_demand, self.price_of)
        if listed is None or saved is None or then.unordered or self.now_covered.unordered:
            return Unsaved(None, "the price of an instance that shares its commitments is not known")
        if shared := self._more_idle(then, frozenset({PlanType.COMPUTE})):
            return Unsaved(None, f"{shared} may pay for other regions, Fargate or Lambda instead")
        kept = max(_ZERO, listed - saved)
        if kept > _SAME:
            return Unsaved(kept, self._why_kept(before, then))
        return Unsaved(_ZERO, self._why_all(before))

    def _why_kept(self, before: Placed, then: Cover) -> str:
        shared = "" if before.reservation else f"; {MAY_BE_SHARED}"
        return f"{self._holder(before, then)} covers it{shared}"

    def _why_all(self, before: Placed) -> str:
        if self.now_covered.reached.get(before.use):
            return f"other instances use what is committed; {OTHER_ACCOUNTS}"
        return f"no commitment of this account covers it; {OTHER_ACCOUNTS}"

    def _holder(self, before: Placed, then: Cover) -> str:
        """Return the commitment that goes on being paid, in words; several where there is more than one."""
        if before.reservation:
            return _named("a capacity reservation", self._ends().get(before.reservation))
        plans = frozenset(one.id for one in self.agreements.plans)
        idle = tuple(self._newly_idle(then))
        if not idle:
            return "a commitment"
        kind = "a Savings Plan" if idle[0] in plans else "a Reserved Instance"
        return _named(kind, self._ends().get(idle[0]))

    def _more_idle(self, then: Cover, types: frozenset[PlanType]) -> str:
        wanted = {one.id: one for one in self.agreements.plans if one.type in types}
        changed = [wanted[one] for one in self._newly_idle(then) if one in wanted]
        return _named("a Compute Savings Plan", changed[0].end) if changed else ""

    def _newly_idle(self, then: Cover) -> Iterator[str]:
        for identity, left in then.idle.items():
            if left - self.now_covered.idle.get(identity, _ZERO) > _SAME:
                yield identity

    def _ends(self) -> Mapping[str, date | None]:
        agreements = self.agreements
        several: tuple[ReservedInstances | CapacityReservation | SavingsPlan, ...]
        several = (*agreements.reserved, *agreements.capacity, *agreements.plans)
        return {one.id: one.end for one in several}


def changes_hours(act: Act) -> bool:
    """Return whether what is billed by the hour of its type changes; an upgrade without a new type does not."""
    return act.action_type in _ENDS or act.action_type is ActionType.RIGHTSIZE or bool(act.target)


def _named(kind: str, end: date | None) -> str:
    return f"{kind} until {end.isoformat()}" if end is not None else kind


def became(before: Placed, act: Act) -> Placed | None:
    """Return the instance afterwards, None where nothing of it runs; another type leaves a capacity reservation."""
    if act.action_type in _ENDS:
        return None
    return Placed(replace(before.use, instance_type=act.target))


def counted(fleet: Mapping[_Key, int], less: _Key | None, more: _Key | None) -> dict[_Key, int]:
    """Return a fleet with one of `less` fewer and one of `more` added; None: of nothing."""
    changed = dict(fleet)
    if less is not None:
        changed[less] = changed.get(less, 0) - 1
    if more is not None:
        changed[more] = changed.get(more, 0) + 1
    return {where: count for where, count in changed.items() if count > 0}
