"""rds_cluster_auto_pause: a minimum that is paid through empty hours, and who could not pause."""

from __future__ import annotations

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.rds.clusters import CLUSTERS, cluster, measured, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.rds.checks.rds_cluster_auto_pause import CHECK

HOURS = 14 * 24
RARELY = summarize([0.0] * (HOURS - 33) + [4.0] * 33)
"""Connections in 33 hours of 336, which is below one in ten."""


def serverless(**changes: Json) -> Resource:
    facts: dict[str, Json] = {
        "minimum_capacity": "2",
        "maximum_capacity": "16",
        "member_classes": ["db.serverless", "db.serverless"],
        **changes,
    }
    return cluster(**facts)


def test_a_cluster_that_is_used_for_few_hours_should_pause_in_the_others() -> None:
    one = CLUSTERS.found(CHECK, serverless(), measured(clusterConnections=RARELY))
    assert (one.action, one.new_monthly_cost, one.target) == ("", None, "minimum of 0 capacity units")
    assert (one.evidence["minimumCapacityUnits"], one.evidence["p90Connections"]) == ("2", "0")


def test_one_more_hour_with_a_connection_breaks_it() -> None:
    often = summarize([0.0] * (HOURS - 34) + [4.0] * 34)
    assert "more than one hour of ten" in CLUSTERS.reason(CHECK, serverless(), measured(clusterConnections=often))


def test_a_cluster_that_nobody_uses_at_all_is_idle_and_not_judged_here() -> None:
    assert CLUSTERS.reason(CHECK, serverless(), measured()) == "nobody connected to it at all"


@pytest.mark.parametrize("name", ["clusterConnections", "serverlessCapacity"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert CLUSTERS.reason(CHECK, serverless(), without(name)) == f"{name} is unknown (Throttled)"


def test_a_window_shorter_than_two_weeks_proves_nothing() -> None:
    short = measured(clusterConnections=flat(0, days=13))
    assert "only 13 days" in CLUSTERS.reason(CHECK, serverless(), short)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"minimum_capacity": "0"}, "it pauses already"),
        ({"minimum_capacity": None}, "it does not scale by capacity units"),
        ({"engine": "neptune"}, "it does not scale by capacity units"),
        ({"member_classes": ["db.r5.large"]}, "none of its instances is of class db.serverless"),
        ({"member_classes": None}, "the classes of its instances are not known"),
        ({"global_cluster": "world"}, "it is part of a global database, whose clusters stand in for each other"),
    ],
)
def test_a_cluster_that_cannot_pause_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert CLUSTERS.reason(CHECK, serverless(**changes), measured(clusterConnections=RARELY)) == why
