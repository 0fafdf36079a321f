"""What a group costs is its members', once: the sum of those that are known, and how many are not in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import instance
from tests.support.judging import Bench, group_cost
from tests.support.scaling_groups import group

from finops.domain.price import Attributed, Cost, GroupOf, cost_of_group
from finops.domain.report import ShardCost
from finops.store.resource_costs import cost_from_text, cost_to_text
from finops_operator.plugins.loaded import load_kinds
from finops_operator.plugins.members_saving import smaller_group
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.custom.fields import fields_of
from finops_operator.scan.price import cost_of
from finops_operator.scan.report import resource_to_json
from finops_operator.services.ec2.rules.detailed_monitoring import detailed_monitoring

GROUPS = load_kinds()["auto-scaling-group"]
COSTS = st.lists(st.none() | st.decimals(0, 9999, places=2).map(str), max_size=8)


def test_a_report_shows_the_sum_as_attributed_and_no_cost_of_the_groups_own() -> None:
    shown = resource_to_json(group(2), group_cost(GROUPS, group(2), ["10.01", "2.30"]), None)
    assert (shown["attributedMonthlyCost"], shown["attributedUnknown"]) == ("12.31", 0)
    assert (shown["monthlyCost"], shown["annualCost"], shown["hourlyCost"]) == (None, None, None)


def test_a_member_without_a_price_is_counted_and_not_taken_for_free() -> None:
    some = group_cost(GROUPS, group(3), ["10.00", None, None]).attributed
    assert some is not None
    assert (some.monthly, some.unknown, some.whole) == (Decimal("10.00"), 2, None)
    none = group_cost(GROUPS, group(1), [None]).attributed
    assert none is not None
    assert (none.monthly, none.unknown) == (None, 1)


def test_members_that_aws_did_not_name_leave_the_sum_unknown() -> None:
    shown = resource_to_json(group(2), cost_of_group(GroupOf("ec2-instance", None)), None)
    assert (shown["attributedMonthlyCost"], shown["attributedUnknown"]) == (None, None)


def test_what_is_no_group_has_nothing_attributed_and_keeps_its_own_cost() -> None:
    shown = resource_to_json(group(1), Cost(Decimal("1.00"), None), None)
    assert (shown["monthlyCost"], shown["attributedMonthlyCost"], shown["attributedUnknown"]) == ("1.00", None, None)


@given(COSTS)
def test_the_sum_and_the_rest_are_all_the_members_and_a_total_has_them_once(costs: list[str | None]) -> None:
    cost = group_cost(GROUPS, group(len(costs)), costs)
    assert cost.attributed is not None
    assert cost.attributed.unknown == costs.count(None)
    assert (cost.attributed.monthly or 0) == sum(Decimal(one) for one in costs if one is not None)
    total = ShardCost().plus(cost)
    assert (total.monthly_cost, total.unpriced, total.groups) == (Decimal(0), 0, 1)
    assert (total.known_cost, total.own_cost) == (Decimal(0), None)


@given(COSTS, st.integers(0, 9))
def test_a_smaller_group_never_saves_more_than_the_members_that_end_cost(costs: list[str | None], enough: int) -> None:
    smaller = smaller_group(group_cost(GROUPS, group(len(costs)), costs), len(costs), enough)
    if None in costs:
        assert smaller.monthly is None
        assert smaller.unknown
        return
    known = sorted(Decimal(one) for one in costs if one is not None)
    assert smaller.monthly is not None
    saved = sum(known, Decimal(0)) - smaller.monthly
    assert saved == sum(known[: max(0, len(known) - enough)])
    assert 0 <= saved <= sum(known)


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 4000))
def test_a_smaller_group_of_a_large_account_saves_what_the_last_metrics_of_its_members_cost(
    members: int, enough: int, others: int
) -> None:
    """Detailed monitoring: 7 metrics each, the first 10,000 of an account at 0.30 USD and the next at 0.10."""

    def bill(instances: int) -> Decimal:
        metrics = Decimal(7 * instances)
        return min(metrics, Decimal(10_000)) * Decimal("0.30") + max(Decimal(0), metrics - 10_000) * Decimal("0.10")

    part = detailed_monitoring("us-east-1")
    assert part.query is not None
    shared = {part.query: Decimal(7 * (members + others))}
    one = cost_of(instance(), lambda _: (part,), SOURCE.lookup, Decimal(730), None, shared)
    kept = cost_from_text(cost_to_text(one))
    assert kept == one
    found = Attributed(tuple((f"i-{at}", kept) for at in range(members)))
    cost = cost_of_group(GroupOf("ec2-instance", tuple(name for name, _ in found.members or ())), found)
    smaller = smaller_group(cost, members, enough)
    assert smaller.monthly is not None
    assert cost.at_stake is not None
    saved = cost.at_stake - smaller.monthly
    falls_by = bill(members + others) - bill(others + min(members, enough))
    assert 0 <= saved <= falls_by + Decimal("0.005") * members
    if 7 * others >= 10_000 or 7 * (members + others) <= 10_000:
        assert saved == pytest.approx(falls_by, abs=Decimal("0.005") * members)


def read(name: str, kind: str, members: list[str | None] | None) -> Any:
    bench = Bench(load_kinds()[kind], members=members)
    return fields_of(load_kinds()[kind])[name].read(bench.facts(group(1)))


@pytest.mark.parametrize("name", ["cost.monthly", "cost.annual", "cost.hourly"])
@pytest.mark.parametrize("kind", ["auto-scaling-group", "eks-nodegroup"])
def test_a_rule_about_cost_never_takes_a_group_for_free(name: str, kind: str) -> None:
    for members in (None, ["10.00", None]):
        assert read(name, kind, members).reason == "the cost is unknown (that of a member is not known)"


def test_a_rule_about_cost_gets_what_the_members_of_a_group_cost() -> None:
    assert read("cost.monthly", "auto-scaling-group", ["10.00", "2.50"]) == 12.5
    assert read("cost.annual", "auto-scaling-group", ["10.00", "2.50"]) == 150.0
    assert read("cost.monthly", "auto-scaling-group", []) == 0.0


def test_what_is_known_of_a_cost_is_its_priced_parts_and_the_members_that_have_a_price() -> None:
    some = group_cost(GROUPS, group(3), ["10.00", "2.50", None])
    assert (some.at_stake, some.at_least) == (None, Decimal("12.50"))
    assert group_cost(GROUPS, group(1), [None]).at_least is None
    assert Cost(Decimal("1.00"), None).at_least == Decimal("1.00")
