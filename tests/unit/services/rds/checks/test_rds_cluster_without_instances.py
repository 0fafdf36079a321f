"""rds_cluster_without_instances: nothing can connect, and who is empty on purpose."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.rds.clusters import CLUSTERS, cluster

from finops.domain.canonical import Json
from finops_operator.services.rds.checks.rds_cluster_without_instances import CHECK


def test_a_cluster_without_an_instance_is_found_and_its_saving_is_unknown() -> None:
    one = CLUSTERS.found(CHECK, cluster(members=[]))
    assert (one.action, one.new_monthly_cost, one.evidence["instances"]) == ("", None, 0)


def test_one_instance_is_enough_to_connect_to() -> None:
    assert CLUSTERS.reason(CHECK, cluster(members=["orders-1"])) == "it has 1 instances"


def test_a_cluster_whose_instances_are_not_known_is_not_empty() -> None:
    assert CLUSTERS.reason(CHECK, cluster(members=None)) == "its instances are not known"


def test_a_cluster_made_this_week_waits_for_its_instances() -> None:
    assert CLUSTERS.reason(CHECK, cluster("available", "us-east-1", 6, members=[])) == "it is younger than 7 days"
    CLUSTERS.found(CHECK, cluster("available", "us-east-1", 7, members=[]))
    CLUSTERS.found(CHECK, cluster("available", "us-east-1", 2, members=[]), minimumAgeDays=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine_mode": "serverless"}, "it is serverless and has no instances of its own"),
        ({"global_cluster": "world"}, "it is part of a global database, whose clusters stand in for each other"),
    ],
)
def test_a_cluster_that_is_empty_on_purpose_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert CLUSTERS.reason(CHECK, cluster(members=[], **changes)) == why


def test_a_stopped_cluster_is_not_judged() -> None:
    assert CLUSTERS.reason(CHECK, cluster("stopped", members=[])) == "it is stopped, not available"
