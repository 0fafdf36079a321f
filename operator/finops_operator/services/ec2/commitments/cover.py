"""What commitments pay for, and what is left at on-demand prices. Pure.

AWS bills every slot of a capacity reservation, used or not; Reserved Instances come first, of a zone before those of a
region; then EC2 Instance Savings Plans, then Compute Savings Plans, each where its discount is highest. Sources: EC2
user guide, "How Reserved Instance discounts are applied" and "Capacity Reservation pricing and billing"; Savings
Plans user guide, "Understanding how Savings Plans apply to your usage".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from finops_operator.services.ec2.commitments.model import (
    Agreements,
    Fleet,
    PlanType,
    ReservedInstances,
    SavingsPlan,
    Use,
)
from finops_operator.services.ec2.commitments.sizes import factor, spreads
from finops_operator.services.ec2.rules.zones import outside_of_region

PriceOf = Callable[[Use], Decimal | None]
"""On-demand price of an hour, None where it is not known."""
_ZERO: Final = Decimal(0)
_ROUNDED: Final = Decimal("1.01")
"""What rounding makes of equal discounts at most."""
_ORDER: Final = tuple(PlanType)


@dataclass(slots=True)
class Cover:
    """How a fleet is billed.

    Attributes:
        on_demand: use → instances billed at its on-demand price; a part of one where a commitment pays for the rest.
        idle: commitment → what of it nothing uses: instances of its own size, or currency units an hour of a plan.
        reached: use → commitments that could pay for it, whether they do or not.
        unordered: whether a plan reaches something without a price, so that what it pays for is not known.
    """

    on_demand: dict[Use, Decimal]
    idle: dict[str, Decimal] = field(default_factory=dict)
    reached: dict[Use, list[str]] = field(default_factory=dict)
    unordered: bool = False


def covered(fleet: Fleet, agreements: Agreements, price_of: PriceOf) -> Cover:
    """Return how `fleet` is billed beside the commitments."""
    cover = Cover(_billed(fleet, agreements))
    alike: dict[tuple[str, str, str], list[Use]] = {}
    for use in sorted(cover.on_demand, key=_smallest_first):
        alike.setdefault(pool_of(use), []).append(use)
    for one in sorted(agreements.reserved, key=_reserved_order):
        _reserve(cover, one, alike.get(pool_of(one.use), ()))
    for plan in sorted(agreements.plans, key=lambda one: (_ORDER.index(one.type), one.end or date.max, one.id)):
        _apply(cover, plan, price_of)
    return cover


def _billed(fleet: Fleet, agreements: Agreements) -> dict[Use, Decimal]:
    """Return what is billed before any discount: instances outside of reservations, and all slots of these."""
    billed: dict[Use, Decimal] = {}
    known = {one.id: one for one in agreements.capacity if one.ours}
    inside = dict.fromkeys(known, 0)
    for placed, count in fleet.items():
        if placed.reservation in known:
            inside[placed.reservation] += count
        elif count:
            billed[placed.use] = billed.get(placed.use, _ZERO) + count
    for identity, one in known.items():
        slots = max(one.slots, inside[identity])
        if slots:
            billed[one.use] = billed.get(one.use, _ZERO) + slots
    return billed


def _reserved_order(one: ReservedInstances) -> tuple[bool, bool, date, str]:
    return not one.use.zone, spreads(one.use), one.end or date.max, one.id


def pool_of(use: Use) -> tuple[str, str, str]:
    """Return what Reserved Instances never reach beyond."""
    return use.product, use.tenancy, use.family


def _reserve(cover: Cover, one: ReservedInstances, uses: Sequence[Use]) -> None:
    """Let Reserved Instances pay for some of `uses`, those of its pool, the smallest first."""
    units, spread = Decimal(one.count), spreads(one.use)
    own = factor(one.use.size) if spread else Decimal(1)
    for use in uses:
        weight = _weight(one.use, use, spread=spread)
        if weight is None or own is None:
            continue
        cover.reached.setdefault(use, []).append(one.id)
        taken = min(cover.on_demand[use], units * own / weight)
        cover.on_demand[use] -= taken
        units -= taken * weight / own
    cover.idle[one.id] = units


def _smallest_first(use: Use) -> tuple[Decimal, Use]:
    return factor(use.size) or _ZERO, use


def _weight(reserved: Use, use: Use, *, spread: bool) -> Decimal | None:
    """Return the units that one instance of `use` takes of a reservation; None where it does not reach it."""
    if reserved.zone != use.zone and (reserved.zone or outside_of_region(use.zone)):
        return None
    if spread:
        return factor(use.size)
    return Decimal(1) if use.instance_type == reserved.instance_type else None


def _apply(cover: Cover, plan: SavingsPlan, price_of: PriceOf) -> None:
    left = plan.commitment
    for use, rate in _cheapest_first(cover, plan, price_of):
        cover.reached.setdefault(use, []).append(plan.id)
        taken = min(cover.on_demand[use], left / rate)
        cover.on_demand[use] -= taken
        left -= taken * rate
    cover.idle[plan.id] = max(left, _ZERO)


def _cheapest_first(cover: Cover, plan: SavingsPlan, price_of: PriceOf) -> Sequence[tuple[Use, Decimal]]:
    return [(use, rate) for _, rate, use in sorted(_candidates(cover, plan, price_of))]


def _candidates(cover: Cover, plan: SavingsPlan, price_of: PriceOf) -> Iterator[tuple[Decimal, Decimal, Use]]:
    for use in cover.on_demand:
        rate, price = plan.rate(use), price_of(use)
        if outside_of_region(use.zone):
            # The plan may pay for it at a rate of its own, which is not read.
            cover.unordered = cover.unordered or rate is not None or plan.type is PlanType.COMPUTE
            continue
        if rate is None or rate <= 0:
            continue
        if not price:
            cover.unordered = True
        elif rate < price:
            yield rate / price, rate, use


def uneven(plan: SavingsPlan, uses: Iterable[Use], price_of: PriceOf) -> bool:
    """Return whether a plan's discounts differ among `uses` of one pool, by more than the rounding of AWS's rates."""
    shares: dict[tuple[str, str, str], list[Decimal]] = {}
    for use in uses:
        rate, price = plan.rate(use), price_of(use)
        if rate and price:
            shares.setdefault(pool_of(use), []).append(rate / price)
    return any(max(known) > min(known) * _ROUNDED for known in shares.values())


def price_of_difference(
    before: Mapping[Use, Decimal], after: Mapping[Use, Decimal], price_of: PriceOf
) -> Decimal | None:
    """Return by how much the bill of an hour falls from `before` to `after`; None where a price is missing."""
    total = _ZERO
    for use in {**before, **after}:
        difference = before.get(use, _ZERO) - after.get(use, _ZERO)
        price = price_of(use) if difference else _ZERO
        if price is None:
            return None
        total += difference * price
    return total
