"""elasticache_serverless_cache_idle: two weeks without a request, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.elasticache.caches import SERVERLESS, measured, serverless, without

from finops_operator.services.elasticache.checks.elasticache_serverless_cache_idle import CHECK

HOURS = 14 * 24


def test_a_cache_that_no_request_reached_for_two_weeks_is_idle() -> None:
    idle = SERVERLESS.found(CHECK, serverless(minimum_storage_gb=1), measured())
    assert (idle.action, idle.new_monthly_cost, idle.evidence["processingUnits"]) == ("", Decimal(0), "0")
    assert {fact.label: fact.value for fact in idle.facts}["Billed at least"] == "1 GB of data"


def test_a_single_unit_breaks_it() -> None:
    once = summarize([0.0] * (HOURS - 1) + [1.0])
    assert SERVERLESS.reason(CHECK, serverless(), measured(processingUnits=once)) == (
        "requests consumed 1 processing units"
    )


def test_units_that_are_missing_or_too_few_are_never_zero() -> None:
    assert SERVERLESS.reason(CHECK, serverless(), without("processingUnits")) == (
        "processing units is unknown (Throttled)"
    )
    short = measured(processingUnits=flat(0, days=13))
    assert "only 13 days" in SERVERLESS.reason(CHECK, serverless(), short)


def test_a_young_one_one_without_known_tags_and_one_at_work_are_not_judged() -> None:
    assert SERVERLESS.reason(CHECK, serverless("available", 13), measured()) == "it is younger than 14 days"
    assert "may be protected" in SERVERLESS.reason(CHECK, serverless(tags_known=False), measured())
    assert SERVERLESS.reason(CHECK, serverless("modifying"), measured()) == "it is modifying, not available"


def test_a_lost_day_may_have_been_the_one_with_requests() -> None:
    lost = measured(processingUnits=day_lost())
    assert SERVERLESS.reason(CHECK, serverless(), lost) == "nothing is known of processing units in 24 of its hours"
