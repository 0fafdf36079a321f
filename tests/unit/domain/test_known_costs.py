"""What is known of a cost counts, and what is not known makes the sum a lower bound."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from finops.domain.budget import Basis, BudgetState, judge, month_so_far
from finops.domain.money import to_cents
from finops.domain.price import BilledQuantity, Cost, GroupOf, Price, cost_from, cost_of_group
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay

HOURS = Decimal(730)
SEEN = date(2026, 7, 1)


def hours(amount: str) -> BilledQuantity:
    return BilledQuantity("hour", Decimal(1), Price(Decimal(amount), "hour", "bundled", SEEN))


PARTLY = cost_from([hours("0.027")], ["lcu_hour: no price in eu-north-1"], HOURS)
"""A load balancer whose hours have a price, and whose use has none."""
NOTHING = cost_from([], ["hour: no price in eu-north-1"], HOURS)
OF_MEMBERS = cost_of_group(GroupOf("ec2-instance", ids=("i-1",)), None)


def test_the_parts_with_a_price_are_what_a_resource_costs_at_least() -> None:
    assert (PARTLY.monthly, PARTLY.known_monthly) == (None, Decimal("19.71"))
    assert (NOTHING.monthly, NOTHING.known_monthly) == (None, None)
    whole = cost_from([hours("0.027")], (), HOURS)
    assert whole.known_monthly == whole.monthly == Decimal("19.71")


def test_a_resource_of_which_a_part_has_no_price_adds_the_others_and_counts_as_unpriced() -> None:
    found = ShardCost().plus(cost_from([hours("0.1")], (), HOURS)).plus(PARTLY).plus(NOTHING)
    assert found == ShardCost(Decimal("92.71"), 3, 2)


def test_a_sum_is_unknown_only_where_no_part_of_anything_has_a_price() -> None:
    assert ShardCost().plus(NOTHING).known_cost is None
    assert ShardCost().plus(NOTHING).plus(PARTLY).known_cost == Decimal("19.71")
    assert ShardCost().known_cost == 0


def test_a_budget_that_the_known_part_alone_passes_alerts_and_its_cost_stays_unknown() -> None:
    shard, today = Shard("111111111111", "eu-north-1", "load-balancer"), date(2026, 8, 10)
    costs = [CostOfDay(today.replace(day=day), shard, ShardCost().plus(PARTLY)) for day in range(1, 11)]
    month = month_so_far(costs, [shard], today)
    # Ten days of 19.71 a month of 730 hours: 6.48.
    for amount, state in ((Decimal(6), BudgetState.EXCEEDED), (Decimal(12), BudgetState.UNKNOWN)):
        found = judge(amount, month, None, [50], [50])
        assert (found.known, found.actual, found.state) == (Decimal("6.48"), None, state)
        assert [(one.basis, one.percent, one.cost) for one in found.reached] == [(Basis.ACTUAL, 50, Decimal("6.48"))]
    assert judge(Decimal(100), month, None, [50], [50]).reached == ()


_parts = st.lists(st.decimals("0", "5", places=4).map(lambda amount: hours(str(amount))), max_size=3)
_costs = st.lists(st.builds(lambda parts, why: cost_from(parts, why, HOURS), _parts, st.sampled_from(((), ("x",)))))


@given(_costs)
def test_a_sum_is_never_more_than_all_parts_and_never_less_than_what_is_priced_whole(costs: list[Cost]) -> None:
    found = ShardCost()
    for one in costs:
        found = found.plus(one)
    parts = [to_cents(sum((part.monthly for part in one.components), Decimal(0))) for one in costs]
    assert sum((one.monthly or Decimal(0) for one in costs), Decimal(0)) <= found.monthly_cost == sum(parts)
    assert (found.resources, found.unpriced) == (len(costs), sum(one.monthly is None for one in costs))


def test_a_region_without_resources_says_nothing_of_those_without_a_price_elsewhere() -> None:
    nowhere, unpriced = ShardCost(), ShardCost(resources=6, unpriced=6)
    assert nowhere.own_cost == 0
    assert nowhere.with_all_of(unpriced).own_cost is None
    assert unpriced.with_all_of(nowhere).own_cost is None
    groups = ShardCost(resources=2, groups=2)
    assert groups.with_all_of(unpriced).own_cost is None
    assert groups.with_all_of(ShardCost(Decimal("5.00"), 1)).own_cost == Decimal("5.00")


@given(st.lists(st.sampled_from([cost_from([hours("0.1")], (), HOURS), PARTLY, NOTHING, OF_MEMBERS]), max_size=12))
def test_the_sum_of_many_is_what_adding_one_after_the_other_comes_to(costs: list[Cost]) -> None:
    assert ShardCost.of(costs) == reduce(ShardCost.plus, costs, ShardCost(Decimal("0.00")))
