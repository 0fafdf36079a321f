"""ecs_service_idle: two weeks below one percent, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.ecs.containers import SERVICES, measured, service, without

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.ecs.checks.ecs_service_idle import CHECK

HOURS = 14 * 24


def test_a_service_whose_tasks_did_nothing_for_two_weeks_is_idle() -> None:
    idle = SERVICES.found(CHECK, service(), measured())
    assert (idle.action, idle.parameters) == ("ecs_service_set_desired_count", {"desiredCount": 0})
    assert (idle.target, idle.new_monthly_cost) == ("0 tasks", Decimal(0))
    assert (idle.evidence["maximumCpuPercent"], idle.evidence["runningTasks"]) == ("0.1", 2)
    assert idle.summary == "Its tasks did nothing for 14 days."


@pytest.mark.parametrize(("name", "noun"), [("cpuPercent", "CPU"), ("memoryPercent", "memory")])
def test_a_single_hour_at_one_percent_breaks_it(name: str, noun: str) -> None:
    once = summarize([0.1] * (HOURS - 1) + [1.0])
    assert SERVICES.reason(CHECK, service(), measured(**{name: once})) == f"its {noun} reached 1 %, idle is below 1 %"
    SERVICES.found(CHECK, service(), measured(**{name: once}), maximumPeakPercent=Decimal("1.1"))


@pytest.mark.parametrize("name", ["cpuPercent", "memoryPercent"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert SERVICES.reason(CHECK, service(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_short_window_or_a_young_service_proves_nothing() -> None:
    assert "only 13 days" in SERVICES.reason(CHECK, service(), measured(cpuPercent=flat(0, days=13)))
    assert SERVICES.reason(CHECK, service("active", "us-east-1", 13), measured()) == "it is younger than 14 days"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"runs_on": "EC2"}, "its tasks run on EC2, not on FARGATE"),
        ({"running_tasks": 0}, "no task is running"),
        ({"running_tasks": None}, "how many tasks are running is not known"),
    ],
)
def test_a_service_that_is_not_billed_by_its_tasks_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert SERVICES.reason(CHECK, service(**changes), measured()) == why


def test_a_service_that_is_going_away_is_not_judged() -> None:
    assert SERVICES.reason(CHECK, service("draining"), measured()) == "it is draining, not active"


@pytest.mark.parametrize("name", ["cpuPercent", "memoryPercent"])
def test_a_lost_day_may_have_been_the_one_with_work(name: str) -> None:
    lost = measured(**{name: day_lost(0.1)})
    assert SERVICES.reason(CHECK, service(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
