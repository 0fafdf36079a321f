"""What an act sees of a machine image, and who may still need it: asked anew right before it is deregistered.

Called by the deregistration's `observe`. What another image would be registered with is kept as one text, in the names
of RegisterImage. Source: EC2 API reference, DescribeImages, DescribeImageReferences, RegisterImage; EC2 user guide,
"Deregister an Amazon EC2 AMI", "Protect an AMI from deregistration", "AMI billing information fields".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, canonical_json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import tags_of
from finops_operator.services.ec2.rules.image_users import (
    ATTRIBUTE,
    CONFIGURATIONS,
    PERMISSION,
    REFERENCES,
    RESOURCE_TYPES,
)
from finops_operator.services.ec2.rules.recycle_bin import IMAGES, LIST_RULES, longest_kept_days
from finops_operator.services.ec2.rules.snapshot_holders import snapshots_of

DESCRIBE: Final = "ec2:DescribeImages"
READ_PERMISSIONS: Final = (DESCRIBE, REFERENCES, ATTRIBUTE, CONFIGURATIONS, LIST_RULES)
NOT_FOUND: Final = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})
LONGEST: Final = 3000
"""Characters of a registration that people can be shown as part of a plan."""
_REGISTERED: Final = (
    *("Name", "Description", "Architecture", "RootDeviceName", "VirtualizationType", "EnaSupport", "SriovNetSupport"),
    *("BootMode", "TpmSupport", "ImdsSupport", "KernelId", "RamdiskId"),
)
_OF_BLOCK: Final = (
    *("SnapshotId", "VolumeSize", "VolumeType", "Iops", "Throughput", "DeleteOnTermination"),
    "VolumeInitializationRate",
)
_GONE_STATES: Final = frozenset({"deregistered"})


def observe_image(reader: Reader, target: Target) -> Observation:
    """Read the image and, in full, everything that may need it.

    Facts: `state`, `protection` (AWS's word), `public`, `usage` (AWS's operation, by which it is billed), `rootType`,
    `productCodes`, `lastLaunched`, `snapshots` (ids, joined), `registration` (a text), `tags`; in full also
    `imageUsers` (types and ids of what names it, joined), `shared`, `binDays`.
    """
    identity = target.resource.id
    try:
        found = reader.read(DESCRIBE, {"ImageIds": [identity], "IncludeDisabled": True}).get("Images") or ()
        if not found or found[0].get("State") in _GONE_STATES:
            return Observation(exists=False)
        facts = _facts(found[0])
        if target.full:
            facts |= _needed_by(reader, identity)
    except AwsRejected as error:
        if error.code in NOT_FOUND:
            return Observation(exists=False)
        raise
    named = ("state", "protection", "lastLaunched", "snapshots", "registration")
    fingerprint = {name: str(facts[name]) for name in named}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _facts(image: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "state": str(image.get("State") or ""),
        # Absent on images from before protection existed.
        "protection": str(image.get("DeregistrationProtection") or "disabled"),
        "public": image.get("Public") is not False,
        "usage": str(image.get("UsageOperation") or ""),
        "rootType": str(image.get("RootDeviceType") or ""),
        "productCodes": bool(image.get("ProductCodes")),
        "lastLaunched": str(image.get("LastLaunchedTime") or ""),
        "snapshots": ", ".join(sorted(snapshots_of(image))),
        "registration": canonical_json(_registration(image)).decode(),
        "tags": dict(tags_of(image)),
    }


def _registration(image: Mapping[str, Any]) -> dict[str, Json]:
    """Return the parameters with which the same image would be registered again from its snapshots."""
    own = {name: _plain(image[name]) for name in _REGISTERED if image.get(name) not in (None, "")}
    blocks = [_block(one) for one in image.get("BlockDeviceMappings") or ()]
    return {**own, "BlockDeviceMappings": [*blocks]}


def _block(block: Mapping[str, Any]) -> dict[str, Json]:
    named = {name: str(block[name]) for name in ("DeviceName", "VirtualName") if block.get(name)}
    ebs = block.get("Ebs") or {}
    kept: dict[str, Json] = {name: _plain(ebs[name]) for name in _OF_BLOCK if ebs.get(name) is not None}
    return {**named, **({"Ebs": kept} if kept else {})}


def _plain(value: Any) -> Json:
    plain: Json = value.isoformat() if isinstance(value, datetime) else value
    return plain


def _needed_by(reader: Reader, identity: str) -> dict[str, Json]:
    asked = {"ImageIds": [identity], "ResourceTypes": list(RESOURCE_TYPES)}
    references = reader.read(REFERENCES, asked).get("ImageReferences") or ()
    named = {str(one.get("Arn") or one.get("ResourceType") or "something").rpartition(":")[2] for one in references}
    configurations = reader.read(CONFIGURATIONS, {}).get("LaunchConfigurations") or ()
    named |= {
        f"launch configuration {one.get('LaunchConfigurationName') or 'without a name'}"
        for one in configurations
        if one.get("ImageId") == identity
    }
    permissions = reader.read(ATTRIBUTE, {"ImageId": identity, "Attribute": PERMISSION})
    return {
        "imageUsers": ", ".join(sorted(named)),
        "shared": bool(permissions.get("LaunchPermissions")),
        "binDays": str(longest_kept_days(reader, IMAGES) or ""),
    }
