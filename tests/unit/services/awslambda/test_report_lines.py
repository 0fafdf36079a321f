"""REPORT lines say how much memory a function used only where the answer is whole and its invocations wrote them."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from finops_operator.services.awslambda.rules.report_lines import (
    GROUPS_OF_A_QUERY,
    ROWS,
    ReportedDay,
    highest_percent,
    queries_of,
    reported,
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


def test_the_largest_share_is_known_only_where_the_invocations_wrote_lines() -> None:
    days = [ReportedDay(_FIRST, 95, 41.5, 20.0), ReportedDay(_NEXT, 10, 60.0, 30.0)]
    assert highest_percent(days, {_FIRST: 100, _NEXT: 10}, 95) == 60.0
    assert highest_percent(days, {_FIRST: 100}, 95) == 41.5, "other days do not count"
    assert highest_percent(days, {_FIRST: 100, _NEXT: 100}, 95) == (
        "its logs have 10 REPORT lines of 100 invocations on 2026-11-03"
    )
    assert highest_percent([], {_FIRST: 3}, 95) == "its logs have 0 REPORT lines of 3 invocations on 2026-11-02"
    assert highest_percent([], {_FIRST: 0}, 95) == "it has no REPORT lines"


def test_a_query_takes_as_many_groups_as_aws_lets_it_and_each_once() -> None:
    groups = [f"/aws/lambda/{at}" for at in range(GROUPS_OF_A_QUERY + 1)]
    first, second = queries_of([*groups, *groups])
    assert (len(first), len(second)) == (GROUPS_OF_A_QUERY, 1)
    assert queries_of([]) == ()
