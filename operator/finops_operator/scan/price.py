"""Price a resource: ask a price source for each billed part and add up. Pure; called once for every resource of a scan.

The outcome is stored with the resource; adding up and rounding are `finops.domain.price.cost_from`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from finops.domain.money import CURRENCY, DEFAULT_HOURS_PER_MONTH
from finops.domain.price import HOUR, BilledQuantity, Cost, Price, PriceQuery, cost_from
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.price_source import PriceSource
from finops_operator.plugins.kind import BilledPart, FurtherStep, PriceLookup

_SECONDS: Final = 3600
NOTHING_SHARED: Final[Mapping[PriceQuery, Decimal]] = {}


@dataclass(frozen=True, slots=True)
class Beside:
    """What an account uses in a region beside one resource, of prices that fall with the amount.

    What goes takes the last units with it, which are the cheapest: the bill falls by
    total(units) - total(units without those), less than their average price says.

    Attributes:
        others: by the query of the first step, the units of a month that stay when the resource goes.
        own: the units of the resource as it stands.
        open: queries of which the units of some resource are not known, so that there may be more than these.
    """

    others: Mapping[PriceQuery, Decimal]
    own: Mapping[PriceQuery, Decimal]
    open: frozenset[PriceQuery] = frozenset()

    def price(self, first: Price, part: BilledPart, lookup: PriceLookup, units: Decimal) -> Price | None:
        """Return what one of `units` adds to the bill of the others; None where a step that they reach has no price.

        Where the units of the account are open, each unit that the resource has counts as the cheapest that is known
        to be reached, so that nothing is saved on paper alone.
        """
        if part.query is None or not units:
            return first
        below = self.others.get(part.query, Decimal(0))
        if part.query in self.open and self.own.get(part.query):
            return _step_price(first, part.further, lookup, below + max(units, self.own[part.query]))
        return average_price(first, part.further, lookup, below + units, below)


def cost_of(
    resource: Resource,
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
    lookup: PriceLookup,
    hours_per_month: Decimal,
    utilization: Utilization | None = None,
    shared: Mapping[PriceQuery, Decimal] | Beside = NOTHING_SHARED,
) -> Cost:
    """Return what `resource` costs a month at list price, rounded to cents; `utilization` is what it used.

    `shared`: by the query of the first step, the units of a month in its account and region, as `monthly_units` counts
    them; of what is not in it the resource has all units of the account. With `Beside` the cost is what the resource
    adds to the bill of all others instead of its share of the whole.

    One part without a price makes `monthly` None and is named in `missing`; the parts that have one stay listed.
    A resource with nothing billed (a stopped instance without addresses) costs 0.00, and that is known.
    """
    parts: list[BilledQuantity] = []
    missing: list[str] = []
    voided: set[str] = set()
    for part in billed_parts(resource):
        found = _billed(part, lookup, utilization, shared)
        if isinstance(found, str):
            missing.append(f"{part.dimension}: {found}")
            voided.add(part.voids)
        elif found is not None:
            parts.append(found)
    return cost_from([one for one in parts if one.dimension not in voided], missing, hours_per_month)


def _billed(
    part: BilledPart,
    lookup: PriceLookup,
    utilization: Utilization | None,
    shared: Mapping[PriceQuery, Decimal] | Beside,
) -> BilledQuantity | str | None:
    """Return a part with its price, why it has none, or None where nothing of it was used, whatever it costs."""
    price = part.price or (lookup(part.query) if part.query is not None else None)
    found = _quantity(part, utilization)
    if isinstance(found, str):
        return found
    if part.metric and not found[0]:
        return None
    if price is None:
        return part.reason_unknown or _not_found(part)
    if price.currency != CURRENCY:
        return f"priced in {price.currency}"
    if part.query is not None and part.further:
        if isinstance(shared, Beside):
            units = shared.others.get(part.query, Decimal(0)) + _in_a_month(*found)
            average = shared.price(price, part, lookup, _in_a_month(*found))
        else:
            # Whatever the others use, the account uses at least as much as one of them.
            units = max(shared.get(part.query, Decimal(0)), _in_a_month(*found))
            average = average_price(price, part.further, lookup, units)
        if average is None:
            return f"no price in {part.query.region} of further units, of {units:,.0f} that the account uses there"
        price = average
    return BilledQuantity(part.dimension, found[0], _by_hour(price) if found[1] is None else price, found[1])


def average_price(
    first: Price, further: Iterable[FurtherStep], lookup: PriceLookup, units: Decimal, below: Decimal = Decimal(0)
) -> Price | None:
    """Return what one of the units between `below` and `units` costs on average, None where a step has no price.

    The parts of all resources then add up to what AWS bills for all units together.
    """
    reached = [one for one in further if one.above < units]
    if not reached or units <= below:
        return first
    ends = (*(one.above for one in reached), units)
    total, as_of, last = max(Decimal(0), ends[0] - below) * first.amount, first.as_of, first.amount
    for step, end in zip(reached, ends[1:], strict=True):
        if end <= below:
            continue
        price = _of_step(step, first, lookup)
        if price is None:
            return None
        total += (end - max(step.above, below)) * price.amount
        as_of, last = min(as_of, price.as_of), min(last, price.amount)
    # The average is of no product.
    return replace(first, amount=total / (units - below), as_of=as_of, sku="", last=last)


def _step_price(first: Price, further: Iterable[FurtherStep], lookup: PriceLookup, units: Decimal) -> Price | None:
    """Return the lowest price of the steps that `units` reach, None where one of them has none."""
    reached = [_of_step(one, first, lookup) for one in further if one.above < units]
    known = [first, *(one for one in reached if one is not None)]
    return None if None in reached else min(known, key=lambda one: one.amount)


def _of_step(step: FurtherStep, first: Price, lookup: PriceLookup) -> Price | None:
    price = lookup(step.query)
    return price if price is not None and (price.unit, price.currency) == (first.unit, first.currency) else None


def monthly_units(
    resource: Resource,
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
    utilization: Utilization | None,
    hours_per_month: Decimal,
) -> Iterator[tuple[PriceQuery, Decimal]]:
    """Yield what a resource adds to the units that AWS counts over its account and region.

    What is not known of it adds nothing: the units of all are at least what they add up to, and so their average price
    is the highest that it can be. `SharedUnits` remembers that there may be more.
    """
    for query, _, found in _stepped(resource, billed_parts, utilization):
        if not isinstance(found, str):
            yield query, _in_a_month(*found, hours_per_month)


def _stepped(
    resource: Resource, billed_parts: Callable[[Resource], tuple[BilledPart, ...]], utilization: Utilization | None
) -> Iterator[tuple[PriceQuery, Decimal, tuple[Decimal, Decimal | None] | str]]:
    """Yield what is counted, the units above which it costs less, and the units or why they are not known."""
    for part in billed_parts(resource):
        if part.further and part.query is not None:
            yield part.query, part.further[0].above, _quantity(part, utilization)


def _in_a_month(units: Decimal, hours: Decimal | None, hours_per_month: Decimal = DEFAULT_HOURS_PER_MONTH) -> Decimal:
    return units if hours is None else units * hours_per_month / hours


@dataclass(frozen=True, slots=True)
class SharedUnits:
    """The units of a month that all resources of a kind in one account and region use together.

    Attributes:
        units: by the query of the first step, in a month of 730 hours.
        open: queries of which some resource's units are not known.
        reached: whether a further step is known to be reached; if not, all units cost the same, whoever goes.
    """

    units: Mapping[PriceQuery, Decimal] = field(default_factory=dict)
    open: frozenset[PriceQuery] = frozenset()
    reached: bool = True

    def beside(
        self,
        resource: Resource,
        billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
        utilization: Utilization | None,
    ) -> Beside:
        """Return what is used beside `resource`, as it stands."""
        own: defaultdict[PriceQuery, Decimal] = defaultdict(Decimal)
        for query, amount in monthly_units(resource, billed_parts, utilization, DEFAULT_HOURS_PER_MONTH):
            own[query] += amount
        others = {query: max(Decimal(0), amount - own.get(query, Decimal(0))) for query, amount in self.units.items()}
        return Beside(others, own, self.open)


@dataclass(slots=True)
class UnitsOfAll:
    """Adds up `SharedUnits`, resource by resource."""

    units: defaultdict[PriceQuery, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    open: set[PriceQuery] = field(default_factory=set)
    reached: bool = False

    def add(
        self,
        resource: Resource,
        billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
        utilization: Utilization | None,
    ) -> None:
        """Count the units of one resource, or that they are not known."""
        for query, first_ends, found in _stepped(resource, billed_parts, utilization):
            if isinstance(found, str):
                self.open.add(query)
            else:
                self.units[query] += _in_a_month(*found)
                self.reached = self.reached or self.units[query] > first_ends

    def shared(self) -> SharedUnits:
        """Return what was counted so far."""
        return SharedUnits(dict(self.units), frozenset(self.open), self.reached)


def _by_hour(price: Price) -> Price:
    """Return the price of something that stands all month by the hour, where it is published by second or unit-hour."""
    if price.unit.endswith("-hour"):
        return replace(price, unit=HOUR)
    if not price.unit.endswith("-second"):
        return price
    last = None if price.last is None else price.last * _SECONDS
    return replace(price, amount=price.amount * _SECONDS, unit=HOUR, last=last)


def _quantity(part: BilledPart, utilization: Utilization | None) -> tuple[Decimal, Decimal | None] | str:
    """Return how many units are billed and the measured hours they were used in, or why that is not known."""
    if not part.metric:
        return part.quantity, None
    use = utilization.month.get(part.metric) if utilization is not None else None
    if use is None:
        why = utilization.unknown.get(part.metric, "not measured") if utilization is not None else "not measured"
        return f"{part.metric} of the last 30 days is unknown ({why})"
    units = part.quantity * Decimal(str(use.amount))
    if use.hours is not None:
        return units, Decimal(str(use.hours))
    within = (units if part.up_to is None else min(units, part.up_to)) - part.above
    return max(part.at_least, within, Decimal(0)), None


def _not_found(part: BilledPart) -> str:
    words = ", ".join(value for _, value in part.query.attributes) if part.query else ""
    where = part.query.region if part.query else ""
    return f"no price for {words} in {where}" if words else f"no price in {where}"


@dataclass(slots=True)
class MemoizedPrices:
    """Asks sources in order and remembers every answer for the length of a scan; `lookup` is the stages' PriceLookup.

    Thread-safe without a lock: two threads may ask the same question twice, and get the same answer.
    """

    sources: tuple[PriceSource, ...]
    answers: dict[PriceQuery, Price | None] = field(default_factory=dict)

    def lookup(self, query: PriceQuery) -> Price | None:
        """Return the first source's answer that is not None."""
        if query not in self.answers:
            self.answers[query] = _first(self.sources, query)
        return self.answers[query]


def _first(sources: Iterable[PriceSource], query: PriceQuery) -> Price | None:
    return next((price for source in sources if (price := source.lookup(query)) is not None), None)
