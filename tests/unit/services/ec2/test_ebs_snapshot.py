"""EBS snapshots: what the listings say of each, what is asked one by one, and what is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.judging import Pages

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.ec2.ebs_snapshot import KIND

SNAPSHOTS = "ec2:DescribeSnapshots"
VOLUMES = "ec2:DescribeVolumes"
IMAGES = "ec2:DescribeImages"
RECYCLED = "ec2:ListImagesInRecycleBin"
LOCKED = "ec2:DescribeLockedSnapshots"
FAST = "ec2:DescribeFastSnapshotRestores"
SHARED = "ec2:DescribeSnapshotAttribute"
OLD = {
    "SnapshotId": "snap-01",
    "VolumeId": "vol-0a",
    "VolumeSize": 100,
    "FullSnapshotSizeInBytes": 5_368_709_120,
    "State": "completed",
    "StorageTier": "standard",
    "StartTime": "2026-01-01T00:00:00+00:00",
    "Tags": [{"Key": "Name", "Value": "before the upgrade"}],
}
NEW = {**OLD, "SnapshotId": "snap-02", "StartTime": "2026-02-01T00:00:00+00:00"}
NOBODY: dict[str, list[str]] = {"CreateVolumePermissions": []}


def pages(*snapshots: Mapping[str, Any], **changed: Any) -> Pages:
    answers: dict[str, Any] = {
        SNAPSHOTS: [{"Snapshots": list(snapshots)}],
        VOLUMES: [{"Volumes": [{"VolumeId": "vol-0a"}]}],
        IMAGES: [{"Images": []}],
        RECYCLED: [{"Images": []}],
        LOCKED: [{"Snapshots": []}],
        FAST: [{"FastSnapshotRestores": []}],
        SHARED: [NOBODY],
    }
    return Pages({**answers, **changed}, region="us-east-1")


def listed(reader: Pages) -> tuple[dict[str, Resource], list[Gap]]:
    found = list(KIND.listing.collect(reader, "aws"))
    resources = {one.id: one for one in found if isinstance(one, Resource)}
    return resources, [one for one in found if isinstance(one, Gap)]


def asked(reader: Pages, operation: str) -> int:
    return sum(one == operation for one, _ in reader.asked)


def test_each_snapshot_knows_its_volume_and_whether_a_newer_one_is_there() -> None:
    reader = pages(OLD, NEW)
    found, gaps = listed(reader)
    assert gaps == []
    facts = found["snap-01"].attributes
    assert (facts["volume_exists"], facts["newer_exists"], facts["full_bytes"]) == (True, True, 5_368_709_120)
    assert found["snap-02"].attributes.get("newer_exists") is False
    assert found["snap-01"].arn == "arn:aws:ec2:us-east-1::snapshot/snap-01"
    assert found["snap-01"].name == "before the upgrade"
    assert reader.asked[0] == (SNAPSHOTS, {"OwnerIds": ["self"], "MaxResults": 1000})


def test_where_there_is_no_snapshot_nothing_else_is_asked() -> None:
    reader = pages()
    assert listed(reader) == ({}, [])
    assert [one for one, _ in reader.asked] == [SNAPSHOTS]


def test_an_unfinished_snapshot_does_not_make_another_one_old() -> None:
    found, _ = listed(pages(OLD, {**NEW, "State": "pending"}))
    assert found["snap-01"].attributes.get("newer_exists") is False


@pytest.mark.parametrize(
    "copy",
    [
        {"VolumeId": "vol-ffffffff"},
        {"TransferType": "standard"},
        {"Description": "[Copied snap-0f from eu-west-1] nightly"},
        {"Description": "Copied for DestinationAmi ami-0a from SourceAmi ami-0b for SourceSnapshot snap-0f."},
    ],
)
def test_the_volume_of_a_copy_is_not_known_and_is_no_other_snapshots_newer_one(copy: Mapping[str, str]) -> None:
    found, _ = listed(pages(OLD, {**NEW, **copy}))
    assert (found["snap-02"].attributes.get("volume_id"), found["snap-02"].attributes.get("volume_exists")) == (
        "",
        None,
    )
    assert found["snap-01"].attributes.get("newer_exists") is False


@pytest.mark.parametrize(
    ("images", "recycled", "exists", "used"),
    [([], [], False, False), (["ami-0a"], [], True, True), ([], ["ami-0a"], True, False)],
)
def test_the_image_it_was_made_for_is_sought_in_the_recycle_bin_too(
    images: list[str], recycled: list[str], exists: bool, used: bool
) -> None:
    made = {**OLD, "Description": "Created by CreateImage(i-0a) for ami-0a"}
    mapping = {"BlockDeviceMappings": [{"Ebs": {"SnapshotId": "snap-01"}}, {"VirtualName": "ephemeral0"}]}
    answers = {
        IMAGES: [{"Images": [{"ImageId": one, **mapping} for one in images]}],
        RECYCLED: [{"Images": [{"ImageId": one} for one in recycled]}],
    }
    facts = listed(pages(made, **answers))[0]["snap-01"].attributes
    assert (facts.get("image_id"), facts.get("image_exists"), facts.get("used_by_image")) == ("ami-0a", exists, used)


def test_a_description_in_somebodys_own_words_names_no_image() -> None:
    own = {**OLD, "Description": "of ami-0a, keep"}
    assert listed(pages(own))[0]["snap-01"].attributes.get("image_id") == ""


def test_a_lock_that_has_expired_and_a_fast_restore_that_is_off_hold_nothing() -> None:
    locks = [{"SnapshotId": "snap-01", "LockState": "expired"}, {"SnapshotId": "snap-02", "LockState": "governance"}]
    restores = [
        {"SnapshotId": "snap-01", "State": "disabled"},
        {"SnapshotId": "snap-02", "State": "enabled"},
        {"SnapshotId": "snap-02", "State": "optimizing"},
    ]
    reader = pages(OLD, NEW, **{LOCKED: [{"Snapshots": locks}], FAST: [{"FastSnapshotRestores": restores}]})
    found, _ = listed(reader)
    assert [found[one].attributes.get("locked") for one in ("snap-01", "snap-02")] == [False, True]
    assert [found[one].attributes.get("fast_restore_zones") for one in ("snap-01", "snap-02")] == [0, 2]


def test_whether_it_is_shared_is_asked_only_of_those_that_nothing_else_holds() -> None:
    backup = {**NEW, "Tags": [{"Key": "aws:backup:source-resource", "Value": "x"}]}
    reader = pages(OLD, backup, **{SHARED: [{"CreateVolumePermissions": [{"UserId": "222222222222"}]}]})
    found, _ = listed(reader)
    assert [found[one].attributes.get("shared") for one in ("snap-01", "snap-02")] == [True, None]
    assert asked(reader, SHARED) == 1


def test_no_more_than_a_thousand_are_asked_whether_they_are_shared() -> None:
    many = [{**OLD, "SnapshotId": f"snap-{number:08x}"} for number in range(1001)]
    reader = pages(*many)
    found, _ = listed(reader)
    assert asked(reader, SHARED) == 1000
    assert [one.attributes.get("shared") for one in found.values()].count(None) == 1


@pytest.mark.parametrize(
    ("operation", "fact"),
    [
        (VOLUMES, "volume_exists"),
        (IMAGES, "used_by_image"),
        (LOCKED, "locked"),
        (FAST, "fast_restore_zones"),
        (SHARED, "shared"),
    ],
)
def test_a_listing_that_is_denied_is_a_gap_and_proves_nothing(operation: str, fact: str) -> None:
    denied = AwsDenied("not allowed", operation=operation, code="UnauthorizedOperation")
    found, gaps = listed(pages(OLD, **{operation: denied}))
    assert found["snap-01"].attributes.get(fact) is None
    assert [gap.operation for gap in gaps] == [operation.partition(":")[2]]


def test_without_the_recycle_bin_nobody_knows_whether_an_image_is_gone() -> None:
    made = {**OLD, "Description": "Created by CreateImage(i-0a) for ami-0a"}
    denied = AwsDenied("not allowed", operation=RECYCLED, code="UnauthorizedOperation")
    facts = listed(pages(made, **{RECYCLED: denied}))[0]["snap-01"].attributes
    assert (facts.get("image_exists"), facts.get("used_by_image")) == (None, False)


def test_a_page_of_snapshots_that_is_lost_is_a_gap_and_no_empty_list() -> None:
    lost = AwsThrottled("slow down", operation=SNAPSHOTS, code="RequestLimitExceeded")
    found, gaps = listed(pages(OLD, **{SHARED: [NOBODY], SNAPSHOTS: [{"Snapshots": [OLD]}, lost]}))
    assert found == {}
    assert [gap.operation for gap in gaps] == [SNAPSHOTS.partition(":")[2]]
