"""eks_nodegroup_overprovisioned: a smallest size above the work, and groups that shrink by themselves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.eks.node_groups import NODE_GROUPS, node_cpu, node_group

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.services.eks.checks.eks_nodegroup_overprovisioned import CHECK

HOURS = 14 * 24


def test_a_group_at_its_floor_that_is_never_busy_is_found_with_what_is_enough() -> None:
    one = NODE_GROUPS.found(CHECK, node_group(), node_cpu(flat(20)))
    assert (one.action, one.target, one.new_monthly_cost) == ("eks_nodegroup_resize", "minimum 2", None)
    assert one.parameters == {"size": "2/2/12"}
    assert one.summary == "It cannot shrink below 6 machines. CPU never exceeded 20 %: 2 hold that."
    assert one.expectation == "Expected CPU about 60 %."


def test_fewer_machines_save_what_the_cheapest_ones_cost() -> None:
    bench = replace(NODE_GROUPS, members=["70.08", "70.08", "35.04", "35.04", "35.04", "35.04"])
    assert bench.found(CHECK, node_group(), node_cpu(flat(20))).new_monthly_cost == Decimal("140.16")
    lost = replace(NODE_GROUPS, members=["70.08"] * 5)
    verdict = lost.found(CHECK, node_group(), node_cpu(flat(20)))
    assert (verdict.new_monthly_cost, verdict.unpriced) == (None, "it has 5 members and wants 6")


def test_a_busiest_machine_at_the_limit_leaves_the_group_as_it_is() -> None:
    assert NODE_GROUPS.found(CHECK, node_group(), node_cpu(flat(39.9))).target == "minimum 3"
    why = "CPU of its busiest machine reached 40 %, the limit is 40 %"
    assert NODE_GROUPS.reason(CHECK, node_group(), node_cpu(flat(40))) == why


def test_two_busy_hours_break_it() -> None:
    twice = summarize([20.0] * (HOURS - 2) + [90.0] * 2)
    assert "reached 90 %" in NODE_GROUPS.reason(CHECK, node_group(), node_cpu(twice))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"minimum_size": 2}, "it has 6 machines and may go down to 2 by itself"),
        ({"minimum_size": 2, "desired_size": 2}, "its smallest size of 2 is enough and no more"),
        ({"instance_types": ["trn1.2xlarge"]}, "trn1.2xlarge has accelerators, whose use is not measured"),
        ({"instance_types": []}, "the type of its machines is not known"),
        ({"minimum_size": None}, "its size is not known"),
    ],
)
def test_a_group_that_shrinks_by_itself_or_is_small_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert NODE_GROUPS.reason(CHECK, node_group(**changes), node_cpu(flat(1))) == why


def test_what_is_not_measured_is_never_too_large() -> None:
    unread = Utilization("workers", unknown={"nodeCpuPercent": "Throttled"})
    assert NODE_GROUPS.reason(CHECK, node_group(), unread) == "node CPU is unknown (Throttled)"
