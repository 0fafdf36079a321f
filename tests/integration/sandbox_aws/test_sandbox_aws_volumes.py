"""Volumes and snapshots: rules of modification, deletion and snapshots, with the real SDK."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

Refusal = Callable[[Callable[[], object]], str]
OPEN = "arn:aws:iam::111111111111:role/finops-open"
DAY = 86_400


def volume_id(name: str) -> str:
    return resource_id("volume", "111111111111", "us-east-1", name)


@pytest.fixture
def ec2(aws: AwsDouble) -> Any:
    return aws.client("ec2", role=OPEN)


def shown(ec2: Any, name: str) -> dict[str, Any]:
    found = ec2.describe_volumes(VolumeIds=[volume_id(name)])["Volumes"][0]
    assert isinstance(found, dict)
    return found


def modify(ec2: Any, name: str, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ec2.modify_volume(VolumeId=volume_id(name), **changes)["VolumeModification"]
    return answer


def modification(ec2: Any, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = ec2.describe_volumes_modifications(VolumeIds=[volume_id(name)])["VolumesModifications"][0]
    return answer


def test_volumes_show_iops_throughput_age_and_attachment(ec2: Any) -> None:
    root = shown(ec2, "web/0")
    assert (root["VolumeType"], root["Size"], root["Iops"], root["State"]) == ("gp2", 100, 300, "in-use")
    assert root["Attachments"][0]["InstanceId"] == resource_id("instance", "111111111111", "us-east-1", "web")
    assert root["Attachments"][0]["DeleteOnTermination"]
    loose = shown(ec2, "loose")
    assert (loose["State"], loose["Iops"], loose["Throughput"], loose["Attachments"]) == ("available", 3000, 125, [])
    assert abs(datetime.now(UTC) - loose["CreateTime"] - timedelta(days=90)) < timedelta(minutes=1)


def test_a_modification_goes_through_modifying_and_optimizing(aws: AwsDouble, ec2: Any) -> None:
    started = modify(ec2, "web/1", VolumeType="gp3", Iops=3000, Throughput=250)
    assert (started["ModificationState"], started["OriginalVolumeType"], started["TargetVolumeType"]) == (
        "modifying",
        "gp2",
        "gp3",
    )
    assert shown(ec2, "web/1")["VolumeType"] == "gp2"
    aws.control.advance(61)
    optimizing = modification(ec2, "web/1")
    assert optimizing["ModificationState"] == "optimizing"
    assert 50 <= optimizing["Progress"] < 100
    now = shown(ec2, "web/1")
    assert (now["VolumeType"], now["Iops"], now["Throughput"]) == ("gp3", 3000, 250)
    aws.control.advance(61)
    done = modification(ec2, "web/1")
    assert (done["ModificationState"], done["Progress"]) == ("completed", 100)


def test_what_is_left_out_follows_the_old_volume_and_may_cost_more(aws: AwsDouble, ec2: Any) -> None:
    assert modify(ec2, "web/1", VolumeType="gp3")["TargetThroughput"] == 250
    assert modify(ec2, "web/0", VolumeType="gp3")["TargetIops"] == 3000


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("web/1", {"Size": 499}, "InvalidParameterValue"),
        ("loose", {"Iops": 2999}, "InvalidParameterValue"),
        ("loose", {"Iops": 80_001}, "InvalidParameterValue"),
        ("loose", {"Iops": 60_000}, "InvalidParameterValue"),
        ("loose", {"Throughput": 124}, "InvalidParameterValue"),
        ("loose", {"Throughput": 2_001}, "InvalidParameterValue"),
        ("loose", {"Throughput": 1_000}, "InvalidParameterValue"),
        ("loose", {"Size": 65_537}, "InvalidParameterValue"),
        ("web/1", {"VolumeType": "gp2", "Iops": 3000}, "InvalidParameterCombination"),
        ("web/1", {"VolumeType": "st1", "Throughput": 500}, "InvalidParameterCombination"),
        ("web/0", {"VolumeType": "st1", "Size": 500}, "InvalidParameterValue"),
        ("web/0", {"VolumeType": "sc1", "Size": 500}, "InvalidParameterValue"),
        ("never", {"VolumeType": "io1", "Iops": 5_000}, "InvalidParameterValue"),
        ("never", {"VolumeType": "floppy"}, "InvalidParameterValue"),
    ],
)
def test_impossible_modifications_are_refused(
    ec2: Any, refusal: Refusal, name: str, changes: dict[str, Any], code: str
) -> None:
    before = shown(ec2, name)
    assert refusal(lambda: modify(ec2, name, **changes)) == code
    assert shown(ec2, name) == before


def test_a_data_volume_may_become_st1(ec2: Any) -> None:
    assert modify(ec2, "web/1", VolumeType="st1")["TargetVolumeType"] == "st1"


def test_one_modification_at_a_time(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    modify(ec2, "loose", Size=110)
    assert refusal(lambda: modify(ec2, "loose", Size=120)) == "IncorrectModificationState"
    aws.control.advance(61)
    assert refusal(lambda: modify(ec2, "loose", Size=120)) == "IncorrectModificationState"
    aws.control.advance(61)
    assert modify(ec2, "loose", Size=120)["OriginalSize"] == 110


def test_four_modifications_in_a_rolling_day(aws: AwsDouble, ec2: Any, refusal: Refusal) -> None:
    for number in range(4):
        modify(ec2, "loose", Size=110 + number)
        aws.control.advance(121)
    assert refusal(lambda: modify(ec2, "loose", Size=120)) == "VolumeModificationRateExceeded"
    aws.control.advance(DAY - 4 * 121)
    assert aws.client("ec2", role=OPEN).modify_volume(VolumeId=volume_id("loose"), Size=120)


def test_an_attached_volume_is_in_use(ec2: Any, refusal: Refusal) -> None:
    assert refusal(lambda: ec2.delete_volume(VolumeId=volume_id("web/0"))) == "VolumeInUse"


def test_a_deleted_volume_is_gone(ec2: Any, refusal: Refusal) -> None:
    ec2.delete_volume(VolumeId=volume_id("loose"))
    assert refusal(lambda: shown(ec2, "loose")) == "InvalidVolume.NotFound"
    assert refusal(lambda: ec2.delete_volume(VolumeId=volume_id("loose"))) == "InvalidVolume.NotFound"


def test_a_snapshot_is_pending_first_and_carries_its_tags(aws: AwsDouble, ec2: Any) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "finops.dev/request", "Value": "ar-1"}]}]
    made = ec2.create_snapshot(VolumeId=volume_id("loose"), Description="before deletion", TagSpecifications=tags)
    assert (made["State"], made["Tags"]) == ("pending", tags[0]["Tags"])
    aws.control.advance(30)
    pending = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
    assert pending["State"] == "pending"
    assert 40 <= int(pending["Progress"].rstrip("%")) < 100
    aws.control.advance(31)
    filters = [{"Name": "tag:finops.dev/request", "Values": ["ar-1"]}]
    done = ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
    assert [(one["State"], one["Progress"], one["VolumeSize"]) for one in done] == [("completed", "100%", 100)]


def test_a_snapshot_outlives_its_volume(aws: AwsDouble, ec2: Any) -> None:
    made = ec2.create_snapshot(VolumeId=volume_id("loose"))
    aws.control.advance(61)
    ec2.delete_volume(VolumeId=volume_id("loose"))
    kept = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
    assert kept["VolumeId"] == volume_id("loose")
    ec2.delete_snapshot(SnapshotId=made["SnapshotId"])
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_unknown_snapshots_and_modifications_are_not_found(ec2: Any, refusal: Refusal) -> None:
    assert refusal(lambda: ec2.describe_snapshots(SnapshotIds=["snap-0"])) == "InvalidSnapshot.NotFound"
    assert refusal(lambda: modification(ec2, "loose")) == "InvalidVolumeModification.NotFound"


def test_dry_run_of_a_deletion_deletes_nothing(ec2: Any, refusal: Refusal) -> None:
    assert refusal(lambda: ec2.delete_volume(VolumeId=volume_id("loose"), DryRun=True)) == "DryRunOperation"
    assert shown(ec2, "loose")["State"] == "available"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": f"k{number}", "Value": "v"} for number in range(51)], "TagLimitExceeded"),
        ([{"Key": "aws:backup", "Value": "v"}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "a"}, {"Key": "k", "Value": "b"}], "InvalidParameterValue"),
        ([{"Key": "k" * 129, "Value": "v"}], "InvalidParameterValue"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidParameterValue"),
    ],
)
def test_a_snapshot_is_not_made_with_tags_that_aws_refuses(
    ec2: Any, refusal: Refusal, tags: list[dict[str, str]], code: str
) -> None:
    given = [{"ResourceType": "snapshot", "Tags": tags}]
    assert refusal(lambda: ec2.create_snapshot(VolumeId=volume_id("loose"), TagSpecifications=given)) == code
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_tags_are_given_to_what_the_call_makes_and_to_nothing_else(ec2: Any, refusal: Refusal) -> None:
    given = [{"ResourceType": "volume", "Tags": [{"Key": "k", "Value": "v"}]}]
    made = lambda: ec2.create_snapshot(VolumeId=volume_id("loose"), TagSpecifications=given)  # noqa: E731
    assert refusal(made) == "InvalidParameterValue"
