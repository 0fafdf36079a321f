"""rds_instance_overprovisioned: a smaller class holds all of it, what would not fit, and what is never judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.rds.databases import cost, database, found, judged, reason

from finops.domain.canonical import Json
from finops.domain.recommendation import Finding, PerformanceRisk
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.rds.checks.rds_instance_overprovisioned import CHECK
from finops_operator.services.rds.instance import KIND
from finops_operator.services.rds.judging.class_need import MEASURED

HOURS = 14 * 24
GIB = 1024**3


def large(**changes: Json) -> Resource:
    """Return a db.m5.2xlarge: 8 vCPUs, 32 GiB."""
    return database(**{"db_instance_class": "db.m5.2xlarge", **changes})


def used(
    changes: Mapping[str, MetricSummary] | None = None, /, *, days: int = 14, **more: MetricSummary
) -> Utilization:
    """Return a fifth of the CPU of a db.m5.2xlarge and 8 of its 32 GiB."""
    usual = {
        "cpuPercent": flat(20, days=days),
        "freeableMemory": flat(24 * GIB, days=days),
        "databaseConnections": flat(50, days=days),
        "readIops": flat(100, days=days),
        "writeIops": flat(100, days=days),
        "readThroughput": flat(1_000_000, days=days),
        "writeThroughput": flat(1_000_000, days=days),
    }
    return Utilization("orders", metrics={**usual, **(changes or {}), **more})


def test_a_class_that_is_twice_too_large_is_found_with_the_next_one_down() -> None:
    one = found(CHECK, large(), used())
    assert (one.action, one.target) == ("rds_instance_resize", "db.m5.xlarge")
    assert one.parameters == {"dbInstanceClass": "db.m5.xlarge", "apply": "window"}
    assert one.new_monthly_cost == Decimal("261.160")  # 0.342 × 730 and 11.50 of storage
    assert one.expectation == "Expected CPU about 40 %, memory about 50 %."
    assert one.performance_risk is PerformanceRisk.LOW
    assert one.evidence["usedMemoryMib"] == "8192"
    assert one.summary == "CPU never exceeded 20 %; db.m5.xlarge holds that and all else it uses."


@pytest.mark.parametrize(("engine", "warned"), [("postgres", True), ("mysql", False)])
def test_people_see_that_postgresql_reads_through_the_cache_of_the_operating_system(engine: str, warned: bool) -> None:
    facts = {fact.label: fact.value for fact in found(CHECK, large(engine=engine), used()).facts}
    assert ("what the operating system caches counts as free" in facts.get("Memory of PostgreSQL", "")) is warned


@pytest.mark.parametrize(("days", "percent", "target"), [(32, 10, "large"), (31, 10, "xlarge"), (32, 25, "xlarge")])
def test_a_month_of_data_names_the_smallest_class_that_holds_it(days: int, percent: float, target: str) -> None:
    # 4 GiB in use; a quarter of 8 vCPUs would leave a db.m5.large no room.
    measured = used(days=days, cpuPercent=flat(percent, days=days), freeableMemory=flat(28 * GIB, days=days))
    assert found(CHECK, large(), measured).target == f"db.m5.{target}"


def test_two_zones_are_counted_in_both_costs() -> None:
    one = found(CHECK, large(multi_az=True), used())
    assert one.new_monthly_cost == Decimal("522.320")  # 0.684 × 730 and 23.00 of storage
    assert cost(large(multi_az=True)).unrounded_monthly == Decimal("1021.640")
    assert [fact.value for fact in one.facts if fact.label == "Zones"] == ["two; the cost counts both"]


@pytest.mark.parametrize(
    ("name", "near", "over", "why"),
    [
        ("cpuPercent", 40, 40.1, "its CPU"),
        ("freeableMemory", 19.2 * GIB, 19.1 * GIB, "its memory"),
        ("databaseConnections", 1092, 1093, "the 1,365 connections that it allows"),
        ("readIops", 5900, 5901, "its operations a second"),
        ("writeThroughput", 142_750_000, 142_750_001, "its throughput"),
    ],
)
def test_what_fits_just_so_is_found_and_what_exceeds_it_is_not(name: str, near: float, over: float, why: str) -> None:
    assert found(CHECK, large(), used({name: flat(near)})).target == "db.m5.xlarge"
    assert reason(CHECK, large(), used({name: flat(over)})) == f"db.m5.xlarge is too small: {why}"


def test_one_hour_of_less_free_memory_breaks_it() -> None:
    once = summarize([24.0 * GIB] * (HOURS - 1) + [10.0 * GIB])
    assert reason(CHECK, large(), used(freeableMemory=once)) == "db.m5.xlarge is too small: its memory"


def test_one_hour_of_more_connections_breaks_it() -> None:
    once = summarize([50.0] * (HOURS - 1) + [1200.0])
    assert "connections" in reason(CHECK, large(), used(databaseConnections=once))


def test_one_hour_of_cpu_is_a_peak_that_the_preset_leaves_out_and_two_are_not() -> None:
    once = summarize([20.0] * (HOURS - 1) + [95.0])
    assert "(1 of 336)" in found(CHECK, large(), used(cpuPercent=once)).summary
    twice = summarize([20.0] * (HOURS - 2) + [95.0] * 2)
    assert reason(CHECK, large(), used(cpuPercent=twice)) == "db.m5.xlarge is too small: its CPU"


@pytest.mark.parametrize("name", MEASURED)
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    known = {key: value for key, value in used().metrics.items() if key != name}
    unread = Utilization("orders", metrics=known, unknown={name: "Throttled"})
    assert reason(CHECK, large(), unread) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_short_window_and_a_young_database_prove_nothing() -> None:
    assert reason(CHECK, large(), used(days=13)).startswith("only 13 days of CPU were read")
    young = replace(large(), created=None)
    assert reason(CHECK, young, used()) == "its age is not known"


def test_a_burstable_class_is_named_only_where_its_baseline_carries_the_peak() -> None:
    small = database(db_instance_class="db.t3.large")
    memory = flat(6.5 * GIB)
    quiet = used(cpuPercent=flat(16), freeableMemory=memory)  # a db.t3.medium gives 20 % for ever, 16 % with headroom
    assert found(CHECK, small, quiet).target == "db.t3.medium"
    busy = used(cpuPercent=flat(16.1), freeableMemory=memory)
    assert reason(CHECK, small, busy) == "db.t3.medium is too small: its CPU without credits"


def test_what_aws_does_not_sell_for_the_engine_is_not_named() -> None:
    enterprise = large(engine="sqlserver-ee", license_model="license-included", db_instance_class="db.r5.xlarge")
    why = "no smaller class of the family costs less with sqlserver-ee in us-east-1"
    assert reason(CHECK, enterprise, used()) == why


def test_a_class_is_found_without_a_price_and_its_saving_is_unknown() -> None:
    elsewhere = judged(CHECK, database("available", "nowhere-1", db_instance_class="db.m5.2xlarge"), used())
    assert isinstance(elsewhere, Finding)
    assert (elsewhere.target, elsewhere.new_monthly_cost) == ("db.m5.xlarge", None)


def test_a_class_that_changed_while_it_was_measured_is_not_judged() -> None:
    changed = used(freeableMemory=flat(33 * GIB))
    assert "the class changed while it was measured" in reason(CHECK, large(), changed)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"replicates_from": "primary"}, "it is a replica, which must keep up with its source"),
        (
            {"engine": "aurora-mysql", "db_cluster_id": "c"},
            "it is a member of a cluster, whose members stand in for each other",
        ),
        ({"db_cluster_id": None}, "whether it belongs to others is not known"),
        ({"db_instance_class": None}, "its class is not known"),
        ({"db_instance_class": "db.x2g.large"}, "what db.x2g.large offers is not known"),
        ({"db_instance_class": "db.m5.large"}, "no smaller class has the family of db.m5.large"),
    ],
)
def test_what_belongs_to_others_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    measured = used(freeableMemory=flat(GIB)) if changes.get("db_instance_class") == "db.m5.large" else used()
    assert reason(CHECK, large(**changes), measured) == why


def test_only_an_available_database_is_judged_and_the_source_of_replicas_is() -> None:
    stopped = replace(large(), state="stopped")
    assert reason(CHECK, stopped, used()) == "it is stopped, not available"
    source = found(CHECK, large(read_replicas=["reader"]), used())
    assert [fact.value for fact in source.facts if fact.label == "Replicas"] == ["1; they keep their class"]


def test_sessions_that_ran_at_once_need_a_processor_each_where_they_are_counted() -> None:
    """A db.m5.xlarge has four; a fifth stays free."""
    assert found(CHECK, large(performance_insights=True), used(dbLoadCpu=flat(3.2))).target == "db.m5.xlarge"
    waited = reason(CHECK, large(performance_insights=True), used(dbLoadCpu=flat(3.3)))
    assert waited == "db.m5.xlarge is too small: processors for the sessions that ran at once"


def test_sessions_that_could_not_be_read_this_time_are_not_taken_for_none() -> None:
    unread = replace(used(), unknown={"dbLoadCpu": "AccessDenied"})
    assert "could not be read" in reason(CHECK, large(performance_insights=True), unread)
    uncounted = replace(used(), unknown={"dbLoadCpu": "NotApplicable"})
    assert found(CHECK, large(performance_insights=False), uncounted).target == "db.m5.xlarge"


def test_the_load_is_asked_for_where_performance_insights_publishes_it() -> None:
    (load,) = [spec for spec in KIND.metrics if spec.name == "dbLoadCpu"]
    assert (load.namespace, load.metric) == ("AWS/RDS", "DBLoadCPU")
    asked = [load.applies(large(performance_insights=one)) for one in (True, False, None)]
    assert asked == [True, False, False]
    assert not load.applies(replace(large(performance_insights=True), state="stopped"))


def test_a_policy_may_have_the_class_changed_at_once_instead_of_in_the_window() -> None:
    one = found(CHECK, large(), used(), applyAtOnce=Decimal(1))
    assert one.parameters == {"dbInstanceClass": "db.m5.xlarge", "apply": "now"}
