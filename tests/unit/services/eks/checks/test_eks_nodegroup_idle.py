"""eks_nodegroup_idle: machines without work, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.support.judging import without
from tests.unit.services.eks.node_groups import NODE_GROUPS, node_cpu, node_group

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.eks.checks.eks_nodegroup_idle import CHECK

HOURS = 14 * 24


def test_a_node_group_whose_machines_do_nothing_is_idle_and_its_saving_is_not_known() -> None:
    one = NODE_GROUPS.found(CHECK, node_group(), node_cpu(flat(4.9)))
    assert (one.action, one.new_monthly_cost, one.evidence["machines"]) == ("eks_nodegroup_resize", None, 6)
    assert one.parameters == {"size": "0/0/12"}
    assert one.summary == (
        "Its 6 machines do next to nothing. CPU never exceeded 4.9 %; network at most 100 MB a day for each machine."
    )


def test_all_machines_of_an_idle_group_are_saved() -> None:
    bench = replace(NODE_GROUPS, members=["70.08"] * 6)
    one = bench.found(CHECK, node_group(), node_cpu(flat(4.9)))
    assert (one.new_monthly_cost, one.unpriced) == (Decimal(0), "")


def test_machines_whose_network_is_busy_are_not_idle_although_their_cpu_is() -> None:
    why = "network carried 1000 MB for each machine on its busiest day, idle is below 1000 MB"
    assert NODE_GROUPS.reason(CHECK, node_group(), node_cpu(flat(1), megabytes=1000)) == why
    NODE_GROUPS.found(CHECK, node_group(), node_cpu(flat(1), megabytes=999))


@pytest.mark.parametrize("name", ["nodeNetworkInBytes", "nodeNetworkOutBytes"])
def test_a_network_that_was_not_read_is_no_idle_one(name: str) -> None:
    unread = without(node_cpu(flat(1)), name)
    assert NODE_GROUPS.reason(CHECK, node_group(), unread).endswith("bytes is unknown (Throttled)")


def test_cpu_at_the_limit_is_work() -> None:
    why = "CPU of its busiest machine reached 5 %, idle is below 5 %"
    assert NODE_GROUPS.reason(CHECK, node_group(), node_cpu(flat(5))) == why
    NODE_GROUPS.found(CHECK, node_group(), node_cpu(flat(5)), maximumCpuPercent=Decimal(6))


def test_two_busy_hours_break_it_and_one_is_an_update() -> None:
    twice = summarize([1.0] * (HOURS - 2) + [60.0] * 2)
    assert "reached 60 %" in NODE_GROUPS.reason(CHECK, node_group(), node_cpu(twice))
    NODE_GROUPS.found(CHECK, node_group(), node_cpu(summarize([1.0] * (HOURS - 1) + [60.0])))


def test_what_is_not_measured_is_never_idle() -> None:
    unread = Utilization("workers", unknown={"nodeCpuPercent": "Throttled"})
    assert NODE_GROUPS.reason(CHECK, node_group(), unread) == "node CPU is unknown (Throttled)"
    short = node_cpu(flat(1, days=13))
    assert NODE_GROUPS.reason(CHECK, node_group(), short).startswith("only 13 days of node CPU were read")
    assert NODE_GROUPS.reason(CHECK, node_group("active", 13), node_cpu(flat(1))) == "it is younger than 14 days"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"desired_size": 0, "minimum_size": 0}, "it has no machine"),
        ({"desired_size": None}, "its size is not known"),
        ({"instance_types": ["m5.large", "g5.xlarge"]}, "g5.xlarge has accelerators, whose use is not measured"),
        ({"instance_types": ["inf2.xlarge"]}, "inf2.xlarge has accelerators, whose use is not measured"),
        ({"instance_types": ["g6f.large"]}, "g6f.large has accelerators, whose use is not measured"),
        ({"instance_types": []}, "the type of its machines is not known"),
        ({"instance_types": None}, "the type of its machines is not known"),
        ({"instance_types": ["m99.large"]}, "nothing is known about m99.large"),
        ({"auto_scaling_groups": []}, "its machines are in 0 groups, not one"),
        ({"auto_scaling_groups": ["a", "b"]}, "its machines are in 2 groups, not one"),
    ],
)
def test_a_group_without_machines_or_whose_cpu_is_no_one_metric_is_left_alone(
    changes: dict[str, Json], why: str
) -> None:
    assert NODE_GROUPS.reason(CHECK, node_group(**changes), node_cpu(flat(1))) == why


def test_only_an_active_group_is_judged() -> None:
    assert NODE_GROUPS.reason(CHECK, node_group("updating"), node_cpu(flat(1))) == "it is updating, not active"


@pytest.mark.parametrize("name", ["nodeCpuPercent", "nodeNetworkInBytes", "nodeNetworkOutBytes"])
def test_a_lost_day_may_have_been_the_one_with_work(name: str) -> None:
    use = node_cpu(flat(1))
    lost = replace(use, metrics={**use.metrics, name: day_lost(1)})
    assert (
        NODE_GROUPS.reason(CHECK, node_group(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
    )
