"""kinesis_stream_unread: records go in and none comes out, and who may read them unseen."""

from __future__ import annotations

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.kinesis.streams import STREAMS, measured, stream, without

from finops.domain.canonical import Json
from finops_operator.services.kinesis.checks.kinesis_stream_unread import CHECK

HOURS = 14 * 24
WRITTEN = flat(10)


def test_a_stream_that_is_written_and_never_read_is_found() -> None:
    one = STREAMS.found(CHECK, stream(), measured(recordsPut=WRITTEN))
    assert (one.action, one.evidence["recordsPut"]) == ("", "3360")
    STREAMS.found(CHECK, stream(), without("recordsFetched", "NotPublished", recordsPut=WRITTEN))


def test_a_single_fetched_record_breaks_it_and_an_empty_stream_is_idle() -> None:
    once = measured(recordsPut=WRITTEN, recordsFetched=summarize([0.0] * (HOURS - 1) + [1.0]))
    assert STREAMS.reason(CHECK, stream(), once) == "1 records were fetched from it"
    assert STREAMS.reason(CHECK, stream(), measured()) == "no record was put into it"


@pytest.mark.parametrize("name", ["recordsPut", "recordsFetched"])
def test_a_metric_that_could_not_be_read_is_never_zero(name: str) -> None:
    assert STREAMS.reason(CHECK, stream(), without(name)) == f"{name} is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"consumers": 1}, "it has 1 registered consumers"),
        ({"consumers": None}, "its registered consumers are not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_stream_that_may_be_read_unseen_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert STREAMS.reason(CHECK, stream(**changes), measured(recordsPut=WRITTEN)) == why
