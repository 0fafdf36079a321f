"""Pauses between two observations of a step: short right after a call, its own later, longer once it is late."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from finops.domain.execution import StepRules
from finops.domain.situation import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, early_pause, pause_before_next

_WAITED = st.floats(0, 10**6)
_POLLS = st.floats(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)


def rules(poll: float) -> StepRules:
    return StepRules(reached=lambda _plan, _now: True, poll_seconds=poll, timeout_seconds=600)


def observed_at(poll: float, until: float) -> list[float]:
    """Return when a step that is called at second 0 is observed, up to `until`."""
    times = [0.0]
    while times[-1] < until:
        times.append(times[-1] + pause_before_next(rules(poll), times[-1]))
    return times


def test_a_step_is_observed_after_one_second_then_after_twice_the_time_and_then_at_its_own_pace() -> None:
    assert observed_at(5, 20) == [0, 1, 2, 4, 8, 13, 18, 23]
    assert observed_at(15, 45) == [0, 1, 2, 4, 8, 16, 31, 46]


@given(_POLLS, _WAITED)
def test_no_pause_is_longer_than_its_own_or_shorter_than_a_second(poll: float, waited: float) -> None:
    assert SHORTEST_PAUSE_SECONDS <= early_pause(rules(poll), waited) <= poll


@given(_POLLS)
def test_the_early_observations_are_few(poll: float) -> None:
    times = observed_at(poll, 600)
    assert all(later - earlier >= SHORTEST_PAUSE_SECONDS for earlier, later in pairwise(times))
    assert len(times) <= 600 / poll + 9


@given(_POLLS, st.floats(0, 600))
def test_a_step_in_time_is_noticed_at_most_twice_as_late_as_it_is_or_within_its_own_pause(
    poll: float, ready: float
) -> None:
    noticed = next(at for at in observed_at(poll, ready + poll) if at >= ready)
    assert noticed <= max(SHORTEST_PAUSE_SECONDS, min(2 * ready, ready + poll)) + 1e-6


@given(_POLLS, st.floats(600, 10**6))
def test_the_pause_of_what_is_late_grows_up_to_a_minute(poll: float, waited: float) -> None:
    assert poll <= pause_before_next(rules(poll), waited) <= LONGEST_PAUSE_SECONDS
