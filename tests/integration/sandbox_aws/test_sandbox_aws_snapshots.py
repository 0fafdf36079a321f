"""Snapshots in the double: what holds them, what AWS refuses to delete, and the rules of the Recycle Bin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

_ACCOUNT, _REGION = "111111111111", "us-east-1"
_ESTATE: dict[str, Any] = {
    "accounts": {
        _ACCOUNT: {
            "name": "production",
            "regions": [_REGION],
            "roles": {
                "finops-open": {
                    "externalId": "",
                    "policies": [{"Statement": [{"Effect": "Allow", "Action": ["ec2:*", "rbin:*"], "Resource": "*"}]}],
                }
            },
        }
    },
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "volumes": [{"name": "there", "size": 20}],
            "snapshots": [
                {"name": "left", "volume": "gone", "age": "100d", "tags": {"team": "data"}},
                {"name": "of-volume", "volume": "there"},
            ],
        }
    ],
}
_OPEN = f"arn:aws:iam::{_ACCOUNT}:role/finops-open"
_LEFT = resource_id("snapshot", _ACCOUNT, _REGION, "left")
_GONE = resource_id("volume", _ACCOUNT, _REGION, "gone")
Refusal = Callable[[Callable[[], object]], str]


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE) as running:
        yield running


@pytest.fixture
def aws(double: AwsDouble) -> AwsDouble:
    double.control.reset()
    return double


def change(aws: AwsDouble, **changes: Any) -> dict[str, Any]:
    return aws.control.change(_ACCOUNT, _REGION, _LEFT, changes)


def test_a_snapshot_outlives_its_volume(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    (described,) = ec2.describe_snapshots(SnapshotIds=[_LEFT])["Snapshots"]
    assert (described["VolumeId"], described["State"]) == (_GONE, "completed")
    assert {"Key": "team", "Value": "data"} in described["Tags"]
    assert refusal(lambda: ec2.describe_volumes(VolumeIds=[_GONE])) == "InvalidVolume.NotFound"


def test_a_snapshot_is_deleted_once(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    ec2.delete_snapshot(SnapshotId=_LEFT)
    assert refusal(lambda: ec2.delete_snapshot(SnapshotId=_LEFT)) == "InvalidSnapshot.NotFound"
    assert [call.action for call in aws.calls if call.applied] == ["DeleteSnapshot"]


def test_a_snapshot_that_an_image_uses_is_in_use_until_the_image_is_deregistered(
    aws: AwsDouble, refusal: Refusal
) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    change(aws, image="base")
    images = ec2.describe_images(Owners=["self"])["Images"]
    (image,) = [one["ImageId"] for one in images if one["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == _LEFT]
    assert refusal(lambda: ec2.delete_snapshot(SnapshotId=_LEFT)) == "InvalidSnapshot.InUse"
    ec2.deregister_image(ImageId=image)
    ec2.delete_snapshot(SnapshotId=_LEFT)


def test_a_locked_snapshot_is_listed_and_not_deleted(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    change(aws, lock=True)
    (lock,) = ec2.describe_locked_snapshots(SnapshotIds=[_LEFT])["Snapshots"]
    assert (lock["SnapshotId"], lock["LockState"]) == (_LEFT, "governance")
    assert refusal(lambda: ec2.delete_snapshot(SnapshotId=_LEFT)) == "OperationNotPermitted"
    change(aws, lock=False)
    ec2.delete_snapshot(SnapshotId=_LEFT)


def test_fast_restores_and_shares_are_shown(aws: AwsDouble) -> None:
    ec2 = aws.client("ec2", role=_OPEN)
    change(aws, fastRestore=True, sharedWith="222222222222")
    filters = [{"Name": "snapshot-id", "Values": [_LEFT]}]
    (restore,) = ec2.describe_fast_snapshot_restores(Filters=filters)["FastSnapshotRestores"]
    assert (restore["AvailabilityZone"], restore["State"]) == ("us-east-1a", "enabled")
    other = [{"Name": "snapshot-id", "Values": ["snap-0123456789abcdef0"]}]
    assert ec2.describe_fast_snapshot_restores(Filters=other)["FastSnapshotRestores"] == []
    answer = ec2.describe_snapshot_attribute(SnapshotId=_LEFT, Attribute="createVolumePermission")
    assert answer["CreateVolumePermissions"] == [{"UserId": "222222222222"}]


def test_rules_of_the_recycle_bin_are_kept_by_region_and_type(aws: AwsDouble) -> None:
    rbin = aws.client("rbin", role=_OPEN)
    assert rbin.list_rules(ResourceType="EBS_SNAPSHOT")["Rules"] == []
    period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    tags = [{"ResourceTagKey": "team", "ResourceTagValue": "data"}]
    made = rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=period, ResourceTags=tags)["Identifier"]
    (rule,) = rbin.list_rules(ResourceType="EBS_SNAPSHOT")["Rules"]
    assert (rule["Identifier"], rule["RetentionPeriod"]) == (made, period)
    assert rbin.list_rules(ResourceType="EC2_IMAGE")["Rules"] == []


def test_a_person_deletes_a_snapshot_past_every_rule(aws: AwsDouble) -> None:
    change(aws, lock=True)
    assert change(aws, delete=True) == {"id": _LEFT, "deleted": True}
