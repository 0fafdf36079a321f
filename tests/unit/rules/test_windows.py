"""When acts may start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.crds.policy_actions import Window
from finops.errors import InvalidInput
from finops_operator.rules.windows import is_open, next_opening

NIGHT = Window.model_validate({"schedule": "0 22 * * *", "duration": "6h", "timeZone": "Europe/Berlin"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_without_windows_every_time_is_fine() -> None:
    assert is_open((), at("2026-03-10T12:00:00+00:00"))
    assert next_opening((), at("2026-03-10T12:00:00+00:00")) is None


@pytest.mark.parametrize(
    ("now", "opened"),
    [
        ("2026-03-10T20:59:59.999999+00:00", False),
        ("2026-03-10T21:00:00+00:00", True),
        ("2026-03-10T21:00:59+00:00", True),
        ("2026-03-11T02:59:59+00:00", True),
        ("2026-03-11T03:00:00+00:00", False),
        ("2026-03-10T22:00:00+01:00", True),
    ],
)
def test_a_window_opens_and_closes_at_its_instants(now: str, *, opened: bool) -> None:
    assert is_open((NIGHT,), at(now)) is opened


@pytest.mark.parametrize(
    ("last", "closed"),
    [
        # The night in which an hour is missing, and the one in which an hour comes twice: six hours each.
        ("2026-03-29T02:59:00+00:00", "2026-03-29T03:00:00+00:00"),
        ("2026-10-25T01:59:00+00:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_a_window_lasts_its_hours_through_a_change_of_clocks(last: str, closed: str) -> None:
    assert is_open((NIGHT,), at(last))
    assert not is_open((NIGHT,), at(closed))


def test_one_open_window_of_several_is_enough() -> None:
    morning = Window.model_validate({"schedule": "0 6 * * *", "duration": "1h"})
    now = at("2026-03-10T06:30:00+00:00")

    assert is_open((NIGHT, morning), now)
    assert next_opening((NIGHT, morning), now) == at("2026-03-10T21:00:00+00:00")


def test_a_window_longer_than_its_period_never_closes() -> None:
    always = Window.model_validate({"schedule": "0 * * * *", "duration": "2h"})

    assert all(is_open((always,), at("2026-03-10T00:00:00+00:00") + timedelta(minutes=7 * n)) for n in range(50))


@given(seconds=st.integers(0, 366 * 86400), minutes=st.integers(1, 1440))
def test_a_window_is_open_exactly_for_its_length_after_an_opening(seconds: int, minutes: int) -> None:
    window = Window.model_validate({"schedule": "15 3 * * *", "duration": f"{minutes}m", "timeZone": "UTC"})
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    opening = now.replace(hour=3, minute=15, second=0)
    opening = opening if opening <= now else opening - timedelta(days=1)

    assert is_open((window,), now) is (now < opening + timedelta(minutes=minutes))
    assert not is_open((window,), now) or now - opening < timedelta(minutes=minutes)
    upcoming = next_opening((window,), now)
    assert upcoming is not None
    assert is_open((window,), upcoming)


def test_a_window_that_never_opens_names_its_field() -> None:
    never = Window.model_validate({"schedule": "0 0 31 2 *", "duration": "1h"})
    for ask in (is_open, next_opening):
        with pytest.raises(InvalidInput) as caught:
            ask((never,), at("2026-03-10T00:00:00+00:00"))
        assert caught.value.field == "spec.actions.windows"
