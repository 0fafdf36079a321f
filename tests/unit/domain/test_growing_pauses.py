"""Pauses that double up to a bound, whatever the count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finops.domain.backoff import Backoff

BACKOFF = Backoff(0.5, 60.0)


def test_pauses_double_from_the_first_to_the_longest() -> None:
    assert [BACKOFF.pause(failures) for failures in (1, 2, 3, 7, 8, 9)] == [0.5, 1.0, 2.0, 32.0, 60.0, 60.0]


@given(st.integers(0, 10**9))
def test_no_count_of_failures_leaves_the_bounds(failures: int) -> None:
    assert 0.5 <= BACKOFF.pause(failures) <= BACKOFF.pause(failures + 1) <= 60.0


@given(st.integers(0, 100), st.floats(0, 1))
def test_spreading_only_ever_shortens_a_pause(failures: int, chance: float) -> None:
    assert 0 <= BACKOFF.spread(failures, chance) <= BACKOFF.pause(failures)


def test_a_bound_below_the_first_pause_holds() -> None:
    assert Backoff(10.0, 3.0).pause(1) == 3.0
