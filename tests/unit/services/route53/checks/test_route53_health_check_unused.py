"""route53_health_check_unused: nothing refers to it for two weeks, and what is referred to or not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.route53.health_checks import HEALTH, ID, health_check, measured

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.services.route53.checks.route53_health_check_unused import CHECK


def test_a_health_check_that_nothing_refers_to_is_found() -> None:
    one = HEALTH.found(CHECK, health_check(), measured())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "No record, no other health check and no alarm refers to it."


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"records": 1}, "1 records and 0 other checks refer to it"),
        ({"parents": 1}, "0 records and 1 other checks refer to it"),
        ({"alarms": 1}, "1 alarms watch it"),
        ({"linked_service": "servicediscovery.amazonaws.com"}, "an AWS service made it"),
    ],
)
def test_a_single_reference_breaks_it(changes: dict[str, Json], why: str) -> None:
    assert HEALTH.reason(CHECK, health_check(**changes), measured()) == why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"records": None}, "what refers to it is not known"),
        ({"parents": None}, "what refers to it is not known"),
        ({"alarms": None}, "whether an alarm watches it is not known"),
        ({"measures_latency": True}, "it measures latency, and alarms on that are not read"),
        ({"measures_latency": None}, "it measures latency, and alarms on that are not read"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert HEALTH.reason(CHECK, health_check(**changes), measured()) == why


def test_one_whose_status_was_not_seen_for_two_weeks_may_be_new() -> None:
    assert "only 13 days" in HEALTH.reason(CHECK, health_check(), measured(13))
    unread = Utilization(ID, unknown={"healthStatus": "Throttled"})
    assert HEALTH.reason(CHECK, health_check(), unread) == "health status is unknown (Throttled)"
    assert HEALTH.reason(CHECK, health_check("disabled"), measured()) == "it is disabled, not active"
