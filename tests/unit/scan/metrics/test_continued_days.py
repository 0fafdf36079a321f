"""Days that go on: those that had ended stay as they were answered, all others are asked for."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

import pytest

from finops.domain.days import DayPoints
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.continued_days import continued, open_days
from finops_operator.scan.metrics.queries import Window
from finops_operator.services.ec2.instance import KIND

DAY = 86_400
FIRST = 20_000
CPU = next(spec for spec in KIND.metrics if spec.name == "cpuPercent")
MEMORY = next(spec for spec in KIND.metrics if spec.name == "memoryPercent")
WHOLE = Window((FIRST + 1) * DAY, (FIRST + 16) * DAY, DAY)
NOON = (FIRST + 14) * DAY + DAY // 2


def answered(*values: float, asked: int = NOON, first: int = FIRST) -> DayPoints:
    return DayPoints(asked, first, (array("f", values), array("f", (2 * one for one in values))))


def test_the_day_of_the_last_question_and_those_after_it_are_asked_for() -> None:
    before = answered(*range(15))
    asked = open_days(before, CPU, WHOLE)
    assert asked == Window((FIRST + 14) * DAY, (FIRST + 16) * DAY, DAY)
    fresh = answered(140, 150, asked=NOON + DAY, first=FIRST + 14)
    joined = continued(before, fresh, WHOLE)
    assert (joined.asked, joined.first_day) == (NOON + DAY, FIRST + 1)
    assert list(joined.values[0]) == [*range(1, 14), 140, 150]
    assert list(joined.values[1]) == [*range(2, 28, 2), 280, 300]


def test_a_day_that_ended_minutes_before_the_question_is_asked_for_again() -> None:
    before = answered(*range(15), asked=(FIRST + 14) * DAY + 300)
    assert open_days(before, CPU, WHOLE).start == (FIRST + 13) * DAY


@pytest.mark.parametrize(
    "before",
    [
        None,
        answered(*range(15), first=FIRST + 2),
        answered(*range(13)),
        answered(*range(5), math.nan, *range(9)),
        answered(*range(15), asked=(FIRST + 1) * DAY),
        answered(*range(40), asked=NOON + 30 * DAY),
    ],
    ids=["nothing", "begins later", "ends earlier", "a day is missing", "none had ended", "from the future"],
)
def test_where_a_day_is_not_known_all_are_asked_for(before: DayPoints | None) -> None:
    assert open_days(before, CPU, WHOLE) == WHOLE


@pytest.mark.parametrize(
    "spec",
    [MEMORY, replace(CPU, parts=lambda _: (), samples_in_five_minutes=None), replace(CPU, dimensions=lambda _: ())],
    ids=["found", "parts", "own"],
)
def test_what_may_have_been_another_metric_is_asked_for_as_a_whole(spec: MetricSpec) -> None:
    assert open_days(answered(*range(15)), spec, WHOLE) == WHOLE


def test_an_answer_about_all_days_takes_the_place_of_what_was_known() -> None:
    fresh = answered(*range(15), first=FIRST + 1)
    assert continued(answered(*range(15)), fresh, WHOLE) is fresh
    assert continued(None, fresh, WHOLE) is fresh
