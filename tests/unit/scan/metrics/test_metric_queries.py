"""Batches: both limits kept, duplicates asked once, statistics of one metric together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_operator.scan.metrics.queries import FIVE_MINUTES, HOUR, Query, Window, batches, series_per_request

DAY = 86_400


def query(
    number: int, window: Window, statistics: tuple[str, ...] = ("Average", "Maximum"), name: str = "cpu"
) -> Query:
    dimensions = (("InstanceId", f"i-{number}"),)
    return Query(f"i-{number}", name, "AWS/EC2", "CPUUtilization", dimensions, statistics, window)


@pytest.mark.parametrize(
    ("days", "period", "series"),
    [(14, FIVE_MINUTES, 25), (14, HOUR, 300), (32, HOUR, 131), (1, HOUR, 500), (33, DAY, 500)],
)
def test_a_request_holds_as_many_series_as_fit_one_page(days: int, period: int, series: int) -> None:
    assert series_per_request(Window(0, days * DAY, period).points) == series


def test_a_thousand_series_of_the_first_fill_take_four_requests() -> None:
    window = Window(0, 14 * DAY, HOUR)
    made = list(batches(query(number, window) for number in range(500)))
    assert sum(batch.series for batch in made) == 1000
    assert len(made) == 4


def test_what_two_policies_want_is_asked_once() -> None:
    window = Window(0, 14 * DAY, HOUR)
    made = list(batches([query(1, window), query(1, window), query(1, window, name="network")]))
    assert [len(batch.queries) for batch in made] == [2]


def test_windows_are_not_mixed() -> None:
    first, second = Window(0, DAY, HOUR), Window(DAY, 2 * DAY, HOUR)
    made = list(batches([query(1, second), query(2, first), query(3, second)]))
    assert [(batch.window, len(batch.queries)) for batch in made] == [(first, 1), (second, 2)]


@given(
    wanted=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 5)), max_size=300),
    points=st.integers(1, 120_000),
)
def test_no_request_breaks_a_limit_or_tears_statistics_apart(wanted: list[tuple[int, int]], points: int) -> None:
    window = Window(0, points * HOUR, HOUR)
    statistics = ("Average", "Maximum", "Minimum", "Sum", "SampleCount")
    asked = {number: query(number, window, statistics[:count]) for number, count in wanted}
    made = list(batches(asked.values()))
    assert sorted(one.key for batch in made for one in batch.queries) == sorted(one.key for one in asked.values())
    for batch in made:
        alone = len(batch.queries) == 1
        assert batch.series <= 500
        assert alone or batch.series * points <= 100_800
