"""EBS volumes as collected: sizes and attachments as AWS gives them, errors as gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops.domain.resource import Gap, Resource
from finops.errors import AwsThrottled
from finops_operator.services.ec2.volume import KIND


class OnePage:
    """A reader with one page, or an error."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, *volumes: dict[str, Any], error: Exception | None = None) -> None:
        self._volumes = list(volumes)
        self._error = error
        self.asked: list[dict[str, Any]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("collectors read pages")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert operation == "ec2:DescribeVolumes"
        self.asked.append(dict(parameters))
        if self._error is not None:
            raise self._error
        yield {"Volumes": self._volumes}


SEEN = datetime(2026, 11, 24, tzinfo=UTC)


def volume(**changes: Any) -> dict[str, Any]:
    return {
        "VolumeId": "vol-0123456789abcdef0",
        "VolumeType": "gp2",
        "Size": 100,
        "Iops": 300,
        "State": "in-use",
        "CreateTime": "2026-01-01T00:00:00.000Z",
        "Encrypted": True,
        "KmsKeyId": "arn:aws:kms:us-east-1:111111111111:key/k",
        "MultiAttachEnabled": False,
        "Attachments": [{"InstanceId": "i-1", "Device": "/dev/sdf", "State": "attached", "AttachTime": "x"}],
        **changes,
    }


def collected(**changes: Any) -> Resource:
    (found,) = KIND.listing.collect(OnePage(volume(**changes)), "aws-cn")
    assert isinstance(found, Resource)
    return found


def test_a_volume_carries_what_is_billed_and_who_uses_it() -> None:
    found = collected()
    assert found.arn == "arn:aws-cn:ec2:us-east-1:111111111111:volume/vol-0123456789abcdef0"
    assert (found.number("size_gb"), found.number("iops")) == (100, 300)
    assert found.attributes["attachments"] == [{"instance_id": "i-1", "device": "/dev/sdf", "state": "attached"}]
    assert found.text("attached_instance_id") == "i-1"
    assert found.created is not None
    assert found.created.tzinfo is not None


def test_throughput_that_aws_did_not_give_is_absent_and_not_zero() -> None:
    assert "throughput" not in collected().attributes
    assert collected(Throughput=125).number("throughput") == 125


def test_pages_are_asked_at_the_documented_maximum() -> None:
    reader = OnePage()
    list(KIND.listing.collect(reader, "aws"))
    assert reader.asked == [{"MaxResults": 1000}]


@pytest.mark.parametrize("state", ["deleting", "deleted"])
def test_volumes_that_are_gone_are_left_out(state: str) -> None:
    assert list(KIND.listing.collect(OnePage(volume(State=state)), "aws")) == []


def test_a_listing_that_was_throttled_out_is_a_gap() -> None:
    error = AwsThrottled("slow down", operation="ec2:DescribeVolumes", code="RequestLimitExceeded")
    (gap,) = KIND.listing.collect(OnePage(error=error), "aws")
    assert isinstance(gap, Gap)
    assert gap.code == "RequestLimitExceeded"


def test_a_detached_volume_is_asked_for_operations_because_its_idleness_is_the_proof() -> None:
    detached = collected(State="available", Attachments=[])
    assert {spec.name for spec in KIND.metrics if spec.applies(detached)} == {"volumeReadOps", "volumeWriteOps"}
    assert detached.text("attached_instance_id") == ""


def test_only_a_detached_volume_is_idle_and_remembers_since_when_we_saw_it_so() -> None:
    assert KIND.states.unmeasured == {"available"}
    assert KIND.memory is not None
    detached, attached = collected(State="available", Attachments=[]), collected()
    assert (KIND.memory.applies(detached), KIND.memory.applies(attached)) == (True, False)
    first = KIND.memory.carry_over(detached, attached, SEEN)
    assert first.text("unattached_since") == SEEN.isoformat()
    again = KIND.memory.carry_over(detached, first, SEEN + timedelta(days=1))
    assert KIND.memory.mark(again) == SEEN.isoformat()
