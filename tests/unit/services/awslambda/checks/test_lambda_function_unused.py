"""lambda_function_unused: months without an invocation, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.support.judging import without
from tests.unit.services.awslambda.functions import DAY, FUNCTIONS, ago, function, invoked

from finops.domain.canonical import Json
from finops_operator.services.awslambda.checks.lambda_function_unused import CHECK


def test_a_function_that_nobody_invoked_for_three_months_is_unused() -> None:
    unused = FUNCTIONS.found(CHECK, function(), invoked(0))
    assert (unused.action, unused.new_monthly_cost) == ("", Decimal(0))
    assert unused.summary == "Nobody invoked it for 90 days."


def test_a_single_invocation_breaks_it() -> None:
    once = invoked(0, invocations=summarize([0.0] * 89 + [1.0], period=DAY))
    assert FUNCTIONS.reason(CHECK, function(), once) == "it was invoked 1 times within 90 days"


def test_a_metric_that_is_missing_is_never_zero() -> None:
    unread = without(invoked(0), "invocations", reason="InternalError")
    assert FUNCTIONS.reason(CHECK, function(), unread) == "invocations is unknown (InternalError)"


def test_a_shorter_window_proves_nothing_unless_the_policy_asks_for_less() -> None:
    assert "90 are needed" in FUNCTIONS.reason(CHECK, function(), invoked(0, days=89))
    FUNCTIONS.found(CHECK, function(), invoked(0, days=89), minimumIdleDays=Decimal(60))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"last_modified": ago(89)}, "it was changed within the last 90 days"),
        ({"last_modified": None}, "when it was last changed is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"on_own_capacity": True}, "it runs on instances of a capacity provider"),
    ],
)
def test_a_function_that_may_be_new_or_protected_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert FUNCTIONS.reason(CHECK, function(**changes), invoked(0)) == why


def test_a_function_deployed_just_before_the_window_is_judged() -> None:
    FUNCTIONS.found(CHECK, function(last_modified=ago(90)), invoked(0))


def test_what_may_run_at_the_edge_of_cloudfront_is_said_where_that_is_kept() -> None:
    here = FUNCTIONS.found(CHECK, function("us-east-1"), invoked(0))
    assert any("edge" in fact.value for fact in here.facts)
    assert not any("edge" in fact.value for fact in FUNCTIONS.found(CHECK, function(), invoked(0)).facts)
