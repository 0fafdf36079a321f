"""What logs say of a metric takes its place only where enough is covered, and what reading them cost is counted."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.facts import flat

from finops.domain.logged import Logged
from finops.domain.price import PriceQuery
from finops.domain.resource import Shard
from finops.domain.utilization import Utilization
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.judging import ShardTotals
from finops_operator.scan.logged import with_logged
from finops_operator.scan.scan import logs_cost

UNKNOWN = Utilization("one", unknown={"memoryPercent": "NotPublished", "errors": "Throttled"})
READ = Logged(flat(20.0, period=86_400), 94.9, "its logs have 949 REPORT lines of 1000 invocations on 2026-11-02")


@pytest.mark.parametrize(("least", "known"), [(94.9, True), (95.0, False)])
def test_a_coverage_below_the_policys_bound_stays_unknown_with_the_day_as_the_reason(least: float, known: bool) -> None:
    found = with_logged(UNKNOWN, "memoryPercent", READ, least)
    assert (found.best("memoryPercent") is not None) is known
    assert found.unknown == {"errors": "Throttled"} | ({} if known else {"memoryPercent": READ.reason})


def test_logs_that_say_nothing_leave_the_reason() -> None:
    found = with_logged(UNKNOWN, "memoryPercent", Logged(reason="it has no REPORT lines"), 1)
    assert (found.best("memoryPercent"), found.unknown["memoryPercent"]) == (None, "it has no REPORT lines")


@pytest.mark.parametrize(("region", "price"), [("eu-central-1", "0.0063"), ("nowhere-1", "0.005")])
def test_what_was_read_is_in_the_scans_own_bill_at_the_price_of_its_region(region: str, price: str) -> None:
    totals = [ShardTotals(Shard("111111111111", region, "lambda-function"), scanned_bytes=2e9)]
    brief: Any = SimpleNamespace(lookup=SOURCE.lookup)
    assert (SOURCE.lookup(PriceQuery("cloudwatch", region, "logs_insights_scanned")) is None) is (region == "nowhere-1")
    assert logs_cost(brief, totals) == 2 * Decimal(price)
