"""Since when an act's resource was observed without a gap: what is between two observations nobody has seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops_operator.acts.memory import Attention, Memory
from finops_operator.acts.progress import ActSettings
from finops_operator.plugins.action import Attended

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GAP = ActSettings().longest_gap_seconds


def observe(attention: Attention, *seconds: float) -> Attended:
    """Observe at these seconds on both clocks; return what was attended to at the last of them."""
    found = Attended()
    for second in seconds:
        now = NOW + timedelta(seconds=second)
        found = attention.until(second, now, GAP)
        attention.observed(second, now)
    return found


def test_observations_close_to_each_other_are_one_time_without_a_gap() -> None:
    assert observe(Attention(), 5) == Attended()
    assert observe(Attention(), 5, 10, 25, 30) == Attended(seconds=25)


def test_a_gap_begins_anew_and_an_act_that_holds_has_one_at_each_check() -> None:
    assert observe(Attention(), 0, 10, 10 + GAP + 1, 40) == Attended(seconds=40 - 11 - GAP)
    hold = ActSettings().hold_seconds
    assert observe(Attention(), 0, hold, 2 * hold) == Attended()


def test_a_first_call_counts_while_nothing_was_missed_since() -> None:
    attention = Attention()
    observe(attention, 0)
    attention.calls("create_last_snapshot", 1)
    assert observe(attention, 10, 20).steps == {"create_last_snapshot"}
    assert observe(attention, 60).steps == set()


def test_a_repeated_call_counts_only_with_its_first_one() -> None:
    """A call of another process may have made what shows only now."""
    attention = Attention()
    observe(attention, 0)
    attention.calls("create_last_snapshot", 2)
    assert observe(attention, 5).steps == set()


def test_an_observation_that_failed_is_none() -> None:
    attention = Attention()
    observe(attention, 0)
    attention.until(10, NOW + timedelta(seconds=10), GAP)
    assert observe(attention, 20) == Attended()


@pytest.mark.parametrize(("monotonic", "later"), [(1.0, 3600.0), (1.0, -5.0), (3600.0, 1.0)])
def test_a_gap_on_either_clock_is_one(monotonic: float, later: float) -> None:
    """A machine that was suspended shows it on one of them alone."""
    attention = Attention()
    observe(attention, 0)
    assert attention.until(monotonic, NOW + timedelta(seconds=later), GAP) == Attended()


def test_another_process_and_whoever_lost_the_lease_have_seen_nothing() -> None:
    memory = Memory()
    observe(memory.attention("u1"), 0, 10)
    assert observe(memory.attention("u1"), 12).seconds == 12
    memory.forget("u1")
    assert observe(memory.attention("u1"), 14) == Attended()
