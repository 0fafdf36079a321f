"""auto_scaling_group_overprovisioned: a smallest size above the work, and groups that shrink by themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.support.scaling_groups import found, group, reason

from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.autoscaling.checks.auto_scaling_group_overprovisioned import CHECK

HOURS = 14 * 24


def cpu(summary: MetricSummary) -> Utilization:
    return Utilization("web", metrics={"groupCpuPercent": summary})


def test_a_group_at_its_floor_that_is_never_busy_is_found_with_what_is_enough() -> None:
    one = found(CHECK, group(6, MaxSize=12), cpu(flat(20)))
    assert (one.action, one.target, one.new_monthly_cost) == ("auto_scaling_group_resize", "minimum 2", None)
    assert one.parameters == {"size": "2/2/12"}
    assert one.summary == "It cannot scale in below 6 members. CPU never exceeded 20 %: 2 hold that."
    assert one.expectation == "Expected CPU at most about 60 %."
    assert (one.evidence["minimumSize"], one.evidence["enough"]) == (6, 2)


def test_fewer_members_save_what_the_cheapest_ones_cost() -> None:
    one = found(CHECK, group(6, MaxSize=12), cpu(flat(20)), ["10.00", "2.00", "1.00", "4.00", "3.00", "5.00"])
    assert (one.new_monthly_cost, one.unpriced) == (Decimal("15.00"), "")
    lost = found(CHECK, group(6, MaxSize=12), cpu(flat(20)), ["1.00"] * 5 + [None])
    assert (lost.new_monthly_cost, lost.unpriced) == (None, "the cost of 1 of its 6 members is not known")


def test_a_busiest_member_at_the_limit_leaves_the_group_as_it_is() -> None:
    assert found(CHECK, group(6, MaxSize=12), cpu(flat(39.9))).target == "minimum 3"
    assert reason(CHECK, group(6, MaxSize=12), cpu(flat(40))) == (
        "CPU of its busiest member reached 40 %, the limit is 40 %"
    )


def test_two_busy_hours_break_it_and_one_does_not() -> None:
    twice = summarize([20.0] * (HOURS - 2) + [90.0] * 2)
    assert "reached 90 %" in reason(CHECK, group(6, MaxSize=12), cpu(twice))
    assert found(CHECK, group(6, MaxSize=12), cpu(summarize([20.0] * (HOURS - 1) + [90.0]))).target == "minimum 2"


def members(**described: str) -> list[dict[str, str]]:
    return [{"InstanceId": f"i-{number}", "InstanceType": "m5.large", **described} for number in range(6)]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (
            group(6, MaxSize=12, Instances=members(InstanceType="g5.xlarge")),
            "g5.xlarge has accelerators, whose use is not measured",
        ),
        (group(6, MaxSize=12, Instances=members(InstanceType="")), "the type of its machines is not known"),
        (group(6, MaxSize=12, Instances=None), "the type of its machines is not known"),
        (group(6, MaxSize=12, Instances=members(WeightedCapacity="2")), "its size counts capacity and not members"),
        (
            group(
                6,
                MaxSize=12,
                MixedInstancesPolicy={
                    "LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large", "WeightedCapacity": "2"}]}
                },
            ),
            "its size counts capacity and not members",
        ),
        (group(6, MaxSize=12, DesiredCapacityType="vcpu"), "its size counts capacity and not members"),
        (group(6), "its size is fixed"),
        (group(2, MaxSize=4), "its smallest size of 2 is enough and no more"),
        (group(6, MinSize=2, MaxSize=12), "it has 6 members and may go down to 2 by itself"),
        (group(6, MaxSize=None), "its size is not known"),
        (group(0, MaxSize=4), "it is empty"),
        (
            group(6, MaxSize=12, Tags=[{"Key": "eks:nodegroup-name", "Value": "workers"}]),
            "it belongs to a node group of EKS, which is judged itself",
        ),
    ],
)
def test_a_group_that_shrinks_by_itself_or_belongs_to_eks_is_left_alone(one: Resource, why: str) -> None:
    assert reason(CHECK, one, cpu(flat(10))) == why


def test_without_two_weeks_of_its_cpu_nothing_is_said() -> None:
    roomy = group(6, MaxSize=12)
    assert reason(CHECK, roomy, Utilization("web")) == "group CPU is unknown (not measured)"
    assert reason(CHECK, roomy, cpu(flat(1, days=13))).startswith("only 13 days of group CPU were read")
    assert reason(CHECK, group(6, MaxSize=12, CreatedTime=None), cpu(flat(1))) == "its age is not known"
