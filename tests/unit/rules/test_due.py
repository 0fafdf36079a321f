"""When a policy is scanned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scan_samples import NOW, policy, scanned_status

from finops.errors import InvalidInput
from finops_operator.rules.due import BLIND_RETRY, MAXIMUM_JITTER_SECONDS, due, jitter, next_run

BERLIN = ZoneInfo("Europe/Berlin")
DELAY = jitter("uid-of-p")


def times(schedule: str, zone: str, start: datetime, count: int) -> list[datetime]:
    found, at = [], start
    for _ in range(count):
        at = next_run(schedule, zone, at)
        found.append(at.astimezone(UTC))
    return found


def test_a_policy_that_was_never_scanned_is_due_at_once() -> None:
    verdict = due(policy(annotations={"finops.dev/requestedAt": "a"}), NOW)

    assert (verdict.now, verdict.reason, verdict.requested_at) == (True, "NeverScanned", "a")


def test_a_scan_that_never_ended_counts_as_none() -> None:
    running = policy(status={"lastScan": {"startTime": NOW.isoformat()}})

    assert due(running, NOW).reason == "NeverScanned"


def test_a_suspended_policy_is_never_due() -> None:
    verdict = due(policy(suspend=True), NOW)

    assert (verdict.now, verdict.reason, verdict.next_time) == (False, "Suspended", None)


def test_a_restart_does_not_scan_what_is_not_due() -> None:
    start = NOW.replace(minute=0) + DELAY
    scanned = policy(schedule="0 * * * *", status=scanned_status(start))
    planned = NOW.replace(hour=13, minute=0) + DELAY

    assert due(scanned, NOW).next_time == planned
    assert due(scanned, NOW).reason == "NotYet"
    assert due(scanned, planned - timedelta(microseconds=1)).now is False
    assert due(scanned, planned).reason == "Schedule"


def test_a_changed_spec_is_scanned_at_once() -> None:
    changed = policy(generation=2, status=scanned_status(NOW, generation=1))

    assert due(changed, NOW + timedelta(seconds=1)).reason == "SpecChanged"


def test_a_new_annotation_asks_once() -> None:
    asked = {"finops.dev/requestedAt": "now please"}
    before = policy(annotations=asked, status=scanned_status(NOW))
    after = policy(annotations=asked, status=scanned_status(NOW, lastHandledRequestedAt="now please"))

    assert (due(before, NOW).reason, due(before, NOW).requested_at) == ("Requested", "now please")
    assert due(after, NOW).reason == "NotYet"


def test_a_scan_that_saw_nothing_is_repeated_soon_and_never_later_than_planned() -> None:
    status = scanned_status(NOW)
    del status["monthlyCost"]
    again = NOW + timedelta(seconds=30) + BLIND_RETRY

    assert due(policy(schedule="0 3 * * *", status=status), again).reason == "NothingScanned"
    early = due(policy(schedule="0 3 * * *", status=status), again - timedelta(seconds=1))
    assert (early.now, early.next_time) == (False, again)
    every_minute = due(policy(schedule="* * * * *", status=status), NOW)
    assert every_minute.next_time == NOW + timedelta(minutes=1) + DELAY


@given(st.text(min_size=1))
def test_the_delay_of_a_policy_is_short_and_always_the_same(uid: str) -> None:
    assert timedelta(0) <= jitter(uid) < timedelta(seconds=MAXIMUM_JITTER_SECONDS)
    assert jitter(uid) == jitter(uid)


def test_the_schedule_is_read_in_its_own_time_zone() -> None:
    assert times("30 9 * * *", "Asia/Kolkata", NOW, 1) == [datetime(2026, 3, 11, 4, tzinfo=UTC)]


def test_in_spring_a_time_that_does_not_exist_still_brings_one_scan_that_day() -> None:
    found = times("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 2)

    assert [at.astimezone(BERLIN).date().day for at in found] == [29, 30]
    assert found[1].astimezone(BERLIN).hour == 2


def test_in_autumn_a_time_that_comes_twice_brings_one_scan() -> None:
    found = times("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)

    assert [at.astimezone(BERLIN).date().day for at in found] == [25, 26]


@pytest.mark.parametrize("start", [datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)])
def test_an_hourly_schedule_goes_on_every_hour_through_a_change_of_clocks(start: datetime) -> None:
    found = times("0 * * * *", "Europe/Berlin", start, 8)

    assert found == [start + timedelta(hours=hour) for hour in range(1, 9)]


def test_the_end_of_a_month_and_leap_days_come_when_they_do() -> None:
    assert times("0 0 29 2 *", "UTC", NOW, 1) == [datetime(2028, 2, 29, tzinfo=UTC)]
    assert times("0 0 31 * *", "UTC", NOW, 2) == [datetime(2026, 3, 31, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC)]


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    day=st.integers(0, 364),
)
def test_a_daily_schedule_comes_once_within_a_day_of_any_instant(minute: int, hour: int, zone: str, day: int) -> None:
    after = datetime(2026, 1, 1, 0, 17, 31, tzinfo=UTC) + timedelta(days=day)
    at = next_run(f"{minute} {hour} * * *", zone, after)

    assert after < at <= after + timedelta(hours=25, minutes=1)


@pytest.mark.parametrize("schedule", ["0 0 31 2 *", "", "0 * * *", "* * * * * *", "61 * * * *", "@hourly", "a b c d e"])
def test_a_schedule_that_cannot_be_read_names_its_field(schedule: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        next_run(schedule, "UTC", NOW)

    assert caught.value.field == "spec.schedule"
    assert "0 * * * *" in caught.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "Europe/Berlin\0"])
def test_a_zone_that_does_not_exist_names_its_field(zone: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        next_run("0 * * * *", zone, NOW)

    assert caught.value.field == "spec.timeZone"


@pytest.mark.parametrize("status", [{}, scanned_status(NOW, generation=7), scanned_status(NOW)])
def test_a_bad_schedule_is_said_before_any_scan(status: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        due(policy(schedule="0 0 31 2 *", status=status), NOW)
