"""rds_cluster_idle: two weeks without any use, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.rds.clusters import CLUSTERS, cluster, measured, without

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding
from finops.domain.utilization import MonthlyUse
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.rds.checks.rds_cluster_idle import CHECK

HOURS = 14 * 24


@pytest.mark.parametrize("engine", ["aurora-mysql", "aurora-postgresql", "docdb", "neptune", "mysql"])
def test_a_cluster_that_nobody_used_for_two_weeks_is_idle(engine: str) -> None:
    idle = CLUSTERS.found(CHECK, cluster(engine=engine), measured())
    assert idle.action == ("rds_cluster_stop" if engine.startswith("aurora") else "")
    assert idle.evidence["maximumUse"] == "0"
    assert idle.summary.startswith("Nobody used it for 14 days.")


def test_what_its_members_cost_is_said_and_is_no_cost_of_the_cluster() -> None:
    facts = {fact.label: fact.value for fact in CLUSTERS.found(CHECK, cluster(), measured()).facts}
    assert facts["Hours of its members"] == "423.40 USD a month for 2 instances, listed as such"  # 2 × 0.29 × 730
    unread = CLUSTERS.found(CHECK, cluster(member_classes=None), measured())
    assert "Hours of its members" not in {fact.label for fact in unread.facts}


def test_a_stopped_aurora_cluster_starts_again_and_a_multi_az_cluster_is_billed_until_it_is_deleted() -> None:
    assert "after seven days" in CLUSTERS.found(CHECK, cluster(), measured()).summary
    assert "until it is deleted" in CLUSTERS.found(CHECK, cluster(engine="mysql"), measured()).summary


def test_a_single_connection_in_one_hour_breaks_it() -> None:
    once = summarize([0.0] * (HOURS - 1) + [1.0])
    assert CLUSTERS.reason(CHECK, cluster(), measured(clusterConnections=once)) == "it had up to 1 connections at once"
    graph = measured(graphRequestsPerSecond=summarize([0.0] * (HOURS - 1) + [0.2]))
    assert CLUSTERS.reason(CHECK, cluster(engine="neptune"), graph) == "it had up to 0.2 requests a second"


def test_the_metrics_of_another_service_say_nothing() -> None:
    busy = measured(documentConnections=flat(20), graphRequestsPerSecond=flat(20))
    CLUSTERS.found(CHECK, cluster(), busy)


def test_cpu_at_the_limit_shows_that_something_works_inside_and_below_it_does_not() -> None:
    assert "the limit is 10 %" in CLUSTERS.reason(CHECK, cluster(), measured(clusterCpuPercent=flat(10)))
    CLUSTERS.found(CHECK, cluster(), measured(clusterCpuPercent=flat(9.9)))


@pytest.mark.parametrize("name", ["clusterConnections", "clusterCpuPercent"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert CLUSTERS.reason(CHECK, cluster(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_window_with_holes_or_shorter_than_two_weeks_proves_nothing() -> None:
    holes = summarize([0.0] * (HOURS // 2), expected=HOURS)
    assert "covers 50 %" in CLUSTERS.reason(CHECK, cluster(), measured(clusterConnections=holes))
    short = measured(clusterConnections=flat(0, days=13))
    assert "only 13 days" in CLUSTERS.reason(CHECK, cluster(), short)
    assert CLUSTERS.reason(CHECK, cluster("available", "us-east-1", 13), measured()) == "it is younger than 14 days"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"global_cluster": "world"}, "it is part of a global database, whose clusters stand in for each other"),
        ({"replicates_from": "arn"}, "it is a replica, which may wait for the day it is needed"),
        ({"read_replicas": ["arn"]}, "others replicate from it"),
        ({"read_replicas": None}, "whether others depend on it is not known"),
        ({"members": []}, "it has no instance"),
        ({"engine": "new"}, "its engine is not known"),
    ],
)
def test_a_cluster_that_others_depend_on_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert CLUSTERS.reason(CHECK, cluster(**changes), measured()) == why


@pytest.mark.parametrize("state", ["stopped", "modifying", "backing-up"])
def test_only_an_available_cluster_is_judged(state: str) -> None:
    assert CLUSTERS.reason(CHECK, cluster(state), measured()) == f"it is {state}, not available"


USE = {
    "volumeBytesUsed": MonthlyUse(100 * 2**30, None),
    "volumeReadOperations": MonthlyUse(0, 720.0),
    "volumeWriteOperations": MonthlyUse(0, 720.0),
}
"""100 GiB of storage, and nothing that is billed by use."""


def test_a_stop_saves_a_week_of_what_its_members_cost_and_no_storage() -> None:
    with_members = replace(CLUSTERS, members=["211.70", "211.70"])
    facts = with_members.facts(cluster(), replace(measured(), month=USE))
    idle = CHECK.evaluate(facts, {spec.name: spec.default for spec in CHECK.parameters})
    assert isinstance(idle, Finding)
    assert facts.cost.at_stake is not None
    assert idle.new_monthly_cost is not None
    saving = facts.cost.at_stake - idle.new_monthly_cost
    # 2 × 0.29 USD an hour for 168 hours.
    assert saving == pytest.approx(Decimal("97.44"), abs=Decimal("0.02"))


def test_of_the_saving_of_a_stop_what_aws_bills_the_cluster_itself_is_known_apart() -> None:
    """8 million requests in 30 days at 0.20 USD a million; for the 168 hours of the stop they are not made."""
    use = {**USE, "volumeReadOperations": MonthlyUse(8_000_000, 720.0)}
    facts = replace(CLUSTERS, members=["211.70"]).facts(cluster(), replace(measured(), month=use))
    idle = CHECK.evaluate(facts, {spec.name: spec.default for spec in CHECK.parameters})
    assert isinstance(idle, Finding)
    own = facts.cost.unrounded_monthly
    assert own is not None
    assert idle.own_new_cost is not None
    assert own - idle.own_new_cost == pytest.approx(Decimal("1.6") / 720 * 168, abs=Decimal("0.0001"))


@pytest.mark.parametrize("members", [None, ["211.70", None]])
def test_a_member_without_a_price_leaves_the_saving_of_a_stop_unknown(members: list[str | None] | None) -> None:
    idle = replace(CLUSTERS, members=members).found(CHECK, cluster(), measured())
    assert (idle.new_monthly_cost, idle.unpriced) == (None, "the cost of its members is not known")


def test_the_other_engines_are_advice_whose_saving_is_not_worked_out() -> None:
    assert CLUSTERS.found(CHECK, cluster(engine="docdb"), measured()).new_monthly_cost is None


@pytest.mark.parametrize("name", ["clusterConnections", "clusterCpuPercent"])
def test_a_lost_day_may_have_been_the_one_with_clients(name: str) -> None:
    lost = measured(**{name: day_lost()})
    assert CLUSTERS.reason(CHECK, cluster(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
