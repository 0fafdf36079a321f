"""Adding up what a resource costs, to the cent of the classic sheet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import cost, in_region, instance

from finops.domain.money import annual_from_monthly, to_cents
from finops.domain.price import Cost, Price, PriceQuery
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.cli.explaining import price_lines
from finops_operator.plugins.kind import BilledPart
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import MemoizedPrices, cost_of
from finops_operator.scan.report import resource_to_json
from finops_operator.services.ec2.instance import billed_parts

QUERY = PriceQuery("ec2", "us-east-1", "instance_hour")
amounts = st.decimals(min_value=0, max_value=1000, places=6)


def test_at_720_hours_the_classic_t2_large_gives_the_classic_figures() -> None:
    known = cost(instance(instance_type="t2.large"), hours=Decimal(720))
    assert known.hourly == Decimal("0.0928")
    assert known.monthly == Decimal("66.82")
    assert annual_from_monthly(known.monthly) == Decimal("801.84")
    assert known.unrounded_monthly == Decimal("66.8160")


def test_public_addresses_are_part_of_an_instances_cost() -> None:
    known = cost(instance(instance_type="t2.large", public_ipv4=["203.0.113.1"], elastic=[True]), hours=Decimal(720))
    assert known.hourly == Decimal("0.0978")
    assert known.monthly == Decimal("70.42")
    assert known.price is not None
    assert known.price.amount == Decimal("0.0928")


def test_a_type_without_a_price_is_unknown_and_named() -> None:
    unknown = cost(instance(instance_type="m99.large"))
    assert (unknown.monthly, unknown.hourly, unknown.unrounded_monthly) == (None, None, None)
    assert unknown.missing == ("instance_hour: no price for m99.large, linux in us-east-1",)


def test_a_region_without_prices_is_unknown() -> None:
    china = in_region(instance(public_ipv4=["203.0.113.1"], elastic=[True]), "cn-north-1")
    assert cost(china).missing == (
        "instance_hour: no price for m5.2xlarge, linux in cn-north-1",
        "public_ipv4_hour: no price in cn-north-1",
    )


def test_a_price_in_another_currency_is_not_added() -> None:
    def yuan(_: PriceQuery) -> Price:
        return Price(Decimal(1), "hour", "bundled", date(2026, 1, 1), "CNY")

    unknown = cost_of(instance(), billed_parts, yuan, Decimal(730))
    assert unknown.monthly is None
    assert unknown.missing == ("instance_hour: priced in CNY",)


def test_priced_parts_stay_listed_beside_an_unknown_one() -> None:
    partly = cost(instance(tenancy="dedicated", public_ipv4=["203.0.113.1"], elastic=[False]))
    assert partly.monthly is None
    assert [component.dimension for component in partly.components] == ["public_ipv4_hour"]


@given(st.lists(st.tuples(amounts, st.booleans(), st.integers(0, 50)), max_size=6), st.integers(1, 744))
def test_the_monthly_cost_is_the_sum_of_its_parts_rounded_once(
    rows: list[tuple[Decimal, bool, int]], hours: int
) -> None:
    prices = {
        str(index): Price(amount, "hour" if hourly else "gb-month", "bundled", date(2026, 1, 1))
        for index, (amount, hourly, _) in enumerate(rows)
    }
    parts = tuple(
        BilledPart(str(index), Decimal(quantity), PriceQuery("x", "r", str(index)))
        for index, (_, _, quantity) in enumerate(rows)
    )
    known = cost_of(instance(), lambda _: parts, lambda query: prices[query.dimension], Decimal(hours))
    exact = sum((amount * quantity * (hours if hourly else 1) for amount, hourly, quantity in rows), Decimal(0))
    assert known.monthly == to_cents(exact)
    assert known.unrounded_monthly == exact
    assert not known.missing


def test_answers_are_remembered_and_the_first_source_that_knows_wins() -> None:
    asked: list[PriceQuery] = []

    class Silent:
        id = "silent"

        def lookup(self, query: PriceQuery) -> Price | None:
            asked.append(query)
            return None

    prices = MemoizedPrices((Silent(), SOURCE))
    query = PriceQuery("vpc", "us-east-1", "public_ipv4_hour")
    first, second = prices.lookup(query), prices.lookup(query)
    assert first is not None
    assert first == second
    assert asked == [query]


def test_an_answer_of_nobody_is_remembered_too() -> None:
    prices = MemoizedPrices(())
    assert prices.lookup(QUERY) is None
    assert prices.answers == {QUERY: None}


def used(**month: MonthlyUse) -> Utilization:
    return Utilization("i-1", month=month, unknown={"lost": "Throttling"})


def by_use(metric: str, **changes: Any) -> BilledPart:
    return BilledPart("gb", Decimal("0.5"), QUERY, metric=metric, **changes)


def at_two_dollars(_: PriceQuery) -> Price:
    return Price(Decimal(2), "gb", "bundled", date(2026, 1, 1))


def priced(*parts: BilledPart, use: Utilization | None, hours: int = 720) -> Cost:
    return cost_of(instance(), lambda _: parts, at_two_dollars, Decimal(hours), use)


def test_use_of_thirty_days_is_worked_out_for_the_hours_of_the_month_and_marked() -> None:
    use = used(sent=MonthlyUse(100.0, 720.0))
    cost_now = priced(by_use("sent"), use=use)
    assert (cost_now.monthly, cost_now.monthly_by_use, cost_now.hourly) == (Decimal("100.00"), Decimal("100.00"), None)
    assert priced(by_use("sent"), use=use, hours=730).monthly == Decimal("101.39")
    assert priced(by_use("sent"), use=used(sent=MonthlyUse(10.0, 72.0))).monthly == Decimal("100.00")
    assert cost_now.over(Decimal(730)) == priced(by_use("sent"), use=use, hours=730)


def test_a_level_is_billed_as_it_stands_in_any_month_and_is_no_part_by_use() -> None:
    cost_now = priced(by_use("kept"), use=used(kept=MonthlyUse(30.0)), hours=730)
    assert (cost_now.monthly, cost_now.monthly_by_use) == (Decimal("30.00"), Decimal("0.00"))


def test_steps_of_a_price_share_a_level_between_them() -> None:
    steps = (by_use("kept", up_to=Decimal(10)), by_use("kept", above=Decimal(10)))
    parts = priced(*steps, use=used(kept=MonthlyUse(30.0))).components
    assert [part.quantity for part in parts] == [Decimal(10), Decimal(5)]
    below = priced(*steps, use=used(kept=MonthlyUse(18.0))).components
    assert [part.quantity for part in below] == [Decimal(9)]


def test_what_was_not_used_costs_nothing_whatever_its_price_and_what_was_needs_one() -> None:
    def priceless(_: PriceQuery) -> None:
        return None

    unused, some = used(sent=MonthlyUse(0.0, 720.0)), used(sent=MonthlyUse(1.0, 720.0))
    assert cost_of(instance(), lambda _: (by_use("sent"),), priceless, Decimal(720), unused).monthly == 0
    assert cost_of(instance(), lambda _: (by_use("sent"),), priceless, Decimal(720), some).monthly is None


@pytest.mark.parametrize(("use", "why"), [(used(), "Throttling"), (Utilization("i-1"), "not measured"), (None, "not")])
def test_a_part_whose_metric_is_missing_is_unknown_and_never_zero(use: Utilization | None, why: str) -> None:
    cost_now = priced(by_use("lost"), use=use)
    assert (cost_now.monthly, cost_now.monthly_by_use) == (None, None)
    (missing,) = cost_now.missing
    assert missing.startswith(f"gb: lost of the last 30 days is unknown ({why}")


def test_what_explain_says_of_a_part_by_use_is_what_was_measured_and_in_how_long() -> None:
    use = used(sent=MonthlyUse(100.0, 720.0), kept=MonthlyUse(30.0))
    by_bytes, stored = price_lines(priced(by_use("sent"), by_use("kept"), use=use))
    assert (by_bytes["part"], by_bytes["quantity"], by_bytes["month"]) == ("gb, by use", "50.00 in 30 days", "100.00")
    assert (stored["part"], stored["quantity"], stored["month"]) == ("gb", "15", "30.00")


def test_a_report_shows_the_part_by_use_apart() -> None:
    use = used(sent=MonthlyUse(100.0, 360.0), kept=MonthlyUse(30.0))
    shown = resource_to_json(instance(), priced(by_use("sent"), by_use("kept"), use=use), use)
    assert (shown["monthlyCost"], shown["monthlyCostByUse"]) == ("230.00", "200.00")
    first, second = shown["costParts"]
    assert (first["byUse"], first["usedInHours"], first["quantity"]) == (True, "360.0", "50.00")
    assert (second["byUse"], second["usedInHours"], second["monthlyCost"]) == (False, None, "30.00")


def test_what_is_priced_by_the_second_and_stands_all_month_is_billed_by_the_hour() -> None:
    def by_second(_: PriceQuery) -> Price:
        return Price(Decimal("0.0001"), "gb-second", "bundled", date(2026, 1, 1))

    standing = BilledPart("waiting", Decimal(2), QUERY)
    known = cost_of(instance(), lambda _: (standing,), by_second, Decimal(720))
    assert (known.hourly, known.monthly, known.monthly_by_use) == (Decimal("0.72"), Decimal("518.40"), Decimal(0))
    use = used(sent=MonthlyUse(100.0, 720.0))
    worked = cost_of(instance(), lambda _: (by_use("sent"),), by_second, Decimal(720), use)
    assert (worked.hourly, worked.unrounded_monthly) == (None, Decimal("0.005"))


def test_what_is_priced_by_the_unit_and_hour_is_billed_for_the_hours_of_the_month() -> None:
    def by_unit(_: PriceQuery) -> Price:
        return Price(Decimal("0.004"), "gb-hour", "bundled", date(2026, 1, 1))

    standing = BilledPart("memory_gb_hour", Decimal(2), PriceQuery("test", "us-east-1", "memory_gb"))
    known = cost_of(instance(), lambda _: (standing,), by_unit, Decimal(720))
    assert (known.monthly, known.hourly) == (Decimal("5.76"), Decimal("0.008"))
