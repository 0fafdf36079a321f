"""Where the history is too short for a figure, the day is said on which there can be one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.support.history_parts import flat

from finops_web.readings.history import outlook


@pytest.mark.parametrize(
    ("first", "today", "month_end", "three_months"),
    [
        # All of December is known and 28 days are on the 28th.
        (date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 28), date(2027, 2, 28)),
        # The days of December before the 2nd never will be: the first whole month begins in January.
        (date(2026, 12, 2), date(2026, 12, 2), date(2027, 1, 1), date(2027, 3, 1)),
        (date(2026, 11, 20), date(2026, 11, 30), date(2026, 12, 17), date(2027, 2, 17)),
        (date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 1), date(2026, 5, 30)),
    ],
)
def test_a_short_history_says_when_the_first_figure_is_possible(
    first: date, today: date, month_end: date, three_months: date
) -> None:
    found = outlook([flat(first, today)], today)

    assert (found.month_end, found.quarter) == (None, None)
    assert (found.month_end_from, found.quarter_from) == (month_end, three_months)


@pytest.mark.parametrize("first", [date(2026, 12, 1), date(2026, 12, 2), date(2026, 11, 20), date(2026, 11, 30)])
def test_the_figures_are_there_on_that_day_and_not_on_the_day_before(first: date) -> None:
    promised = outlook([flat(first, first)], first)
    month_end, quarter = promised.month_end_from, promised.quarter_from
    assert month_end is not None
    assert quarter is not None

    def on(today: date) -> tuple[bool, bool]:
        found = outlook([flat(first, today)], today)
        return found.month_end is not None, found.quarter is not None

    assert (on(month_end - timedelta(days=1))[0], on(month_end)[0]) == (False, True)
    assert (on(quarter - timedelta(days=1))[1], on(quarter)[1]) == (False, True)


def test_what_is_there_or_lacks_something_else_than_days_promises_no_day() -> None:
    today = date(2026, 12, 20)
    there = outlook([flat(date(2026, 6, 1), today)], today)
    gone = outlook([flat(date(2026, 6, 1), date(2026, 12, 1))], today)

    for found in (there, gone, outlook([], today)):
        assert (found.month_end_from, found.quarter_from) == (None, None)
