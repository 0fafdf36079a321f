"""lambda_function_deprecated_runtime: runtimes past AWS's date, which costs nothing and is a risk."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.awslambda.functions import FUNCTIONS, function, invoked

from finops.domain.canonical import Json
from finops_operator.services.awslambda.checks.lambda_function_deprecated_runtime import CHECK
from finops_operator.services.awslambda.rules.runtimes import DEPRECATED


def test_a_function_on_a_runtime_past_its_date_is_named_and_saves_nothing() -> None:
    found = FUNCTIONS.found(CHECK, function(runtime="python3.9"), invoked(100))
    assert found.evidence == {"runtime": "python3.9", "deprecatedSince": "2025-12-15"}
    assert found.new_monthly_cost == FUNCTIONS.cost(function(), invoked(100)).unrounded_monthly


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"runtime": "python3.13"}, "AWS maintains python3.13"),
        ({"runtime": None}, "its runtime is its own image's, or not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_aws_maintains_or_does_not_name_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert FUNCTIONS.reason(CHECK, function(**changes)) == why


def test_a_policy_may_wait_for_some_days_after_the_date() -> None:
    past = (NOW.date() - DEPRECATED["python3.9"]).days
    one = function(runtime="python3.9")
    FUNCTIONS.found(CHECK, one, minimumDaysAfter=Decimal(past))
    assert f"{past + 1} are needed" in FUNCTIONS.reason(CHECK, one, minimumDaysAfter=Decimal(past + 1))


def test_every_date_has_passed() -> None:
    assert max(DEPRECATED.values()) < NOW.date()
