"""Prices that fall with what an account uses in a region: each resource has the average price of all its units."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import instance

from finops.domain.price import Price, PriceQuery
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.plugins.kind import BilledPart, FurtherStep
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import average_price, cost_of, monthly_units
from finops_operator.services.ec2.instance import KIND as EC2
from finops_operator.services.ec2.rules.detailed_monitoring import FEWEST_MONITORED, detailed_monitoring

FIRST: Final = PriceQuery("x", "r", "first")
STEPS: Final = (
    FurtherStep(Decimal(100), PriceQuery("x", "r", "second")),
    FurtherStep(Decimal(500), PriceQuery("x", "r", "third")),
)
AMOUNTS: Final = {"first": Decimal(10), "second": Decimal(7), "third": Decimal(4)}
PART: Final = BilledPart("unit", Decimal(1), FIRST, metric="units", further=STEPS)
USES: Final = st.lists(st.integers(0, 1000), min_size=1, max_size=8)


def price(query: PriceQuery) -> Price | None:
    amount = AMOUNTS.get(query.dimension)
    return None if amount is None else Price(amount, "unit", "bundled", date(2026, 1, len(query.dimension)))


def billed(units: Decimal) -> Decimal:
    """Return what AWS bills for all units together, step by step."""
    within = min(units, Decimal(100)), max(Decimal(0), min(units, Decimal(500)) - 100), max(Decimal(0), units - 500)
    return sum((units * amount for units, amount in zip(within, AMOUNTS.values(), strict=True)), Decimal(0))


def cost_of_use(used: int, all_units: Decimal) -> Decimal:
    use = Utilization("i-1", month={"units": MonthlyUse(float(used), 730.0)})
    cost = cost_of(instance(), lambda _: (PART,), price, Decimal(730), use, {FIRST: all_units})
    assert cost.unrounded_monthly is not None
    return cost.unrounded_monthly


@given(USES)
def test_what_all_resources_cost_adds_up_to_what_aws_bills_for_their_units(uses: list[int]) -> None:
    total = Decimal(sum(uses))
    assert abs(sum(cost_of_use(one, total) for one in uses) - billed(total)) < Decimal("1e-15")


@given(USES, st.integers(1, 1000))
def test_who_uses_more_costs_more_and_more_use_never_makes_a_unit_dearer(uses: list[int], more: int) -> None:
    total = Decimal(sum(uses))
    before, after = cost_of_use(uses[0], total), cost_of_use(uses[0] + more, total + more)
    assert after > before
    assert cost_of_use(1, total + more) <= cost_of_use(1, total)


@given(st.integers(0, 100))
def test_within_the_first_step_every_unit_has_its_price(units: int) -> None:
    assert average_price(Price(Decimal(10), "unit", "bundled", date(2026, 1, 1)), STEPS, price, Decimal(units)) == (
        Price(Decimal(10), "unit", "bundled", date(2026, 1, 1))
    )


def test_the_average_has_the_oldest_date_of_the_steps_it_reaches_and_no_number_of_a_product() -> None:
    listed = Price(Decimal(10), "unit", "price-list", date(2026, 1, 30), sku="A1")
    found = average_price(listed, STEPS, price, Decimal(600))
    assert found is not None
    assert (found.amount, found.as_of, found.sku) == (Decimal(4200) / 600, date(2026, 1, 5), "")


def test_a_step_that_is_reached_and_has_no_price_leaves_the_part_unknown_and_one_that_is_not_does_not() -> None:
    def without_third(query: PriceQuery) -> Price | None:
        return None if query.dimension == "third" else price(query)

    use = Utilization("i-1", month={"units": MonthlyUse(1.0, 730.0)})
    reached = cost_of(instance(), lambda _: (PART,), without_third, Decimal(730), use, {FIRST: Decimal(501)})
    assert reached.monthly is None
    assert reached.missing == ("unit: no price in r of further units, of 501 that the account uses there",)
    below = cost_of(instance(), lambda _: (PART,), without_third, Decimal(730), use, {FIRST: Decimal(500)})
    assert below.monthly == Decimal("7.60")


def test_the_metrics_of_detailed_monitoring_are_counted_over_all_instances() -> None:
    monitored = instance(detailed_monitoring=True)
    ((query, units),) = monthly_units(monitored, EC2.billed_parts, None, Decimal(730))
    assert (query, units) == (detailed_monitoring(monitored.region).query, Decimal(7))
    assert (FEWEST_MONITORED - 1) * units <= 10_000 < FEWEST_MONITORED * units
    cost = cost_of(monitored, EC2.billed_parts, SOURCE.lookup, Decimal(730), None, {query: Decimal(20_000)})
    metrics = next(part for part in cost.components if part.dimension == "metric_first_10k")
    assert metrics.price.amount == Decimal("0.2")
