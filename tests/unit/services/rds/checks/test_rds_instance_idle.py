"""rds_instance_idle: two weeks without a connection, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.rds.databases import cost, database, found, judged, reason

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.rds.checks.rds_instance_idle import CHECK
from finops_operator.services.rds.rules.restart import cost_with_stop

HOURS = 14 * 24


def measured(**changes: MetricSummary) -> Utilization:
    quiet = {"databaseConnections": flat(0), "cpuPercent": flat(3), "readIops": flat(0), "writeIops": flat(2)}
    return Utilization("orders", metrics={**quiet, **changes})


def test_a_database_that_nobody_connected_to_for_two_weeks_is_idle() -> None:
    idle = found(CHECK, database(), measured())
    assert idle.action == "rds_instance_stop"
    assert idle.evidence["maximumConnections"] == "0"
    assert idle.evidence["coveragePercent"] == "100"
    assert idle.summary.startswith("Nobody connected to it for 14 days.")
    assert "after seven days" in idle.summary


def test_a_stop_saves_seven_days_of_its_hours_once_and_never_its_storage() -> None:
    idle = found(CHECK, database(), measured())
    running = cost(database()).unrounded_monthly
    assert running is not None
    assert idle.new_monthly_cost is not None
    hourly = (running - Decimal("11.500")) / 730
    assert running - idle.new_monthly_cost == hourly * 7 * 24
    assert idle.evidence["savedDays"] == "7"
    assert [fact.value for fact in idle.facts if fact.label == "Saved at most"] == ["7 days of its hours, once"]


def test_what_a_stop_saves_is_not_known_where_a_price_is_missing() -> None:
    assert cost_with_stop(None, Decimal(1), Decimal(730)) is None
    assert cost_with_stop(Decimal(1), None, Decimal(730)) is None


def test_a_single_connection_in_one_hour_breaks_it() -> None:
    once = summarize([0.0] * (HOURS - 1) + [1.0])
    assert reason(CHECK, database(), measured(databaseConnections=once)) == "up to 1 connections were open at once"


def test_cpu_at_the_limit_shows_that_something_works_inside_and_below_it_does_not() -> None:
    assert "the limit is 10 %" in reason(CHECK, database(), measured(cpuPercent=flat(10)))
    found(CHECK, database(), measured(cpuPercent=flat(9.9)))


def test_reads_and_writes_at_the_limit_show_that_something_works_inside_and_below_it_do_not() -> None:
    busy = reason(CHECK, database(), measured(readIops=flat(18)))
    assert busy == "its storage did 20 operations a second without a connection, the limit is 20"
    idle = found(CHECK, database(), measured(readIops=flat(17.9)))
    assert (idle.evidence["meanIops"], idle.evidence["thresholdMeanIops"]) == ("19.9", "20")
    found(CHECK, database(), measured(readIops=flat(30)), maximumMeanIops=Decimal(50))


def test_a_backup_at_night_does_not_make_a_database_busy() -> None:
    nightly = summarize(([3.0] * 23 + [60.0]) * 14)
    found(CHECK, database(), measured(cpuPercent=nightly))


@pytest.mark.parametrize("name", ["databaseConnections", "cpuPercent", "readIops", "writeIops"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    known = {key: value for key, value in measured().metrics.items() if key != name}
    unread = Utilization("orders", metrics=known, unknown={name: "Throttled"})
    assert reason(CHECK, database(), unread) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_window_with_holes_or_shorter_than_two_weeks_proves_nothing() -> None:
    holes = summarize([0.0] * (HOURS // 2), expected=HOURS)
    assert "covers 50 %" in reason(CHECK, database(), measured(databaseConnections=holes))
    short = measured(databaseConnections=flat(0, days=13))
    assert reason(CHECK, database(), short) == "only 13 days of database connections were read, 14 are needed"
    found(CHECK, database(), short, minimumIdleDays=Decimal(7))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"replicates_from": "orders-primary"}, "it is a replica, which may wait for the day it is needed"),
        ({"read_replicas": ["orders-reader"]}, "others replicate from it"),
        ({"db_cluster_id": "c"}, "it is a member of a cluster, whose members stand in for each other"),
        ({"read_replicas": None}, "whether others depend on it is not known"),
    ],
)
def test_a_database_that_others_depend_on_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert reason(CHECK, database(**changes), measured()) == why


@pytest.mark.parametrize("state", ["stopped", "modifying", "backing-up"])
def test_only_an_available_database_is_judged(state: str) -> None:
    assert reason(CHECK, database(state), measured()) == f"it is {state}, not available"


def test_an_idle_database_without_a_price_is_still_found() -> None:
    idle = judged(CHECK, database("available", "nowhere-1"), measured())
    assert isinstance(idle, Finding)
    assert idle.new_monthly_cost is None
