"""sagemaker_endpoint_idle: two weeks without a request, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.sagemaker.models import ENDPOINTS, endpoint, measured

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.services.sagemaker.checks.sagemaker_endpoint_idle import CHECK

HOURS = 14 * 24


def test_an_endpoint_that_no_request_reached_for_two_weeks_is_idle() -> None:
    idle = ENDPOINTS.found(CHECK, endpoint(), measured())
    assert (idle.action, idle.new_monthly_cost, idle.evidence["instances"]) == ("", Decimal(0), 2)
    assert idle.summary == "No request reached it for 14 days."


def test_a_single_request_breaks_it() -> None:
    once = measured(summarize([0.0] * (HOURS - 1) + [1.0]))
    assert ENDPOINTS.reason(CHECK, endpoint(), once) == "it served 1 requests"


def test_requests_that_could_not_be_read_or_too_few_are_never_zero() -> None:
    unread = Utilization("prices", unknown={"invocations": "Throttled"})
    assert ENDPOINTS.reason(CHECK, endpoint(), unread) == "invocations is unknown (Throttled)"
    assert "only 13 days" in ENDPOINTS.reason(CHECK, endpoint(), measured(flat(0, days=13)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"variants": ["main", "new"]}, "it has 2 variants, one is measured"),
        ({"variants": None}, "what stands behind it is not known"),
        ({"serverless": True}, "it is serverless and costs nothing without requests"),
        ({"instances": 0}, "no machine stands behind it"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_costs_nothing_or_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert ENDPOINTS.reason(CHECK, endpoint(**changes), measured()) == why


def test_a_young_one_and_one_at_work_are_not_judged() -> None:
    assert ENDPOINTS.reason(CHECK, endpoint("inservice", 13), measured()) == "it is younger than 14 days"
    assert ENDPOINTS.reason(CHECK, endpoint("updating"), measured()) == "it is updating, not inservice"
