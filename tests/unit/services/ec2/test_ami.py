"""Machine images: who names each, what is asked one by one, and what is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.judging import Pages

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.ec2.ami import KIND

IMAGES = "ec2:DescribeImages"
REFERENCES = "ec2:DescribeImageReferences"
CONFIGURATIONS = "autoscaling:DescribeLaunchConfigurations"
ATTRIBUTE = "ec2:DescribeImageAttribute"
ALL = (REFERENCES, CONFIGURATIONS, ATTRIBUTE)
IMAGE = {
    "ImageId": "ami-01",
    "Name": "web-2026-01-01",
    "State": "available",
    "Public": False,
    "CreationDate": "2026-01-01T00:00:00.000Z",
    "LastLaunchedTime": "2026-02-01T00:00:00.000Z",
    "PlatformDetails": "Linux/UNIX",
    "BlockDeviceMappings": [
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-01", "VolumeSize": 20}},
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-02", "VolumeSize": 100}},
    ],
}


def pages(*images: Mapping[str, Any], **changed: Any) -> Pages:
    answers: dict[str, Any] = {
        IMAGES: [{"Images": list(images)}],
        REFERENCES: [{"ImageReferences": []}],
        CONFIGURATIONS: [{"LaunchConfigurations": []}],
        ATTRIBUTE: [{"LaunchPermissions": []}],
    }
    return Pages({**answers, **changed}, region="us-east-1")


def listed(reader: Pages) -> tuple[dict[str, Resource], list[Gap]]:
    found = list(KIND.listing.collect(reader, "aws"))
    resources = {one.id: one for one in found if isinstance(one, Resource)}
    return resources, [one for one in found if isinstance(one, Gap)]


def asked(reader: Pages, operation: str) -> list[dict[str, Any]]:
    return [parameters for one, parameters in reader.asked if one == operation]


def test_an_image_is_listed_with_its_snapshots_and_its_last_launch() -> None:
    reader = pages(IMAGE)
    found, gaps = listed(reader)
    one = found["ami-01"]
    assert (gaps, one.name, one.arn) == ([], "web-2026-01-01", "arn:aws:ec2:us-east-1::image/ami-01")
    assert one.attributes.get("last_launched") == "2026-02-01T00:00:00+00:00"
    assert (one.attributes.get("snapshot_ids"), one.attributes.get("snapshot_gb")) == (["snap-01", "snap-02"], 120)
    assert (one.attributes.get("image_users"), one.attributes.get("shared")) == ([], False)
    assert asked(reader, IMAGES) == [{"Owners": ["self"], "IncludeDisabled": True, "MaxResults": 1000}]


def test_an_image_without_a_launch_was_never_launched() -> None:
    never = {name: value for name, value in IMAGE.items() if name != "LastLaunchedTime"}
    assert listed(pages(never))[0]["ami-01"].attributes.get("last_launched") == ""


def test_instances_all_versions_of_templates_and_configurations_are_asked_for_ten_images_at_a_time() -> None:
    images = [{**IMAGE, "ImageId": f"ami-{number:02}"} for number in range(11)]

    def named(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = "ami-03" in parameters["ImageIds"]
        reference = {"ImageId": "ami-03", "ResourceType": "ec2:LaunchTemplate", "Arn": "arn"}
        return [{"ImageReferences": [reference] if wanted else []}]

    configured = [{"LaunchConfigurations": [{"ImageId": "ami-03"}, {"ImageId": "ami-10"}]}]
    reader = pages(*images, **{REFERENCES: named, CONFIGURATIONS: configured})
    found, _ = listed(reader)
    assert found["ami-03"].attributes.get("image_users") == ["autoscaling:LaunchConfiguration", "ec2:LaunchTemplate"]
    assert found["ami-10"].attributes.get("image_users") == ["autoscaling:LaunchConfiguration"]
    assert [len(one["ImageIds"]) for one in asked(reader, REFERENCES)] == [10, 1]
    options = asked(reader, REFERENCES)[0]["ResourceTypes"][1]["ResourceTypeOptions"]
    assert options == [{"OptionName": "version-depth", "OptionValues": ["10000"]}]
    assert len(asked(reader, CONFIGURATIONS)) == 1


def test_whether_it_is_shared_is_asked_only_where_nothing_names_it() -> None:
    named = [{"ImageReferences": [{"ImageId": "ami-02", "ResourceType": "ec2:Instance"}]}]
    shared = [{"LaunchPermissions": [{"OrganizationArn": "arn:aws:organizations::111111111111:organization/o-a"}]}]
    reader = pages(IMAGE, {**IMAGE, "ImageId": "ami-02"}, **{REFERENCES: named, ATTRIBUTE: shared})
    found, _ = listed(reader)
    assert [found[one].attributes.get("shared") for one in ("ami-01", "ami-02")] == [True, None]
    assert [one["ImageId"] for one in asked(reader, ATTRIBUTE)] == ["ami-01"]


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"Public": True}, ("public", True)),
        ({"DeregistrationProtection": "enabled-with-cooldown"}, ("protected", True)),
        ({"DeregistrationProtection": "disabled", "State": "pending"}, ("protected", False)),
    ],
)
def test_of_an_image_that_stays_anyway_nothing_more_is_asked(
    changes: Mapping[str, Any], fact: tuple[str, bool]
) -> None:
    reader = pages({**IMAGE, **changes})
    found, _ = listed(reader)
    assert (fact[0], found["ami-01"].attributes.get(fact[0])) == fact
    assert [one for one in ALL if asked(reader, one)] == []


@pytest.mark.parametrize(
    ("operation", "fact"), [(REFERENCES, "image_users"), (CONFIGURATIONS, "image_users"), (ATTRIBUTE, "shared")]
)
def test_what_is_denied_is_a_gap_and_proves_nothing(operation: str, fact: str) -> None:
    denied = AwsDenied("not allowed", operation=operation, code="UnauthorizedOperation")
    reader = pages(IMAGE, {**IMAGE, "ImageId": "ami-02"}, **{operation: denied})
    found, gaps = listed(reader)
    assert {one.attributes.get(fact) for one in found.values()} == {None}
    assert [gap.operation for gap in gaps] == [operation.partition(":")[2]]


def test_a_page_of_images_that_is_lost_is_a_gap() -> None:
    lost = AwsThrottled("slow down", operation=IMAGES, code="RequestLimitExceeded")
    found, gaps = listed(pages(IMAGE, **{IMAGES: [{"Images": [IMAGE]}, lost]}))
    assert list(found) == ["ami-01"]
    assert [gap.operation for gap in gaps] == [IMAGES.partition(":")[2]]
