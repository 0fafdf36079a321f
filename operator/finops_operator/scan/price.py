"""Price a resource: ask a price source for each billed part and add up. Pure; called once for every resource of a scan.

The outcome is stored with the resource; adding up and rounding are `finops.domain.price.cost_from`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from finops.domain.money import CURRENCY
from finops.domain.price import HOUR, BilledQuantity, Cost, Price, PriceQuery, cost_from
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.price_source import PriceSource
from finops_operator.plugins.kind import BilledPart, FurtherStep, PriceLookup

_SECONDS: Final = 3600
NOTHING_SHARED: Final[Mapping[PriceQuery, Decimal]] = {}


def cost_of(
    resource: Resource,
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
    lookup: PriceLookup,
    hours_per_month: Decimal,
    utilization: Utilization | None = None,
    shared: Mapping[PriceQuery, Decimal] = NOTHING_SHARED,
) -> Cost:
    """Return what `resource` costs a month at list price, rounded to cents; `utilization` is what it used.

    `shared`: by the query of the first step, the units of a month in its account and region, as `monthly_units` counts
    them; what is not in it stays in the first step.

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
    part: BilledPart, lookup: PriceLookup, utilization: Utilization | None, shared: Mapping[PriceQuery, Decimal]
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
        units = shared.get(part.query, Decimal(0))
        average = average_price(price, part.further, lookup, units)
        if average is None:
            return f"no price in {part.query.region} of further units, of {units:,.0f} that the account uses there"
        price = average
    return BilledQuantity(part.dimension, found[0], _by_hour(price) if found[1] is None else price, found[1])


def average_price(first: Price, further: Iterable[FurtherStep], lookup: PriceLookup, units: Decimal) -> Price | None:
    """Return what one of `units` costs on average, None where a step that they reach has no price.

    The parts of all resources then add up to what AWS bills for all units together.
    """
    reached = [one for one in further if one.above < units]
    if not reached:
        return first
    total, as_of = reached[0].above * first.amount, first.as_of
    for step, end in zip(reached, (*(one.above for one in reached[1:]), units), strict=True):
        price = lookup(step.query)
        if price is None or (price.unit, price.currency) != (first.unit, first.currency):
            return None
        total, as_of = total + (end - step.above) * price.amount, min(as_of, price.as_of)
    # The average is of no product.
    return replace(first, amount=total / units, as_of=as_of, sku="")


def monthly_units(
    resource: Resource,
    billed_parts: Callable[[Resource], tuple[BilledPart, ...]],
    utilization: Utilization | None,
    hours_per_month: Decimal,
) -> Iterator[tuple[PriceQuery, Decimal]]:
    """Yield what a resource adds to the units that AWS counts over its account and region.

    What is not known of it adds nothing: the units of all are at least what they add up to, and so their average price
    is the highest that it can be.
    """
    for part in billed_parts(resource):
        if not part.further or part.query is None:
            continue
        found = _quantity(part, utilization)
        if not isinstance(found, str):
            units, hours = found
            yield part.query, units if hours is None else units * hours_per_month / hours


def _by_hour(price: Price) -> Price:
    """Return the price of something that stands all month by the hour, where it is published by second or unit-hour."""
    if price.unit.endswith("-hour"):
        return replace(price, unit=HOUR)
    if not price.unit.endswith("-second"):
        return price
    return replace(price, amount=price.amount * _SECONDS, unit=HOUR)


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
