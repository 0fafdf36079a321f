"""What EC2 says of images and moto does not have, and images that the estate holds.

Nobody can put an image into the recycle bin here, so there is none. Which instances and launch templates name an image
is read from moto's. Moto answers about images itself where the estate holds none. Source: EC2 API reference,
DescribeImages, DescribeImageAttribute, DeregisterImage (OperationNotPermitted for one that is protected).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import ImageSpec, Place, resource_id
from finops_sandbox.aws.live_estate import LiveEstate

_MOST_IMAGES = 10
PREFIX = "ami-"


def seed(estate: LiveEstate, place: Place, spec: ImageSpec, created: datetime) -> None:
    """Hold an image of a Linux machine with one volume, and its snapshot, which AWS keeps when the image goes."""
    identity = resource_id("image", place.account, place.region, spec.name)
    snapshot = resource_id("snapshot", place.account, place.region, spec.name)
    block = {"SnapshotId": snapshot, "VolumeSize": 20, "VolumeType": "gp3", "DeleteOnTermination": True}
    described: dict[str, Any] = {
        "ImageId": identity,
        "Name": spec.name,
        "OwnerId": place.account,
        "State": "available",
        "Public": False,
        "CreationDate": f"{created:%Y-%m-%dT%H:%M:%S.000Z}",
        "Architecture": "x86_64",
        "ImageType": "machine",
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "BootMode": "uefi-preferred",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": block}],
        "DeregistrationProtection": "disabled",
        "Tags": [{"Key": key, "Value": value} for key, value in spec.tags.items()],
    }
    estate.further.images.setdefault((place.account, place.region), {})[identity] = described


def _held(call: Call) -> dict[str, dict[str, Any]]:
    return call.estate.further.images[call.account, call.region]


def _find(call: Call) -> dict[str, Any]:
    identity = str(call.parameters.get("ImageId"))
    found = _held(call).get(identity)
    if found is None:
        raise AwsError("InvalidAMIID.Unavailable", f"The image ID '{identity}' is no longer available")
    return found


def _describe(call: Call) -> Mapping[str, Any]:
    wanted = call.parameters.get("ImageIds") or ()
    there = {**_made_since(call), **_held(call)}
    for identity in wanted:
        if identity not in there:
            raise AwsError("InvalidAMIID.NotFound", f"The image id '[{identity}]' does not exist")
    return {"Images": [one for identity, one in there.items() if not wanted or identity in wanted]}


def _made_since(call: Call) -> dict[str, dict[str, Any]]:
    """Images of the account that moto holds: those that somebody made after the estate was loaded."""
    return {
        image.id: {
            "ImageId": image.id,
            "Name": image.name,
            "OwnerId": call.account,
            "State": image.state,
            "BlockDeviceMappings": image.block_device_mappings,
        }
        for image in call.backend.amis.values()
        if image.owner_id == call.account
    }


def _attribute(call: Call) -> Mapping[str, Any]:
    image = _find(call)
    shared = call.estate.further.image_shares.get(str(image["ImageId"]), ())
    return {"ImageId": image["ImageId"], "LaunchPermissions": [{"UserId": account} for account in shared]}


def _deregister(call: Call) -> Mapping[str, Any]:
    image = _find(call)
    if image["DeregistrationProtection"] != "disabled":
        message = f"The image {image['ImageId']} is protected from deregistration."
        raise AwsError("OperationNotPermitted", message)
    del _held(call)[str(image["ImageId"])]
    return {"Return": True}


def shown(estate: LiveEstate, account: str, region: str, identity: str) -> dict[str, Any]:
    """State of one image. Raises AwsError: the estate holds none of that id."""
    found = estate.further.images.get((account, region), {}).get(identity)
    if found is None:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{identity}]' does not exist")
    return {"id": identity, "kind": "ami", "state": found["State"]}


def change(estate: LiveEstate, account: str, region: str, identity: str, changes: Mapping[str, Any]) -> None:
    """Change an image as a person would: `members` of its description, `sharedWith` other accounts, `delete`."""
    shown(estate, account, region, identity)
    held = estate.further.images[account, region]
    held[identity].update(changes.get("members") or {})
    if "sharedWith" in changes:
        estate.further.image_shares[identity] = tuple(changes["sharedWith"])
    if changes.get("delete"):
        del held[identity]


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


HELD: dict[str, Handler] = {
    "DescribeImages": _describe,
    "DescribeImageAttribute": _attribute,
    "DeregisterImage": _deregister,
}
"""Of places whose images the estate holds."""
HANDLERS: dict[str, Handler] = {
    "ListImagesInRecycleBin": _recycled,
    "DescribeImageReferences": describe_image_references,
}
