"""lambda_function_concurrency_idle: instances that wait for requests that never come."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.awslambda.functions import FUNCTIONS, ago, function, invoked, served

from finops.domain.canonical import Json
from finops_operator.services.awslambda.checks.lambda_function_concurrency_idle import CHECK

WAITING = function(provisioned_instances=5, provisioned_since=ago(60))


def test_instances_that_served_nothing_for_two_weeks_are_idle_and_their_price_is_saved() -> None:
    use = invoked(1000, provisionedInvocations=served())
    idle = FUNCTIONS.found(CHECK, WAITING, use)
    assert idle.new_monthly_cost == FUNCTIONS.cost(function(), use).unrounded_monthly
    assert idle.evidence["provisionedInstances"] == 5
    assert idle.summary == "5 instances wait for requests, and none came for 14 days."


def test_a_single_invocation_that_they_served_breaks_it() -> None:
    use = invoked(1000, provisionedInvocations=served(1))
    assert FUNCTIONS.reason(CHECK, WAITING, use) == "it served 1 invocations within 14 days"


def test_a_metric_that_is_missing_is_never_zero() -> None:
    unread = without(invoked(0, provisionedInvocations=served()), "provisionedInvocations")
    assert FUNCTIONS.reason(CHECK, WAITING, unread) == "provisioned invocations is unknown (Throttled)"


def test_a_shorter_window_proves_nothing_unless_the_policy_asks_for_less() -> None:
    short = invoked(0, provisionedInvocations=served(days=13))
    assert "14 are needed" in FUNCTIONS.reason(CHECK, WAITING, short)
    FUNCTIONS.found(CHECK, WAITING, short, minimumIdleDays=Decimal(7))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"provisioned_instances": 0}, "no concurrency is provisioned"),
        ({"provisioned_instances": None}, "whether concurrency is provisioned is not known"),
        ({"provisioned_since": ago(13)}, "it was changed within the last 14 days"),
        ({"provisioned_since": ""}, "when it was last changed is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_does_not_wait_or_is_new_is_not_judged(changes: dict[str, Json], why: str) -> None:
    facts = {"provisioned_instances": 5, "provisioned_since": ago(60), **changes}
    assert FUNCTIONS.reason(CHECK, function(**facts), invoked(0, provisionedInvocations=served())) == why


def test_savings_follow_the_prices() -> None:
    use = invoked(0, provisionedInvocations=served())
    now, thrice = FUNCTIONS.cost(WAITING, use).unrounded_monthly, FUNCTIONS.at(3).cost(WAITING, use).unrounded_monthly
    assert now
    assert thrice == 3 * now


def test_without_a_price_they_are_still_found() -> None:
    arm = function(provisioned_instances=5, provisioned_since=ago(60), architecture="arm64")
    assert FUNCTIONS.cost(arm, invoked(0)).monthly is None
    FUNCTIONS.found(CHECK, arm, invoked(0, provisionedInvocations=served()))
