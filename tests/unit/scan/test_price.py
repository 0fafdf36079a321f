"""Adding up what a resource costs, to the cent of the classic sheet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import cost, in_region, instance

from finops.domain.money import annual_from_monthly, to_cents
from finops.domain.price import Price, PriceQuery
from finops_operator.plugins.kind import BilledPart
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import MemoizedPrices, cost_of
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
