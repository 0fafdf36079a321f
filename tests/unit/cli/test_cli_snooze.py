"""Which day a person means by `--until`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from finops.errors import InvalidInput
from finops_operator.cli.commands.snooze import MachineZone, when

NOW = datetime(2026, 11, 28, 16, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-24", datetime(2026, 12, 23, 23, tzinfo=UTC)),
        ("2026-12-24T08:00:00+02:00", datetime(2026, 12, 24, 6, tzinfo=UTC)),
        ("14d", datetime(2026, 12, 12, 15, tzinfo=UTC)),
        ("2w", datetime(2026, 12, 12, 15, tzinfo=UTC)),
    ],
)
def test_a_day_is_the_persons_own_and_lengths_count_from_now(text: str, meant: datetime) -> None:
    assert when(text, NOW) == meant


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[MachineZone]:
    """A machine in Berlin, whose clocks went back on 2026-10-25."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield MachineZone()
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-02", datetime(2026, 11, 1, 23, tzinfo=UTC)),
        ("14d", datetime(2026, 11, 3, 15, tzinfo=UTC)),
        ("2026-10-22", datetime(2026, 10, 21, 22, tzinfo=UTC)),
    ],
)
def test_a_day_after_the_clocks_change_begins_at_that_days_midnight(
    text: str, meant: datetime, berlin: MachineZone
) -> None:
    assert when(text, datetime(2026, 10, 20, 16, 0, tzinfo=berlin)) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("2020-01-01", "2150-01-01", "9999-12-31", "0001-01-01", "9999w", "367d", "2026-11-28", "2027-12-01"),
        *("2026-11-28T15:59:00+01:00", "9999-12-31T23:00:00-12:00", "0001-01-01T00:00:00+12:00"),
    ],
)
def test_a_day_that_is_over_or_more_than_a_year_away_is_wrong_input_that_says_until_when(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not in the coming 366 days") as failed:
        when(text, NOW)
    assert failed.value.field == "--until"
    assert "2027-11-29 at the latest" in failed.value.hint


def test_a_day_of_any_year_is_answered_on_a_machine_with_a_zone(berlin: MachineZone) -> None:
    for text in ("9999-12-31", "0001-01-01", "9999w"):
        with pytest.raises(InvalidInput, match="is not in the coming"):
            when(text, datetime(2026, 10, 20, 16, 0, tzinfo=berlin))


@pytest.mark.parametrize("text", ["", "soon", "0d", "14", "14m", "24.12.2026"])
def test_what_is_no_day_is_wrong_input(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        when(text, NOW)
