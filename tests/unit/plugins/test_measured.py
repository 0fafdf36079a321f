"""Measurements in words: units, one decimal at most, percentile and maximum as different statements."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.facts import FIVE_MINUTES, flat, summarize

from finops.domain.recommendation import PerformanceRisk
from finops_operator.plugins.measured import (
    bit_rate,
    count,
    days,
    gauge_facts,
    peak_sentence,
    percent,
    percentile_words,
    performance_risk,
    period,
    window_fact,
)

SPIKY = summarize([2.94] * 4029 + [94.0] * 3, period=FIVE_MINUTES)


def test_shares_have_one_decimal_at_most_and_counts_are_grouped() -> None:
    assert [percent(value) for value in (2.94, 94.0, 0.04, 99.96)] == ["2.9 %", "94 %", "0 %", "100 %"]
    assert count(4032) == "4,032"


@pytest.mark.parametrize(
    ("gigabits", "text"),
    [
        (12.5, "12.5 Gbit/s"),
        (1.25, "1.25 Gbit/s"),
        (0.75, "750 Mbit/s"),
        (0.0384, "38 Mbit/s"),
        (0.0015, "1.5 Mbit/s"),
        (0.000_042, "42 kbit/s"),
        (0.000_000_3, "below 1 kbit/s"),
        (0.0, "0 kbit/s"),
    ],
)
def test_a_rate_of_a_network_has_the_unit_in_which_it_can_be_read(gigabits: float, text: str) -> None:
    assert bit_rate(gigabits) == text


def test_a_peak_is_said_with_its_percentile_and_how_often_it_came() -> None:
    assert peak_sentence("CPU", SPIKY, "p99_5") == (
        "99.5 % of the time CPU stayed below 2.9 %; the highest 5 minutes reached 94 % (3 of 4,032)"
    )
    older = replace(SPIKY, near_maximum=None)
    assert peak_sentence("CPU", older, "p90").endswith("the highest 5 minutes reached 94 %")


def test_a_maximum_that_is_reached_all_the_time_is_not_counted_against_its_percentile() -> None:
    daily = summarize([10.0] * 2427 + [14.4] * 1595 + [14.6] * 10, period=FIVE_MINUTES)
    assert peak_sentence("CPU", daily, "p99_5") == (
        "99.5 % of the time CPU stayed below 14.4 %; the highest 5 minutes reached 14.6 %"
    )
    assert [fact.value for fact in gauge_facts("CPU", daily, "p99_5")][:2] == ["14.4 %", "14.6 %"]


def test_what_never_moved_has_no_peak() -> None:
    assert peak_sentence("CPU", flat(3), "p99_5") == "CPU never exceeded 3 %"


def test_a_gauge_gives_three_facts_with_units() -> None:
    assert [(fact.label, fact.value) for fact in gauge_facts("CPU", SPIKY, "p95")] == [
        ("CPU, 95 % of the time below", "2.9 %"),
        ("CPU, highest 5 minutes", "94 % (3 of 4,032)"),
        ("CPU, mean", "3 %"),
    ]


def test_the_window_says_how_much_of_it_was_measured() -> None:
    fact = window_fact(summarize([1.0] * 330, expected=336))
    assert fact.value == "14 days until 2026-11-24 12:00 UTC: 330 of 336 values (98.2 %)"


@pytest.mark.parametrize(("hours", "words"), [(6, "6 hours"), (47, "47 hours"), (48, "2 days"), (36 * 24, "36 days")])
def test_lengths_of_time(hours: float, words: str) -> None:
    assert days(hours) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(300, "5 minutes"), (3600, "hour"), (600, "10 minutes"), (7200, "2 hours")]
)
def test_periods(seconds: int, words: str) -> None:
    assert period(replace(SPIKY, period_seconds=seconds)) == words


def test_percentiles_are_shares() -> None:
    assert [percentile_words(name) for name in ("p90", "p99_5")] == ["90 %", "99.5 %"]


@pytest.mark.parametrize(
    ("projected", "risk"),
    [
        ((39.9,), PerformanceRisk.VERY_LOW),
        ((10, 40), PerformanceRisk.LOW),
        ((60,), PerformanceRisk.MEDIUM),
        ((80, 10), PerformanceRisk.HIGH),
        ((100,), PerformanceRisk.VERY_HIGH),
    ],
)
def test_the_tightest_measure_is_the_risk(projected: tuple[float, ...], risk: PerformanceRisk) -> None:
    assert performance_risk(projected) is risk
