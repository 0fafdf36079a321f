"""What EC2 says of images and snapshots and moto does not have.

Nobody can lock a snapshot, switch fast restores on or put an image into the recycle bin here, so there are none. Which
instances and launch templates name an image is read from moto's. Source: EC2 API reference.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError

_MOST_IMAGES = 10


def _locked(_: Call) -> Mapping[str, Any]:
    return {"Snapshots": []}


def _fast_restores(_: Call) -> Mapping[str, Any]:
    return {"FastSnapshotRestores": []}


def _recycled(_: Call) -> Mapping[str, Any]:
    return {"Images": []}


def describe_image_references(call: Call) -> Mapping[str, Any]:
    """What names each of the images, of the types that were asked for.

    Raises:
        AwsError: InvalidParameterValue for more images than AWS takes at a time.
    """
    images = [str(one) for one in call.parameters.get("ImageIds") or ()]
    if len(images) > _MOST_IMAGES:
        raise AwsError("InvalidParameterValue", f"No more than {_MOST_IMAGES} images can be checked at a time.")
    types = {str(one["ResourceType"]) for one in call.parameters.get("ResourceTypes") or ()}
    found = [
        {"ImageId": image, "ResourceType": kind, "Arn": f"arn:aws:ec2:{call.region}:{call.account}:{name}"}
        for image, kind, name in _references(call)
        if image in images and kind in types
    ]
    return {"ImageReferences": found}


def _references(call: Call) -> Iterator[tuple[str, str, str]]:
    for reservation in call.backend.describe_instances():
        for instance in reservation.instances:
            yield str(instance.image_id), "ec2:Instance", f"instance/{instance.id}"
    for template in call.backend.launch_templates.values():
        for version in template.versions:
            yield str(version.data.get("ImageId")), "ec2:LaunchTemplate", f"launch-template/{template.id}"


HANDLERS: dict[str, Handler] = {
    "DescribeLockedSnapshots": _locked,
    "DescribeFastSnapshotRestores": _fast_restores,
    "ListImagesInRecycleBin": _recycled,
    "DescribeImageReferences": describe_image_references,
}
