"""ecs_service_graviton: the same tasks for less, and what cannot run there or has no price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.ecs.containers import SERVICES, service

from finops.domain.canonical import Json
from finops_operator.services.ecs.checks.ecs_service_graviton import CHECK


def test_tasks_on_x86_are_found_with_what_they_cost_on_graviton() -> None:
    one = SERVICES.found(CHECK, service())
    assert (one.action, one.target, one.new_monthly_cost) == ("", "ARM64", Decimal("57.67000"))
    assert (one.evidence["monthlyCost"], one.evidence["targetMonthlyCost"]) == ("72.08", "57.67")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "ARM64"}, "its tasks run on ARM64"),
        ({"architecture": None}, "what its tasks run on is not known"),
        ({"system": "WINDOWS_SERVER_2022_CORE"}, "WINDOWS_SERVER_2022_CORE does not run on Graviton"),
        ({"runs_on": "EC2"}, "its tasks run on EC2, not on FARGATE"),
        ({"running_tasks": 0}, "no task is running"),
        ({"task_cpu_units": None}, "what its tasks cost on both processors is not known"),
    ],
)
def test_what_does_not_run_there_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert SERVICES.reason(CHECK, service(**changes)) == why


def test_without_a_price_nothing_is_proposed() -> None:
    assert "is not known" in SERVICES.reason(CHECK, service("active", "nowhere-1"))
    assert SERVICES.reason(CHECK, service("draining")) == "it is draining, not active"
