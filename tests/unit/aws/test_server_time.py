"""AWS's time: bounds around it from the dates of answers, carried on by a clock that may stand still or drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_clock import FakeClock

from finops_operator.aws.server_time import ServerTime, http_date

BEGIN = datetime(2026, 11, 28, 19, 0, tzinfo=UTC)
AWS = BEGIN.timestamp()


def dated(seconds: float) -> str:
    """Return the header of an answer that AWS sends so many seconds after the beginning."""
    return format_datetime(BEGIN + timedelta(seconds=int(seconds)), usegmt=True)


@pytest.fixture
def clock() -> FakeClock:
    # This machine's own date is far off, and nobody asks for it.
    return FakeClock(BEGIN - timedelta(days=400))


def test_nothing_is_known_before_an_answer_and_an_answer_without_a_date_teaches_nothing(clock: FakeClock) -> None:
    time = ServerTime(clock)
    time.learn("", clock.monotonic())
    time.learn("yesterday", clock.monotonic())
    assert time.now() is None


def test_an_answer_bounds_the_time_by_its_second_and_by_how_long_it_was_under_way(clock: FakeClock) -> None:
    time, sent = ServerTime(clock), clock.monotonic()
    clock.sleep(0.5)
    time.learn(dated(7), sent)
    now = time.now()
    assert now is not None
    assert now.earliest == AWS + 7
    assert now.latest == pytest.approx(AWS + 8.5, abs=0.01)


def test_between_answers_the_bounds_part_by_the_drift_alone(clock: FakeClock) -> None:
    time = ServerTime(clock)
    time.learn(dated(0), clock.monotonic())
    clock.sleep(1000)
    now = time.now()
    assert now is not None
    assert (now.earliest - AWS, now.latest - AWS) == pytest.approx((999, 1002))


def test_two_answers_together_say_more_than_each(clock: FakeClock) -> None:
    time = ServerTime(clock)
    time.learn(dated(0.9), clock.monotonic())
    clock.sleep(0.2)
    time.learn(dated(1.1), clock.monotonic())
    now = time.now()
    assert now is not None
    # The second has just begun.
    assert (now.earliest - AWS, now.latest - AWS) == pytest.approx((1.0, 1.2), abs=0.01)


def test_after_a_standstill_of_the_clock_the_next_answer_counts_alone(clock: FakeClock) -> None:
    time = ServerTime(clock)
    time.learn(dated(0), clock.monotonic())
    before = time.now()
    time.learn(dated(60), clock.monotonic())
    now = time.now()
    assert before is not None
    assert before.earliest <= AWS + 60
    assert now is not None
    assert (now.earliest, now.latest) == (AWS + 60, AWS + 61)


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(0, 300)),
        min_size=1,
        max_size=20,
    ),
    st.floats(-0.0005, 0.0005),
)
def test_the_true_time_is_never_outside_the_bounds(steps: list[tuple[float, float, float]], drift: float) -> None:
    """Each step: seconds a request is under way, seconds its answer is, a pause; our clock runs off by `drift`."""
    clock, true = FakeClock(BEGIN), 0.0
    time = ServerTime(clock)

    def passes(seconds: float) -> None:
        nonlocal true
        true += seconds
        clock.sleep(seconds * (1 + drift))

    for there, back, pause in steps:
        sent = clock.monotonic()
        passes(there)
        date = dated(true)
        passes(back)
        time.learn(date, sent)
        passes(pause)
        now = time.now()
        assert now is not None
        assert now.earliest - 1e-6 <= AWS + true <= now.latest + 1e-6


def test_a_date_is_read_in_gmt_and_anything_else_is_no_date() -> None:
    assert http_date("Sat, 28 Nov 2026 19:00:00 GMT") == AWS
    assert http_date("28.11.2026") is None
