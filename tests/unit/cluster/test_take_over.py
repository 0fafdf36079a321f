"""Reading a long ledger takes its time; a take-over that shows no sign of life for long is said, then given up."""

from __future__ import annotations

import pytest

from finops_operator.cluster.take_over import GIVEN_UP_SECONDS, SAID_SECONDS, TakeOver


@pytest.mark.parametrize(
    ("still", "is_said", "is_given_up"),
    [
        (0.0, False, False),
        (SAID_SECONDS - 0.1, False, False),
        (SAID_SECONDS, True, False),
        (GIVEN_UP_SECONDS - 0.1, True, False),
        (GIVEN_UP_SECONDS, True, True),
    ],
)
def test_how_long_a_take_over_may_stand_still(still: float, is_said: bool, is_given_up: bool) -> None:
    taking = TakeOver(100.0)
    assert bool(taking.stands_still(100.0 + still)) is is_said
    assert taking.is_given_up(100.0 + still) is is_given_up


def test_a_sign_of_life_begins_the_time_anew() -> None:
    taking = TakeOver(0.0)
    taking.moved_at = GIVEN_UP_SECONDS
    assert taking.stands_still(GIVEN_UP_SECONDS + 1.0) == ""
    assert not taking.is_given_up(GIVEN_UP_SECONDS + 1.0)
