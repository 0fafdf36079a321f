"""route53_health_check_disabled: disabled and named nowhere, and what is named or not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.route53.health_checks import HEALTH, health_check

from finops.domain.canonical import Json
from finops_operator.services.route53.checks.route53_health_check_disabled import CHECK


def test_a_disabled_health_check_is_found() -> None:
    one = HEALTH.found(CHECK, health_check("disabled"))
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "It is disabled and billed all the same."


def test_one_that_works_is_left_alone() -> None:
    assert HEALTH.reason(CHECK, health_check()) == "it is active, not disabled"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"records": 1}, "1 records and 0 other checks refer to it"),
        ({"parents": 2}, "0 records and 2 other checks refer to it"),
        ({"linked_service": "servicediscovery.amazonaws.com"}, "an AWS service made it"),
    ],
)
def test_a_single_reference_breaks_it(changes: dict[str, Json], why: str) -> None:
    assert HEALTH.reason(CHECK, health_check("disabled", **changes)) == why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"records": None}, "what refers to it is not known"),
        ({"parents": None}, "what refers to it is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert HEALTH.reason(CHECK, health_check("disabled", **changes)) == why
