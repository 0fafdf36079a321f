"""The reader: patience per request, one fresh session after an expired one. Paging: `test_aws_paging.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from finops.errors import AwsCredentialsInvalid, AwsDenied, AwsThrottled, AwsUnreachable
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.limiter import DATAPOINTS, OTHERS, LocalRateLimits, Quota
from finops_operator.aws.paging import Paging
from finops_operator.aws.reader import AwsReader, CallPacing, RetryPolicy

OPERATION = "ec2:DescribeInstances"


@dataclass
class FakeClock:
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "DescribeInstances")


class Script:
    """An SDK client that answers from a list; exceptions are raised."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self._answers: Iterator[dict[str, Any] | Exception] = iter(answers)
        self.requests: list[dict[str, Any]] = []
        self.fresh: list[bool] = []

    def describe_instances(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def source(self, _service: str, fresh: bool) -> Script:
        self.fresh.append(fresh)
        return self


def unpaged(_operation: str) -> Paging:
    return Paging()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def reading(clock: FakeClock) -> Callable[..., AwsReader]:
    def make(script: Script, **quotas: Quota) -> AwsReader:
        pacing = CallPacing(LocalRateLimits(), clock, RetryPolicy(), {OTHERS: Quota(1e9, 1e9), **quotas})
        return AwsReader("111111111111", "us-east-1", script.source, unpaged, pacing, CallCounter())

    return make


def test_throttling_is_outlasted(reading: Callable[..., AwsReader], clock: FakeClock) -> None:
    script = Script(*[refusal("RequestLimitExceeded", 503)] * 11, {"Reservations": []})
    assert reading(script).once(OPERATION, {}) == {"Reservations": []}
    assert len(script.requests) == 12
    assert all(pause <= 20 for pause in clock.slept)


def test_patience_ends_in_an_error_never_in_an_empty_answer(reading: Callable[..., AwsReader]) -> None:
    script = Script(*[refusal("RequestLimitExceeded", 503)] * 12)
    with pytest.raises(AwsThrottled):
        reading(script).once(OPERATION, {})


def test_a_denial_is_not_repeated(reading: Callable[..., AwsReader]) -> None:
    script = Script(refusal("UnauthorizedOperation", 403))
    with pytest.raises(AwsDenied):
        reading(script).once(OPERATION, {})
    assert len(script.requests) == 1


def test_a_disabled_region_is_not_asked_twice(reading: Callable[..., AwsReader]) -> None:
    script = Script(refusal("OptInRequired", 401))
    with pytest.raises(AwsUnreachable):
        reading(script).once(OPERATION, {})
    assert len(script.requests) == 1


def test_a_dead_endpoint_is_given_up_sooner_than_a_throttled_one(reading: Callable[..., AwsReader]) -> None:
    script = Script(*[EndpointConnectionError(endpoint_url="http://x")] * 12)
    with pytest.raises(AwsUnreachable):
        reading(script).once(OPERATION, {})
    assert len(script.requests) == 4


def test_an_expired_session_is_renewed_once(reading: Callable[..., AwsReader]) -> None:
    script = Script(refusal("ExpiredToken"), {"Reservations": []})
    reading(script).once(OPERATION, {})
    assert script.fresh == [False, True]


def test_a_session_that_is_expired_when_new_is_an_error(reading: Callable[..., AwsReader]) -> None:
    script = Script(refusal("ExpiredToken"), refusal("ExpiredToken"))
    with pytest.raises(AwsCredentialsInvalid):
        reading(script).once(OPERATION, {})


def test_requests_wait_for_their_share_of_the_quota(reading: Callable[..., AwsReader], clock: FakeClock) -> None:
    script = Script({}, {}, {})
    reader = reading(script, ec2=Quota(burst=1, per_second=1))
    for _ in range(3):
        reader.once(OPERATION, {})
    assert len(clock.slept) == 2
    assert clock.slept[1] > clock.slept[0] > 0.5


def test_whoever_watches_is_called_with_the_bucket_that_holds_a_request_back(clock: FakeClock) -> None:
    quotas = {OTHERS: Quota(1e9, 1e9), "ec2": Quota(1, 0.5), DATAPOINTS: Quota(100, 10)}
    waits: list[tuple[str, float]] = []
    pacing = CallPacing(LocalRateLimits(), clock, quotas=quotas, waits=lambda *wait: waits.append(wait))
    reader = AwsReader("111111111111", "us-east-1", Script({}, {}, {}).source, unpaged, pacing, CallCounter())
    reader.once(OPERATION, {})
    assert waits == []
    reader.once(OPERATION, {})
    reader.once(OPERATION, {}, datapoints=1_100)
    assert [bucket for bucket, _ in waits] == ["ec2", DATAPOINTS]
    assert [seconds for _, seconds in waits] == clock.slept
    assert waits[1][1] == pytest.approx(100, abs=1)


def test_the_bill_counts_answered_metric_requests_only(reading: Callable[..., AwsReader]) -> None:
    script = Script(refusal("Throttling"), {})
    reader = reading(script)
    reader.once(OPERATION, {}, metrics=150)
    assert reader.counter.metrics_requested == 150
