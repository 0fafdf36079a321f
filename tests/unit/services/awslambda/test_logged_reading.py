"""What a scan reads of logs in one shard: after a refusal nothing more, and what was left out is no gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.facts import NOW
from tests.unit.services.awslambda.functions import function

from finops.domain.logged import Logged, LoggedBatch
from finops.domain.price import BilledQuantity, Cost, Price, cost_from
from finops.domain.resource import Shard
from finops.domain.utilization import Utilization
from finops.errors import AwsDenied
from finops.store.connection import Store
from finops.store.logged import LoggedStore
from finops_operator.plugins.logged import SAVING_UNKNOWN, Asking, ByteBudget
from finops_operator.scan.logged import LoggedReading, LogSource, most_bytes
from finops_operator.services.awslambda.rules.report_queries import REPORT_LINES, RESULTS

SHARD = Shard("111122223333", "eu-west-1", "lambda-function")
DENIED = "AccessDeniedException"
RULES: Any = SimpleNamespace(
    now=NOW,
    settings=SimpleNamespace(minimum_coverage_percent=Decimal(95)),
    lookup=lambda _: SimpleNamespace(amount=Decimal(1)),
)


@dataclass
class Logs:
    """Answers in place of AWS: batches, of which the last may be followed by a refusal."""

    batches: Sequence[LoggedBatch]
    refusal: AwsDenied | None = None
    asked: list[list[str]] = field(default_factory=list)

    def read(self, _reader: Any, _pause: Any, asking: Asking) -> Iterator[LoggedBatch]:
        self.asked.append([one.id for one in asking.resources])
        yield from self.batches
        if self.refusal is not None:
            raise self.refusal


def reading(store: Store, logs: Logs) -> LoggedReading:
    metric = replace(REPORT_LINES, needed=lambda *_: True, most_saved=lambda *_: Decimal(1), read=logs.read)
    reader: Any = SimpleNamespace(account=SHARD.account, region=SHARD.region)
    return LoggedReading(
        metric, SHARD, LogSource(reader, lambda _: None, ByteBudget(1e9), ("team-a", "nightly")), LoggedStore(store)
    )


def billed(month: str) -> Cost:
    price = Price(Decimal(1), "gb-second", "bundled", date(2026, 1, 1))
    return cost_from([BilledQuantity("gb_second", Decimal(month), price)], (), Decimal(730))


def page(one: LoggedReading, *names: str, unpriced: str = "") -> dict[str, str]:
    """Return function → why its memory is not known."""
    costs = {name: billed("8.00") for name in names if name not in unpriced}
    found = one.page(
        [replace(function(), id=name) for name in names], {name: Utilization(name) for name in names}, costs, RULES
    )
    return {name: used.unknown[REPORT_LINES.metric] for name, used in found.items()}


def test_a_refused_answer_ends_asking_in_the_shard_for_this_scan_and_those_that_find_it_kept(store: Store) -> None:
    lost = Logged(reason="allow it", failed=DENIED, denied=True)
    refusal = AwsDenied("allow it", operation=RESULTS, code=DENIED)
    logs = Logs([LoggedBatch({"one": lost})], refusal)
    scan = reading(store, logs)
    assert page(scan, "one", "two") == {"one": "allow it", "two": f"its logs could not be read: {DENIED}"}
    page(scan, "three")
    assert logs.asked == [["one", "two"]]
    (gap,) = scan.gaps()
    assert (gap.operation, gap.code, gap.resources) == ("GetQueryResults", DENIED, 1)

    later = reading(store, logs)
    page(later, "one", "two")
    assert len(logs.asked) == 1, "a day later it is asked again"
    assert [gap.code for gap in later.gaps()] == [DENIED]


def test_what_is_left_out_on_purpose_is_no_gap_but_why_the_memory_is_not_known(store: Store) -> None:
    left = Logged(reason="too much to read")
    scan = reading(store, Logs([LoggedBatch(left_out={"one": left, "two": left})]))
    assert page(scan, "one", "two") == {"one": "too much to read", "two": "too much to read"}
    assert scan.gaps() == ()


def test_nothing_is_asked_about_a_function_of_which_nobody_knows_what_less_memory_saves(store: Store) -> None:
    logs = Logs([])
    assert page(reading(store, logs), "one", unpriced="one") == {"one": SAVING_UNKNOWN}
    assert logs.asked == []


def test_a_log_group_of_which_aws_begins_no_query_is_a_gap_that_says_why(store: Store) -> None:
    left = Logged(reason="there is no such group", failed="ResourceNotFoundException")
    scan = reading(store, Logs([LoggedBatch(left_out={"one": left, "two": left})]))
    page(scan, "one", "two")
    (gap,) = scan.gaps()
    assert (gap.operation, gap.code, gap.message, gap.resources) == (
        *("StartQuery", "ResourceNotFoundException", "there is no such group"),
        2,
    )


def test_a_call_before_the_query_that_failed_is_a_gap_of_that_call(store: Store) -> None:
    lost = Logged(reason="no size", failed="IncompleteAnswer", operation="cloudwatch:GetMetricData")
    scan = reading(store, Logs([LoggedBatch(left_out={"one": lost})]))
    page(scan, "one")
    (gap,) = scan.gaps()
    assert (gap.service, gap.operation, gap.code, gap.resources) == (
        *("cloudwatch", "GetMetricData", "IncompleteAnswer"),
        1,
    )


@pytest.mark.parametrize(("cost", "price", "most"), [("8.00", "0.005", 7 / 0.15 * 1e9), (None, "0.005", None)])
def test_reading_each_day_may_cost_what_the_smallest_memory_would_save(
    cost: str | None, price: str, most: float | None
) -> None:
    per_gb = Price(Decimal(price), "gb", "bundled", date(2026, 1, 1))
    known = None if cost is None else billed(cost)
    found = most_bytes(REPORT_LINES, function(memory_mb=1024), known, lambda _: per_gb)
    assert found == (None if most is None else pytest.approx(most))
    assert most_bytes(REPORT_LINES, function(memory_mb=1024), known, lambda _: None) is None
