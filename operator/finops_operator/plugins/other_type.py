"""Advice to take another type of the same size: a newer generation, other processors, another engine. Pure.

Shared by the checks of every service that sells instances by type. A target is only named where its price is known and
no higher than today's; a check says in its own words why the target is better and what to see to before the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finops.domain.price import PriceQuery
from finops.domain.recommendation import EvidenceFact, Finding
from finops_operator.plugins.check import Facts


@dataclass(frozen=True, slots=True)
class OtherType:
    """A type and the one to take instead, with what an hour of one unit costs."""

    current: str
    target: str
    now: Decimal
    then: Decimal

    @property
    def cheaper(self) -> bool:
        """Whether it costs less, and not just the same."""
        return self.then < self.now


def cheapest(
    facts: Facts[Any], current: str, targets: Iterable[str], query: Callable[[str], PriceQuery], *, at_par: bool
) -> OtherType | str:
    """Return the target with the lowest price, or why there is none.

    Args:
        facts: of the resource, with the price table.
        current: its type now.
        targets: types that could take its place.
        query: type → what to ask the price table.
        at_par: whether a target at the same price is an answer.
    """
    now = facts.lookup(query(current))
    if now is None:
        return f"no price for {current} in {facts.resource.region}"
    priced = [(price.amount, target) for target in targets if (price := facts.lookup(query(target))) is not None]
    if not priced:
        return f"no price in {facts.resource.region} for what could take the place of {current}"
    then, target = min(priced)
    if then > now.amount:
        return f"{target} would cost more"
    if then == now.amount and not at_par:
        return f"{target} costs the same"
    return OtherType(current, target, now.amount, then)


def in_families(name: str, families: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the types of the same size in other families, none where the family has no successor.

    `name` is dotted, with the family before the size: `cache.m5.large`, `m5.large.search`, `kafka.m5.large`.
    """
    parts = name.split(".")
    place = next((index for index, part in enumerate(parts) if part in families), None)
    if place is None:
        return ()
    return tuple(".".join((*parts[:place], family, *parts[place + 1 :])) for family in families[parts[place]])


def finding(
    check: str, change: OtherType, new_monthly_cost: Decimal | None, summary: str, *facts: EvidenceFact
) -> Finding:
    """Return the finding with both prices as its evidence, followed by further facts."""
    return Finding(
        check=check,
        action="",
        parameters={},
        new_monthly_cost=new_monthly_cost,
        evidence={
            "currentType": change.current,
            "targetType": change.target,
            "hourlyPrice": str(change.now),
            "targetHourlyPrice": str(change.then),
        },
        summary=summary,
        facts=(
            EvidenceFact("Now", f"{change.current}, {change.now:f} USD an hour"),
            EvidenceFact("Instead", f"{change.target}, {change.then:f} USD an hour"),
            *facts,
        ),
        target=change.target,
    )
