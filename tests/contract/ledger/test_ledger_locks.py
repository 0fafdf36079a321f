"""The locks of the ledger's objects are renewed before they end, so that nobody can delete what is still needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.fake_clock import FakeClock
from tests.support.locked_buckets import PREFIX, Buckets

from finops.errors import AwsError, AwsRejected, AwsUnreachable, LedgerUnavailable
from finops.ledger.locks import LockRenewal, renewed
from finops.ports.bucket import Stored
from finops_operator.aws.locked_bucket import S3Bucket

NOW = datetime(2026, 3, 19, 12, tzinfo=UTC)
PERIOD = timedelta(days=30)
NAMES = [f"{number:012d}.jsonl" for number in range(1, 46)]


def test_a_lock_is_renewed_for_the_whole_time_once_less_than_a_third_of_it_is_left() -> None:
    assert renewed(NOW, NOW + timedelta(days=10), PERIOD) is None
    assert renewed(NOW, NOW + timedelta(days=9, hours=23), PERIOD) == NOW + PERIOD
    assert renewed(NOW, NOW - timedelta(days=1), PERIOD) == NOW + PERIOD
    assert renewed(NOW, None, PERIOD) == NOW + PERIOD, "whether it is locked is not known"


def until(buckets: Buckets, name: str, key: str) -> datetime:
    found: datetime = buckets.s3.head_object(Bucket=name, Key=PREFIX + key)["ObjectLockRetainUntilDate"]
    return found


def written(buckets: Buckets, names: list[str], **options: Any) -> tuple[str, S3Bucket, FakeClock]:
    name, clock = buckets.make(default_days=options.pop("default_days", 0)), FakeClock(datetime.now(UTC))
    bucket = buckets.bucket(name, clock=clock, **options)
    for one in names:
        assert bucket.put(one, b"{}\n")
    return name, bucket, clock


def walk(renewal: LockRenewal, turns: int = 5) -> None:
    for _ in range(turns):
        renewal.turn()


def test_every_object_is_locked_anew_before_its_time_whatever_their_number(buckets: Buckets) -> None:
    name, bucket, clock = written(buckets, NAMES)
    renewal = LockRenewal(bucket, clock)
    first = {key: until(buckets, name, key) for key in NAMES}
    walk(renewal)
    assert {key: until(buckets, name, key) for key in NAMES} == first, "there is time"

    clock.sleep(timedelta(days=21).total_seconds())
    walk(renewal)

    for key in NAMES:
        assert abs(until(buckets, name, key) - clock.now() - PERIOD) < timedelta(seconds=1)
    version = next(bucket.stored()).version
    with pytest.raises(ClientError) as refused:
        buckets.s3.delete_object(Bucket=name, Key=PREFIX + NAMES[0], VersionId=version)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_the_first_version_is_the_one_that_stays_locked(buckets: Buckets) -> None:
    name, bucket, clock = written(buckets, NAMES[:1])
    buckets.s3.put_object(Bucket=name, Key=PREFIX + NAMES[0], Body=b"forged")
    clock.sleep(timedelta(days=25).total_seconds())

    walk(LockRenewal(bucket, clock))

    (first,) = bucket.stored()
    locked = bucket.locked_until(first)
    assert locked is not None
    assert abs(locked - clock.now() - PERIOD) < timedelta(seconds=1)


def test_a_walk_comes_twelve_times_in_a_period_and_after_a_start(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bucket, clock = written(buckets, NAMES[:1])
    visits: list[str] = []
    renewal = LockRenewal(bucket, clock)
    original = bucket.locked_until

    def visited(stored: Stored) -> datetime | None:
        visits.append(stored.name)
        return original(stored)

    monkeypatch.setattr(bucket, "locked_until", visited)

    for _ in range(60):
        renewal.turn()
        clock.sleep(timedelta(hours=12).total_seconds())

    assert len(visits) == 12


def test_the_bucket_s_default_says_how_long_where_the_settings_do_not(buckets: Buckets) -> None:
    _, bucket, clock = written(buckets, NAMES[:1], days=0, default_days=9)
    clock.sleep(timedelta(days=7).total_seconds())

    walk(LockRenewal(bucket, clock))

    (stored,) = bucket.stored()
    locked = bucket.locked_until(stored)
    assert locked is not None
    assert abs(locked - clock.now() - timedelta(days=9)) < timedelta(seconds=1)


def test_without_any_retention_nothing_is_guessed(buckets: Buckets) -> None:
    bucket = buckets.bucket(buckets.make(), days=0)
    with pytest.raises(LedgerUnavailable) as found:
        LockRenewal(bucket, FakeClock()).turn()
    assert found.value.code == "NoRetention"


def test_an_object_that_s3_refuses_holds_back_none_behind_it_and_is_said_at_the_end_of_the_walk(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as one that was written with a key of its writer's."""
    name, bucket, clock = written(buckets, NAMES)
    clock.sleep(timedelta(days=25).total_seconds())
    walked: list[float] = []
    metric: list[float] = []
    renewal = LockRenewal(bucket, clock, walked.append, metric.append)
    refusing, real = [NAMES[0], NAMES[30]], bucket.locked_until

    def refused(stored: Stored) -> datetime | None:
        if stored.name in refusing:
            raise AwsRejected("a key is missing", operation="s3:HeadObject", code="BadRequest")
        return real(stored)

    monkeypatch.setattr(bucket, "locked_until", refused)

    renewal.turn()
    renewal.turn()
    with pytest.raises(AwsRejected):
        renewal.turn()

    for key in NAMES:
        anew = until(buckets, name, key) > clock.now() + timedelta(days=29)
        assert anew == (key not in refusing)
    assert walked == []
    assert f"the locks of 2 of the 45 objects visited of the ledger ({NAMES[0]}, {NAMES[30]}) are not" in caplog.text
    clock.sleep(3600)
    walk(renewal)
    assert walked == [], "a walk costs a request for each object: it does not come every ten minutes"

    assert set(metric) == {1}
    refusing.clear()
    clock.sleep(timedelta(days=1).total_seconds())
    walk(renewal)

    assert walked == [clock.now().timestamp()]
    assert metric[-2:] == [1, 0], "what was refused stays so until a walk saw every object"
    assert until(buckets, name, NAMES[0]) > clock.now() + timedelta(days=29)


def test_a_walk_goes_on_where_a_call_had_no_answer(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that began anew each time would never end where there are many objects."""
    name, bucket, clock = written(buckets, NAMES)
    clock.sleep(timedelta(days=25).total_seconds())
    walked: list[float] = []
    renewal, lost, seen, real = LockRenewal(bucket, clock, walked.append), set(NAMES[::10]), [], bucket.locked_until

    def unanswered(stored: Stored) -> datetime | None:
        seen.append(stored.name)
        if stored.name in lost:
            lost.remove(stored.name)
            raise AwsUnreachable("no answer", operation="s3:HeadObject", code="ReadTimeout")
        return real(stored)

    monkeypatch.setattr(bucket, "locked_until", unanswered)
    for _ in range(5):
        with pytest.raises(AwsUnreachable):
            walk(renewal)
        clock.sleep(601)
    walk(renewal)

    assert walked == [clock.now().timestamp()]
    assert len(seen) == len(NAMES) + 5, "each object once, and those without an answer once more"
    assert all(until(buckets, name, key) > clock.now() + timedelta(days=29) for key in NAMES)


def test_a_walk_that_goes_on_after_a_long_outage_does_not_count_and_begins_again_at_once(buckets: Buckets) -> None:
    """What it passed before the outage, with just enough time left, is locked no more."""
    name, bucket, clock = written(buckets, NAMES)
    clock.sleep(timedelta(days=19.9).total_seconds())
    walked: list[float] = []
    renewal = LockRenewal(bucket, clock, walked.append)
    renewal.turn()
    clock.sleep(timedelta(days=11).total_seconds())

    walk(renewal, turns=2)
    assert walked == [], "it came to its end"
    assert until(buckets, name, NAMES[0]) < clock.now()
    walk(renewal, turns=3)

    assert walked == [clock.now().timestamp()]
    assert all(until(buckets, name, key) > clock.now() + timedelta(days=29) for key in NAMES)


def test_a_refusal_is_said_once_and_tried_again_after_a_pause(
    buckets: Buckets, caplog: pytest.LogCaptureFixture
) -> None:
    name, bucket, clock = written(buckets, NAMES[:1])
    clock.sleep(timedelta(days=25).total_seconds())
    renewal = LockRenewal(bucket, clock)
    fault = {"kind": "error", "service": "s3", "action": "HeadObject", "code": "AccessDenied", "status": 403}
    fault_id = buckets.double.control.inject(fault)
    for _ in range(2):
        with pytest.raises(AwsError):
            renewal.turn()
        renewal.turn()
        clock.sleep(601)
    assert caplog.text.count("are not renewed, and end") == 1
    buckets.double.control.faults.remove(fault_id)

    renewal.turn()

    assert until(buckets, name, NAMES[0]) > clock.now() + timedelta(days=29)


def test_what_metrics_say_of_a_walk_is_refused_or_walked(buckets: Buckets) -> None:
    refused: list[float] = []
    walked: list[float] = []
    name, bucket, clock = written(buckets, NAMES)
    renewal = LockRenewal(bucket, clock, walked.append, refused.append)
    walk(renewal)
    assert set(refused) == {0}
    assert walked == [clock.now().timestamp()]

    lost = LockRenewal(buckets.bucket(f"{name}-away", clock=clock), clock, walked.append, refused.append)
    with pytest.raises((AwsError, LedgerUnavailable)):
        lost.turn()
    assert refused[-1] == 1
    assert len(walked) == 1


def test_a_walk_begins_after_thirty_days_however_long_objects_are_locked(buckets: Buckets) -> None:
    walked: list[float] = []
    _, bucket, clock = written(buckets, NAMES[:1], days=2555)
    renewal = LockRenewal(bucket, clock, walked.append)
    walk(renewal)
    clock.sleep(timedelta(days=30, seconds=1).total_seconds())
    walk(renewal)
    assert len(walked) == 2
