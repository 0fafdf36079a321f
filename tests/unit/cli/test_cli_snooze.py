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


@pytest.mark.parametrize("text", ["", "soon", "0d", "14", "14m", "24.12.2026"])
def test_what_is_no_day_is_wrong_input(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a date"):
        when(text, NOW)
