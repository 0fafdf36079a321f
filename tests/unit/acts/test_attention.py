"""Since when an act's resource was observed without a gap: what is between two observations nobody has seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops_operator.acts.memory import Attention, Instant, Memory
from finops_operator.acts.progress import ActSettings
from finops_operator.plugins.action import Attended

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GAP = ActSettings().longest_gap_seconds


def at(second: float) -> Instant:
    return second, NOW + timedelta(seconds=second)


def observe(attention: Attention, *seconds: float) -> Attended:
    """Observe at these seconds on both clocks; return what was attended to at the last of them."""
    found = Attended()
    for second in seconds:
        found = attention.until(at(second), GAP)
        attention.observed(at(second), at(second), GAP)
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
    attention.until(at(10), GAP)
    assert observe(attention, 20) == Attended()


@pytest.mark.parametrize(("monotonic", "later"), [(1.0, 3600.0), (1.0, -5.0), (3600.0, 1.0)])
def test_a_gap_on_either_clock_is_one(monotonic: float, later: float) -> None:
    """A machine that was suspended shows it on one of them alone."""
    attention = Attention()
    observe(attention, 0)
    assert attention.until((monotonic, NOW + timedelta(seconds=later)), GAP) == Attended()
    observe(attention, 0, 0.5)
    assert attention.lasts(at(1), GAP)
    assert not attention.lasts((monotonic, NOW + timedelta(seconds=later)), GAP)


def test_another_process_and_whoever_lost_the_lease_have_seen_nothing() -> None:
    memory = Memory()
    observe(memory.attention("u1"), 0, 10)
    assert observe(memory.attention("u1"), 12).seconds == 12
    memory.forget("u1")
    assert observe(memory.attention("u1"), 14) == Attended()


def test_a_slow_observation_is_a_gap_in_itself_for_when_the_resource_was_read_is_not_known() -> None:
    attention = Attention()
    observe(attention, 0, 10)
    attention.calls("create_last_snapshot", 1)
    assert attention.until(at(20), GAP).steps == {"create_last_snapshot"}
    attention.observed(at(20), at(10 + GAP + 1), GAP)
    assert not attention.lasts(at(10 + GAP + 1), GAP)
    assert observe(attention, 30) == Attended(seconds=30 - 11 - GAP)


def test_what_was_observed_lasts_no_longer_than_the_longest_gap() -> None:
    attention = Attention()
    assert not attention.lasts(at(0), GAP)
    observe(attention, 0)
    assert not attention.lasts(at(1), GAP)
    observe(attention, 5)
    assert attention.lasts(at(5 + GAP), GAP)
    assert not attention.lasts(at(5 + GAP + 0.1), GAP)
