"""auto_scaling_group_fixed_size: a size that cannot change and members with little to do."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.support.scaling_groups import found, group, reason

from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.autoscaling.checks.auto_scaling_group_fixed_size import CHECK


def cpu(summary: MetricSummary) -> Utilization:
    return Utilization("web", metrics={"groupCpuPercent": summary})


def test_a_group_of_three_that_is_never_half_busy_is_found_and_its_saving_is_not_known() -> None:
    one = found(CHECK, group(3), cpu(flat(39.9)))
    assert (one.new_monthly_cost, one.evidence["size"], one.evidence["p99_5CpuPercent"]) == (None, 3, "39.9")
    assert (one.action, one.parameters) == ("auto_scaling_group_resize", {"size": "2/2/2"})
    assert one.summary == "It always has 3 instances. CPU never exceeded 39.9 %."


def test_half_of_a_group_saves_what_its_cheapest_members_cost() -> None:
    one = found(CHECK, group(3), cpu(flat(39.9)), ["70.08", "35.04", "35.04"])
    assert (one.new_monthly_cost, one.unpriced) == (Decimal("105.12"), "")
    assert one.facts[-1].value == "at least the cost of the cheapest of its 3 members; AWS chooses which ones end"
    alike = found(CHECK, group(4), cpu(flat(5)), ["70.08"] * 4)
    assert alike.new_monthly_cost == Decimal("140.16")
    assert alike.facts[-1].value == "the cost of 2 of its 4 members, which cost the same"


@pytest.mark.parametrize(
    ("one", "costs", "why"),
    [
        (group(3), None, "which members it has is not known"),
        (group(3), ["1", None, "1"], "the cost of 1 of its 3 members is not known"),
        (group(3), ["1", "1"], "it has 2 members and wants 3"),
        (group(4, DesiredCapacityType="vcpu"), ["1"] * 4, "its size counts capacity and not members"),
    ],
)
def test_where_a_member_is_not_known_neither_is_the_saving(
    one: Resource, costs: list[str | None] | None, why: str
) -> None:
    verdict = found(CHECK, one, cpu(flat(5)), costs)
    assert (verdict.new_monthly_cost, verdict.unpriced) == (None, why)
    assert verdict.facts[-1].value == f"not known: {why}"


def test_a_group_of_a_cluster_or_of_weighted_types_gets_advice_alone() -> None:
    of_cluster = group(4, Tags=[{"Key": "eks:nodegroup-name", "Value": "workers"}])
    weighted = group(4, DesiredCapacityType="vcpu")
    for one in (of_cluster, weighted):
        assert (found(CHECK, one, cpu(flat(5))).action, found(CHECK, one, cpu(flat(5))).parameters) == ("", {})


def test_a_group_whose_cpu_reaches_the_limit_now_and_then_is_left_alone() -> None:
    assert "reached 40 %" in reason(CHECK, group(3), cpu(flat(40)))
    twice_busy = summarize([5.0] * 334 + [90.0] * 2)
    assert "reached 90 %" in reason(CHECK, group(3), cpu(twice_busy))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (group(1), "it has a single instance, which it replaces"),
        (group(2, MaxSize=3), "it may scale"),
        (group(2, MinSize=1), "it may scale"),
        (group(2, MaxSize=None), "its size is not known"),
        (group(0), "it is empty"),
    ],
)
def test_a_group_that_may_scale_or_holds_one_instance_is_left_alone(one: Resource, why: str) -> None:
    assert reason(CHECK, one, cpu(flat(1))) == why


def test_without_its_cpu_or_with_too_little_of_it_nothing_is_said() -> None:
    assert reason(CHECK, group(3), Utilization("web")) == "group CPU is unknown (not measured)"
    assert "hours of group CPU" in reason(CHECK, group(3), cpu(flat(1, days=1)))
    half = summarize([1.0] * 168, expected=336)
    assert "covers 50 %" in reason(CHECK, group(3), cpu(half))
