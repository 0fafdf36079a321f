"""cloudfront_distribution_idle: a month without a request, and what is no proof of that."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.cloudfront.distributions import (
    DAY,
    DISTRIBUTIONS,
    changed,
    distribution,
    measured,
    unpublished,
)

from finops.domain.canonical import Json
from finops_operator.services.cloudfront.checks.cloudfront_distribution_idle import CHECK

ONCE = summarize([0.0] * 29 + [1.0], period=DAY)


def test_a_distribution_without_a_request_for_a_month_is_idle() -> None:
    one = DISTRIBUTIONS.found(CHECK, distribution(), measured())
    assert (one.action, one.new_monthly_cost, one.evidence["requests"]) == ("", Decimal(0), 0)
    assert one.summary == "Requests in at least 30 days: none."


def test_a_single_request_breaks_it_unless_the_policy_allows_some() -> None:
    why = "1 requests were counted, 0 are the limit"
    assert DISTRIBUTIONS.reason(CHECK, distribution(), measured(ONCE)) == why
    DISTRIBUTIONS.found(CHECK, distribution(), measured(ONCE), maximumRequests=Decimal(100))


def test_a_day_without_a_point_is_not_known_whatever_is_allowed_and_the_reason_says_so() -> None:
    some = summarize([1.0] * 29, period=DAY, expected=30)
    assert DISTRIBUTIONS.reason(CHECK, distribution(), measured(some), maximumRequests=Decimal(1000)) == (
        "nothing is known of requests in 24 of its hours: "
        "AWS does not say whether CloudFront publishes a day without a request"
    )
    few = summarize([1.0] * 20, period=DAY, expected=30)
    assert DISTRIBUTIONS.reason(CHECK, distribution(), measured(few), maximumRequests=Decimal(1000)) == (
        "requests covers 66.6 % of its window, 95 % are needed: "
        "AWS does not say whether CloudFront publishes a day without a request"
    )


def test_a_window_without_any_point_is_evidence_and_a_shorter_one_or_a_failed_read_is_not() -> None:
    DISTRIBUTIONS.found(CHECK, distribution(), unpublished(30))
    assert (
        DISTRIBUTIONS.reason(CHECK, distribution(), unpublished(29)) == "less than 30 days of requests were asked for"
    )
    why = "requests is unknown (Throttled)"
    assert DISTRIBUTIONS.reason(CHECK, distribution(), unpublished(30, "Throttled")) == why
    assert "only 29 days" in DISTRIBUTIONS.reason(CHECK, distribution(), measured(flat(0, days=29, period=DAY)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"distribution_changed_at": changed(29)}, "it was changed 29 days ago, 30 are needed"),
        ({"distribution_changed_at": None}, "when it was changed last is not known"),
        ({"staging": True}, "it tries out a change of another distribution"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_one_that_may_be_new_or_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert DISTRIBUTIONS.reason(CHECK, distribution(**changes), measured()) == why


def test_a_disabled_one_is_left_alone() -> None:
    assert DISTRIBUTIONS.reason(CHECK, distribution("disabled"), measured()) == "it is disabled"
