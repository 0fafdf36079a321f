"""Snapshots and images on moto's EC2: a scan reads what holds each of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

_LATER_SECONDS = 120
"""After which a snapshot is complete on the double, and the next one is newer."""
Scan = Callable[..., ScanOutcome]


def test_what_holds_snapshots_and_images_is_read_in_a_whole_scan(aws: AwsDouble, scanned: Scan) -> None:
    ec2 = aws.client("ec2", role=MAKER)
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    kept, lost = (ec2.create_volume(AvailabilityZone=zone, Size=10)["VolumeId"] for _ in range(2))
    old = ec2.create_snapshot(VolumeId=kept)["SnapshotId"]
    aws.control.advance(_LATER_SECONDS)
    new, orphan, shared = (ec2.create_snapshot(VolumeId=one)["SnapshotId"] for one in (kept, lost, lost))
    aws.control.advance(_LATER_SECONDS)
    ec2.modify_snapshot_attribute(
        SnapshotId=shared, Attribute="createVolumePermission", OperationType="add", UserIds=["222222222222"]
    )
    ec2.delete_volume(VolumeId=lost)
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": old, "VolumeSize": 10}}]
    named, free = (
        ec2.register_image(Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)["ImageId"]
        for name in ("named", "free")
    )
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": named})
    outcome = scanned("ebs-snapshot", "ami")
    assert outcome.summary.gaps == ()
    report = report_of(outcome)
    found = {one["id"]: one["attributes"] for one in report["resources"]}
    assert {one: found[one]["volume_exists"] for one in (old, new, orphan)} == {old: True, new: True, orphan: False}
    assert {one: found[one]["newer_exists"] for one in (old, new)} == {old: True, new: False}
    assert {one: found[one].get("shared") for one in (orphan, shared)} == {orphan: False, shared: True}
    assert (found[named]["image_users"], found[free]["image_users"]) == (["ec2:LaunchTemplate"], [])
    assert found[free]["shared"] is False
    # All of it was made just now, so that nothing is old enough to be named.
    assert report["recommendations"] == []
