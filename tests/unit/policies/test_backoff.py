"""Scans that fail are repeated more and more rarely; whatever somebody changes is tried at once."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import policy

from finops.crds.scan_policy import ScanPolicy
from finops_operator.policies.backoff import Accounts, ScanBackoff
from finops_operator.rules.due import BLIND_RETRY, REQUESTED_AT, pause_after

KEY = ("team-a", "p")
HOURLY = policy(schedule="0 * * * *")


def patience(clock: FakeClock) -> tuple[ScanBackoff, list[Accounts]]:
    accounts: list[Accounts] = [frozenset()]
    return ScanBackoff(clock, lambda _: accounts[0]), accounts


def pauses(clock: FakeClock, kept: ScanBackoff, by: ScanPolicy, count: int) -> list[float]:
    found = []
    for _ in range(count):
        kept.failed(KEY, by)
        again = kept.until(KEY, by)
        assert again is not None
        found.append((again - clock.now()).total_seconds())
        clock.sleep(found[-1])
    return found


def test_each_failure_doubles_the_pause_up_to_the_schedule() -> None:
    clock = FakeClock()
    kept, _ = patience(clock)

    assert pauses(clock, kept, HOURLY, 10) == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    kept.ended(KEY, HOURLY, saw_nothing=False)
    assert kept.until(KEY, HOURLY) is None
    assert pauses(clock, kept, HOURLY, 2) == [15, 30]


def test_a_store_that_does_not_answer_is_asked_again_within_minutes() -> None:
    clock = FakeClock()
    kept, _ = patience(clock)
    for _ in range(12):
        kept.failed(KEY, HOURLY, longest=timedelta(minutes=3))

    assert kept.until(KEY, HOURLY) == clock.now() + timedelta(minutes=3)


def test_a_changed_policy_account_or_annotation_is_tried_at_once() -> None:
    clock = FakeClock()
    kept, accounts = patience(clock)
    pauses(clock, kept, HOURLY, 5)
    kept.failed(KEY, HOURLY)

    assert kept.until(KEY, policy(schedule="0 * * * *", generation=2)) is None
    assert kept.until(KEY, policy(schedule="0 * * * *", annotations={REQUESTED_AT: "now"})) is None
    assert kept.until(KEY, HOURLY) is not None
    accounts[0] = frozenset({("production", "uid", 2)})
    assert kept.until(KEY, HOURLY) is None


def test_a_scan_that_saw_nothing_is_repeated_more_and_more_rarely() -> None:
    clock = FakeClock()
    kept, accounts = patience(clock)
    found = []
    for _ in range(7):
        kept.ended(KEY, HOURLY, saw_nothing=True)
        found.append(kept.blind_retry(KEY, HOURLY) / BLIND_RETRY)

    assert found == [1, 2, 4, 8, 16, 20, 20]
    accounts[0] = frozenset({("production", "uid", 2)})
    assert kept.blind_retry(KEY, HOURLY) == BLIND_RETRY


def test_what_is_caught_up_with_begins_with_the_first_pause_again() -> None:
    clock = FakeClock()
    kept, _ = patience(clock)
    pauses(clock, kept, HOURLY, 3)

    kept.caught_up(KEY)

    assert kept.until(KEY, HOURLY) is None
    assert pauses(clock, kept, HOURLY, 1) == [15]


def test_a_deleted_policy_is_forgotten() -> None:
    clock = FakeClock()
    kept, _ = patience(clock)
    pauses(clock, kept, HOURLY, 1)

    kept.forget_all_but(set())

    assert kept.until(KEY, HOURLY) is None


def test_a_schedule_that_never_comes_leaves_the_first_pause() -> None:
    clock = FakeClock()
    kept, _ = patience(clock)

    assert pauses(clock, kept, policy(schedule="0 0 31 2 *"), 2) == [15, 15]


@given(failures=st.integers(1, 10_000), schedule=st.sampled_from(["* * * * *", "0 * * * *", "0 3 1 1 *"]))
def test_a_pause_is_never_shorter_than_the_first_nor_longer_than_the_schedule(failures: int, schedule: str) -> None:
    by, first = policy(schedule=schedule), timedelta(seconds=15)

    pause = pause_after(failures, first, by, FakeClock().now())

    assert first <= pause <= timedelta(days=366)
    assert pause >= pause_after(max(1, failures - 1), first, by, FakeClock().now())
