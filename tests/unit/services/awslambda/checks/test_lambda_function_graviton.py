"""lambda_function_graviton: the same duration on Arm, where it costs enough to be worth a test."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.awslambda.functions import FUNCTIONS, function, invoked

from finops.domain.canonical import Json
from finops_operator.services.awslambda.checks.lambda_function_graviton import CHECK

BUSY = invoked(100_000)


def test_a_busy_function_on_x86_costs_less_on_arm_for_the_same_duration() -> None:
    found = FUNCTIONS.found(CHECK, function(), BUSY)
    now, then = FUNCTIONS.cost(function(), BUSY).unrounded_monthly, found.new_monthly_cost
    assert then == FUNCTIONS.cost(function(architecture="arm64"), BUSY).unrounded_monthly
    assert now is not None
    assert then is not None
    assert Decimal("0.7") * now < then < Decimal("0.9") * now
    assert found.target == "arm64"


def test_a_function_that_costs_next_to_nothing_is_left_alone() -> None:
    little = invoked(10_000)
    assert FUNCTIONS.reason(CHECK, function(), little) == "it costs 0.57 USD a month by use, 1 USD count"
    FUNCTIONS.found(CHECK, function(), little, minimumMonthlyCost=Decimal("0.5"))


def test_a_metric_that_is_missing_proves_nothing() -> None:
    unread = without(BUSY, "durationMilliseconds")
    assert FUNCTIONS.reason(CHECK, function(), unread) == "duration milliseconds is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "arm64"}, "it runs on arm64"),
        ({"architecture": None}, "it runs on a processor that is not known"),
        ({"package_type": "Image"}, "it is a container image, which is built for one processor"),
        ({"runtime": None}, "its runtime is not known"),
        ({"runtime": "go1.x"}, "go1.x is not offered on Arm"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_cannot_move_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert FUNCTIONS.reason(CHECK, function(**changes), BUSY) == why


def test_without_a_price_it_is_still_found() -> None:
    waiting = function(provisioned_instances=1)
    assert FUNCTIONS.found(CHECK, waiting, BUSY).new_monthly_cost is None
