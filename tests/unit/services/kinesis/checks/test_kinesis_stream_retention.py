"""kinesis_stream_retention: kept for long and read at once, and readers that need it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.kinesis.streams import STREAMS, measured, stream, without

from finops.domain.canonical import Json
from finops.domain.price import HOUR as HOURLY
from finops.domain.price import Price, PriceQuery
from finops_operator.services.kinesis.checks.kinesis_stream_retention import CHECK

HOURS = 14 * 24
HOUR = 3_600_000.0


def test_records_that_are_kept_for_a_week_and_read_at_once_are_found() -> None:
    one = STREAMS.found(CHECK, stream(retention_hours=168), measured())
    assert (one.action, one.target, one.new_monthly_cost) == ("", "24 hours", None)
    assert one.evidence["retentionHours"] == 168


def test_where_the_price_list_has_the_price_what_is_saved_is_the_longer_retention() -> None:
    def listed(query: PriceQuery) -> Price | None:
        amount = {"shard_hour": "0.015", "extended_shard_hour": "0.02"}.get(query.dimension)
        return None if amount is None else Price(Decimal(amount), HOURLY, "price-list", date(2026, 1, 1))

    bench = replace(STREAMS, lookup=listed)
    week = stream(retention_hours=168, shards=4)
    assert bench.cost(week).monthly == Decimal("102.20")  # 4 × 730 × (0.015 + 0.02)
    assert bench.found(CHECK, week, measured()).new_monthly_cost == Decimal("43.80")


@pytest.mark.parametrize("changes", [{"mode": "ON_DEMAND"}, {"retention_hours": 8760}])
def test_what_is_billed_by_the_gigabyte_for_longer_retention_is_no_saving_of_nothing(changes: dict[str, Json]) -> None:
    bench = replace(STREAMS, lookup=lambda _query: Price(Decimal("0.04"), HOURLY, "price-list", date(2026, 1, 1)))
    assert bench.found(CHECK, stream(**{"retention_hours": 168, **changes}), measured()).new_monthly_cost is None


def test_readers_that_were_once_an_hour_behind_break_it() -> None:
    late = measured(iteratorAgeMilliseconds=summarize([1000.0] * (HOURS - 1) + [HOUR]))
    assert "60 minutes behind" in STREAMS.reason(CHECK, stream(retention_hours=168), late)
    nearly = measured(iteratorAgeMilliseconds=summarize([1000.0] * (HOURS - 1) + [HOUR - 60_000]))
    STREAMS.found(CHECK, stream(retention_hours=168), nearly)


def test_an_age_that_is_missing_or_too_short_proves_nothing() -> None:
    unread = without("iteratorAgeMilliseconds")
    assert STREAMS.reason(CHECK, stream(retention_hours=168), unread) == (
        "iterator age milliseconds is unknown (Throttled)"
    )
    short = measured(iteratorAgeMilliseconds=flat(1000, days=13))
    assert "only 13 days" in STREAMS.reason(CHECK, stream(retention_hours=168), short)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retention_hours": 24}, "it keeps records for 24 hours, 24 are included"),
        ({"retention_hours": None}, "how long it keeps records is not known"),
        ({"retention_hours": 168, "tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_costs_nothing_more_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert STREAMS.reason(CHECK, stream(**changes), measured()) == why
