"""kinesis_stream_idle: two weeks without a record, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.kinesis.streams import STREAMS, measured, stream, without

from finops_operator.services.kinesis.checks.kinesis_stream_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [1.0])


def test_a_stream_without_records_for_two_weeks_is_idle() -> None:
    idle = STREAMS.found(CHECK, stream(), measured())
    assert (idle.action, idle.new_monthly_cost) == ("", Decimal(0))
    assert idle.summary == "No record was put into it or fetched from it for at least 14 days."


def test_a_single_record_in_or_out_breaks_it() -> None:
    assert STREAMS.reason(CHECK, stream(), measured(recordsPut=ONCE)) == "1 records were put into it"
    assert STREAMS.reason(CHECK, stream(), measured(recordsFetched=ONCE)) == "1 records were fetched from it"


def test_a_window_without_any_point_is_evidence_and_a_shorter_one_is_not() -> None:
    STREAMS.found(CHECK, stream(), without("recordsFetched", "NotPublished"))
    short = without("recordsFetched", "NotPublished", days=7)
    assert STREAMS.reason(CHECK, stream(), short) == "less than 14 days of recordsFetched were asked for"


@pytest.mark.parametrize("name", ["recordsPut", "recordsFetched"])
def test_a_metric_that_could_not_be_read_is_never_zero(name: str) -> None:
    assert STREAMS.reason(CHECK, stream(), without(name)) == f"{name} is unknown (Throttled)"


def test_a_short_window_a_young_stream_and_unknown_tags_prove_nothing() -> None:
    assert "only 13 days" in STREAMS.reason(CHECK, stream(), measured(recordsPut=flat(0, days=13)))
    assert STREAMS.reason(CHECK, stream("active", 13), measured()) == "it is younger than 14 days"
    assert "may be protected" in STREAMS.reason(CHECK, stream(tags_known=False), measured())
    assert STREAMS.reason(CHECK, stream("updating"), measured()) == "it is updating, not active"
