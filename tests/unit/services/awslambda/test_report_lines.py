"""REPORT lines say how much memory a function used only where the answer is whole and its invocations wrote them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import pytest

from finops_operator.services.awslambda.rules.report_lines import (
    GROUPS_OF_A_QUERY,
    ROWS,
    ReportedDay,
    logged_of,
    queries_of,
    reported,
    window_of,
)

_FIRST: Final = date(2026, 11, 2)
_NEXT: Final = date(2026, 11, 3)
_GROUP: Final = "/aws/lambda/reports"


def row(
    day: str = "2026-11-02 00:00:00.000", log: str = f"111122223333:{_GROUP}", **changes: str
) -> list[dict[str, str]]:
    fields = {"@log": log, "bin(1d)": day, "lines": "120", "most": "41.5", "mean": "20", **changes}
    return [{"field": name, "value": value} for name, value in fields.items() if value]


def test_each_group_has_its_days_in_order() -> None:
    later, other = row("2026-11-03 00:00:00.000", lines="7"), row(log="111122223333:/custom/group")
    found = reported("Complete", [later, row(), other])
    first = ReportedDay(_FIRST, 120, 41.5, 20.0)
    assert found == {_GROUP: (first, ReportedDay(_NEXT, 7, 41.5, 20.0)), "/custom/group": (first,)}


@pytest.mark.parametrize("status", ["Running", "Scheduled", "Failed", "Timeout", "Cancelled", "Unknown", ""])
def test_an_answer_that_is_not_whole_says_nothing(status: str) -> None:
    assert reported(status, [row()]) is None
    assert reported("Complete", [row()] * ROWS) is None


@pytest.mark.parametrize(
    "changes", [{"lines": "0"}, {"lines": "x"}, {"most": ""}, {"most": "NaN"}, {"mean": "60"}, {"mean": "-1"}]
)
def test_one_row_that_cannot_be_read_leaves_its_group_unknown_and_no_other(changes: dict[str, str]) -> None:
    for rows in ([row(), row("2026-11-03 00:00:00.000", **changes)], [row(**changes), row()]):
        found = reported("Complete", [*rows, row(log="111122223333:/custom/group")])
        assert found is not None
        assert (found[_GROUP], len(found["/custom/group"] or ())) == (None, 1)


def test_a_row_of_no_group_could_be_any_groups() -> None:
    assert reported("Complete", [row(), row(log="")]) is None


START: Final = datetime(2026, 11, 2, tzinfo=UTC)


def test_the_largest_share_is_known_with_how_many_invocations_wrote_lines() -> None:
    days = [ReportedDay(_FIRST, 95, 41.5, 20.0), ReportedDay(_NEXT, 10, 60.0, 30.0)]
    found = logged_of(days, {_FIRST: 100, _NEXT: 10}, START)
    assert found.summary is not None
    assert (found.summary.maximum, found.summary.points, found.summary.expected) == (60.0, 2, 2)
    assert found.summary.average == pytest.approx((95 * 20 + 10 * 30) / 105)
    assert (found.covered_percent, found.reason) == (
        95.0,
        "its logs have 95 REPORT lines of 100 invocations on 2026-11-02",
    )
    other = logged_of(days, {_FIRST: 100}, START).summary
    assert other is not None
    assert other.maximum == 41.5, "other days do not count"


def test_a_day_with_invocations_and_no_line_is_covered_by_nothing_and_one_without_either_is_known() -> None:
    days = [ReportedDay(_FIRST, 100, 41.5, 20.0)]
    missing = logged_of(days, {_FIRST: 100, _NEXT: 1}, START)
    assert (missing.covered_percent, missing.reason) == (
        0.0,
        "its logs have 0 REPORT lines of 1 invocations on 2026-11-03",
    )
    assert logged_of(days, {_FIRST: 100, _NEXT: 0}, START).covered_percent == 100.0


@pytest.mark.parametrize(
    ("lines", "invocations", "reason"),
    [
        (0, 3, "it has no REPORT lines"),
        (0, 0, "it was not invoked"),
        (106, 100, "its log group has 106 REPORT lines of 100 invocations: others write to it"),
    ],
)
def test_lines_that_cannot_be_those_of_the_invocations_say_nothing(lines: int, invocations: int, reason: str) -> None:
    days = [ReportedDay(_FIRST, lines, 41.5, 20.0)] if lines else []
    found = logged_of(days, {_FIRST: invocations}, START)
    assert (found.summary, found.covered_percent, found.reason, found.failed) == (None, 0.0, reason, "")


def test_the_days_that_are_read_are_whole_ones_in_utc() -> None:
    now = datetime(2026, 11, 16, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert window_of(now) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC))


def test_a_query_takes_as_many_groups_as_aws_lets_it_and_each_once() -> None:
    groups = [f"/aws/lambda/{at}" for at in range(GROUPS_OF_A_QUERY + 1)]
    first, second = queries_of([*groups, *groups])
    assert (len(first), len(second)) == (GROUPS_OF_A_QUERY, 1)
    assert queries_of([]) == ()
