"""What goes takes the last units of a price that falls: a saving is what AWS's bill of all units falls by."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import instance, kind_of, volume
from tests.unit.scan.test_recommend import ACTS, CHECKS, declared, finding

from finops.domain.price import Cost, Price, PriceQuery
from finops.domain.recommendation import Recommendation
from finops.domain.resource import Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.plugins.kind import BilledPart, FurtherStep
from finops_operator.scan.price import SharedUnits, UnitsOfAll, cost_of
from finops_operator.scan.recommend import Terms, recommend

FIRST: Final = PriceQuery("x", "r", "first")
STEPS: Final = (
    FurtherStep(Decimal(100), PriceQuery("x", "r", "second")),
    FurtherStep(Decimal(500), PriceQuery("x", "r", "third")),
)
AMOUNTS: Final = {"first": Decimal(10), "second": Decimal(7), "third": Decimal(4)}
HOURS: Final = Decimal(730)
USES: Final = st.lists(st.integers(0, 1000), min_size=1, max_size=8)
TERMS: Final = Terms("team-a/policy", ACTS)
TINY: Final = Decimal("1e-15")


def lookup(query: PriceQuery, factor: int = 1) -> Price | None:
    amount = AMOUNTS.get(query.dimension)
    return None if amount is None else Price(amount * factor, "unit", "bundled", date(2026, 1, 2))


def parts(resource: Resource) -> tuple[BilledPart, ...]:
    """Return one part by use, of which a share of the tag's percent is billed."""
    share = Decimal(resource.tags.get("share", "100")) / 100
    return (BilledPart("unit", share, FIRST, metric="units", further=STEPS),)


def use(units: int | None) -> Utilization:
    return Utilization("i-1", month={} if units is None else {"units": MonthlyUse(float(units), 730.0)})


def billed(units: Decimal, factor: int = 1) -> Decimal:
    """Return what AWS bills for all units together, step by step."""
    within = min(units, Decimal(100)), max(Decimal(0), min(units, Decimal(500)) - 100), max(Decimal(0), units - 500)
    return sum((units * amount * factor for units, amount in zip(within, AMOUNTS.values(), strict=True)), Decimal(0))


def counted(uses: list[int | None]) -> SharedUnits:
    units = UnitsOfAll()
    for one in uses:
        units.add(instance(), parts, use(one))
    return units.shared()


def left(percent: int) -> Resource:
    return replace(instance(), tags={"share": str(percent)})


def costs(uses: list[int], percent: int, factor: int = 1, *, unknown: bool = False) -> tuple[Decimal, Decimal, Decimal]:
    """Return what the first of all costs, what the bill falls by without it, and what it adds with so much of it."""
    shared, measured = counted([*uses, *([None] if unknown else [])]), use(uses[0])
    beside = shared.beside(instance(), parts, measured)

    def price(query: PriceQuery) -> Price | None:
        return lookup(query, factor)

    share = cost_of(instance(), parts, price, HOURS, measured, shared.units)
    now = cost_of(instance(), parts, price, HOURS, measured, beside)
    after = cost_of(left(percent), parts, price, HOURS, measured, beside)
    return exact(share), exact(now), exact(after)


def exact(cost: Cost) -> Decimal:
    assert cost.unrounded_monthly is not None
    return cost.unrounded_monthly


@given(USES, st.integers(0, 300))
def test_the_difference_is_what_the_bill_of_all_units_changes_by(uses: list[int], percent: int) -> None:
    _, now, after = costs(uses, percent)
    total, kept = Decimal(sum(uses)), Decimal(uses[0]) * percent / 100
    assert abs((now - after) - (billed(total) - billed(total - uses[0] + kept))) < TINY


@given(USES, st.integers(0, 100), st.booleans())
def test_a_saving_is_never_negative_and_never_more_than_the_share_of_the_bill(
    uses: list[int], percent: int, unknown: bool
) -> None:
    share, now, after = costs(uses, percent, unknown=unknown)
    assert -TINY <= now - after <= share + TINY


@given(st.lists(st.integers(0, 30), min_size=1, max_size=3), st.integers(0, 100))
def test_within_one_step_the_last_units_cost_what_all_cost(uses: list[int], percent: int) -> None:
    share, now, after = costs(uses, percent)
    assert (share, after) == (now, share * percent / 100)


@given(USES, st.integers(0, 100), st.integers(2, 9))
def test_savings_follow_the_prices(uses: list[int], percent: int, factor: int) -> None:
    _, now, after = costs(uses, percent)
    _, dearer, dearer_after = costs(uses, percent, factor)
    assert abs((dearer - dearer_after) - factor * (now - after)) < TINY


@given(USES)
def test_what_is_saved_one_by_one_is_never_more_than_the_bill(uses: list[int]) -> None:
    saved = sum(costs([one, *uses[:at], *uses[at + 1 :]], 0)[1] for at, one in enumerate(uses))
    assert saved <= billed(Decimal(sum(uses))) + TINY


@pytest.mark.parametrize(("unknown", "saved"), [(False, 100 * 7 + 50 * 4), (True, 150 * 4)])
def test_where_somebodys_units_are_not_known_every_unit_counts_as_the_cheapest_that_is_reached(
    unknown: bool, saved: int
) -> None:
    # 550 units: those that go are the last 50, and 100 of the step before.
    _, now, after = costs([150, 400], 0, unknown=unknown)
    assert after == 0
    assert now == saved


def test_a_step_without_a_price_leaves_both_unknown() -> None:
    def without_third(query: PriceQuery) -> Price | None:
        return None if query.dimension == "third" else lookup(query)

    for unknown in (False, True):
        shared = counted([10, 500, *([None] if unknown else [])])
        beside = shared.beside(instance(), parts, use(10))
        assert cost_of(instance(), parts, without_third, HOURS, use(10), beside).monthly is None


def test_what_nobody_counted_is_all_that_the_account_uses() -> None:
    """A price list of what was pushed knows no other resource; the units of one are at least its own."""
    alone = cost_of(instance(), parts, lookup, HOURS, use(600))
    assert alone.monthly == billed(Decimal(600))


def test_units_within_the_first_step_need_no_second_cost() -> None:
    assert not counted([40, 60]).reached
    assert counted([40, 61]).reached
    assert not counted([100, None]).reached


def made(cost: Cost, at_margin: Cost | None, new_cost: str | None) -> Recommendation:
    resource = volume()
    (one,) = recommend(
        resource, cost, [finding("ebs_volume_gp2", new_cost)], declared(resource), TERMS, at_margin=at_margin
    )
    return one


def stepped(monthly: str) -> Cost:
    return Cost(Decimal(monthly), None)


def test_the_columns_of_such_a_recommendation_add_up_and_say_why() -> None:
    assert kind_of(volume()).id in CHECKS["ebs_volume_gp2"].kinds
    one = made(stepped("10.00"), stepped("7.00"), "2.00")
    assert (one.current_monthly_cost, one.new_monthly_cost, one.list_monthly_savings) == (
        Decimal("10.00"),
        Decimal("5.00"),
        Decimal("5.00"),
    )
    assert [fact.value for fact in one.facts if fact.label == "Saving"] == [
        "at the lowest prices that the account reaches; its cost is at the average of all prices"
    ]


def test_what_all_units_cost_alike_is_said_nothing_about() -> None:
    for margin in (None, stepped("10.00")):
        one = made(stepped("10.00"), margin, "2.00")
        assert (one.new_monthly_cost, one.list_monthly_savings) == (Decimal("2.00"), Decimal("8.00"))
        assert not [fact for fact in one.facts if fact.label == "Saving"]


def test_what_saves_nothing_at_the_margin_saves_nothing() -> None:
    one = made(stepped("10.00"), stepped("7.00"), "7.50")
    assert (one.new_monthly_cost, one.list_monthly_savings) == (Decimal("10.00"), Decimal("0.00"))
    assert not [fact for fact in one.facts if fact.label == "Saving"]


def test_an_unknown_margin_is_no_saving_at_average_prices() -> None:
    one = made(stepped("10.00"), Cost(None, None, missing=("gb_second: no price",)), "2.00")
    assert (one.new_monthly_cost, one.list_monthly_savings) == (None, None)
    assert one.attributes["noPriceReason"] == "gb second: no price"
