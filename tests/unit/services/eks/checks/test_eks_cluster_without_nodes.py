"""eks_cluster_without_nodes: nothing can run on it, and what could or is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.eks.kubernetes import CLUSTERS, cluster

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.eks.checks.eks_cluster_without_nodes import CHECK


def bare(days: float = 365, /, **changes: Json) -> Resource:
    return cluster("active", "us-east-1", days, **{"node_groups": 0, "machines": 0, **changes})


def test_a_cluster_on_which_nothing_can_run_is_found() -> None:
    one = CLUSTERS.found(CHECK, bare())
    assert (one.action, one.new_monthly_cost, one.evidence["machines"]) == ("", Decimal(0), 0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"node_groups": 1}, "it has 1 node groups and 0 Fargate profiles"),
        ({"fargate_profiles": 1}, "it has 0 node groups and 1 Fargate profiles"),
        ({"auto_mode": True}, "EKS starts its machines by itself"),
        ({"machines": 1}, "machines carry its tag: 1"),
        ({"machines": None}, "whether machines carry its tag is not known"),
        ({"node_groups": None}, "what it can run pods on is not known"),
        ({"on_outpost": True}, "it stands on an Outpost"),
    ],
)
def test_anything_that_can_run_pods_and_anything_unknown_breaks_it(changes: dict[str, Json], why: str) -> None:
    assert CLUSTERS.reason(CHECK, bare(**changes)) == why


def test_a_new_cluster_waits_for_its_nodes() -> None:
    assert CLUSTERS.reason(CHECK, bare(13)) == "it is younger than 14 days"
    CLUSTERS.found(CHECK, bare(2), minimumAgeDays=Decimal(1))


def test_a_cluster_at_work_is_not_judged() -> None:
    assert CLUSTERS.reason(CHECK, cluster("updating", node_groups=0, machines=0)) == "it is updating, not active"
