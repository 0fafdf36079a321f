"""What an act sees of an EBS snapshot, and what may still need it: asked anew right before it is deleted.

Called by the deletion's `observe`. Images are read without a filter: one that AWS does not know would find nothing, and
what is used would pass as unused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import moment_of, tags_of
from finops_operator.services.ec2.rules.image_users import CONFIGURATIONS
from finops_operator.services.ec2.rules.recycle_bin import LIST_RULES, SNAPSHOTS, longest_kept_days
from finops_operator.services.ec2.rules.snapshot_holders import snapshots_of
from finops_operator.services.ec2.rules.snapshot_origin import COMPLETED, image_of, volume_of

_SNAPSHOTS: Final = "ec2:DescribeSnapshots"
_VOLUMES: Final = "ec2:DescribeVolumes"
_IMAGES: Final = "ec2:DescribeImages"
_RECYCLED: Final = "ec2:ListImagesInRecycleBin"
_LOCKED: Final = "ec2:DescribeLockedSnapshots"
_FAST: Final = "ec2:DescribeFastSnapshotRestores"
_ATTRIBUTE: Final = "ec2:DescribeSnapshotAttribute"
TEMPLATES: Final = "ec2:DescribeLaunchTemplateVersions"
ALL_TEMPLATES: Final[Mapping[str, Json]] = {"Versions": ["$Latest", "$Default"]}
"""Parameters that ask for every template: without a template's id AWS takes these two words alone."""
READ_PERMISSIONS: Final = (
    *(_SNAPSHOTS, _VOLUMES, _IMAGES, _RECYCLED, _LOCKED, _FAST, _ATTRIBUTE),
    LIST_RULES,
    *(TEMPLATES, CONFIGURATIONS),
)
_OFF: Final = frozenset({"disabled", "disabling"})
_EXPIRED: Final = "expired"
NOT_FOUND: Final = "InvalidSnapshot.NotFound"
_ASSUMED: Final = ("state", "tier", "volumeId", "startTime", "sizeGiB")


def observe_snapshot(reader: Reader, target: Target) -> Observation:
    """Read the snapshot and, in full, everything that may need it.

    Facts: `state`, `tier`, `volumeId` (empty of a copy), `startTime`, `sizeGiB`, `tags`; in full also `images` and
    `recycledImage` (ids), `templates` (names), `fastRestore` (zones), `lock` (AWS's word), `shared`, `volumeExists`,
    `newerExists`, `binDays`. All of them are texts, empty for none, but the truths and the tags.
    """
    found = _described(reader, "snapshot-id", target.resource.id)
    if not found:
        return Observation(exists=False)
    own = found[0]
    facts: dict[str, Json] = {
        "state": str(own.get("State") or ""),
        "tier": str(own.get("StorageTier") or ""),
        "volumeId": volume_of(own),
        "startTime": str(own.get("StartTime") or ""),
        "sizeGiB": str(own.get("VolumeSize") or ""),
        "tags": dict(tags_of(own)),
    }
    if target.full:
        try:
            facts |= _needed_by(reader, target.resource.id, own)
        except AwsRejected as error:
            if error.code == NOT_FOUND:
                return Observation(exists=False)
            raise
    fingerprint = {name: str(facts[name]) for name in _ASSUMED}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _described(reader: Reader, name: str, value: str) -> Sequence[Mapping[str, Any]]:
    filters = [{"Name": name, "Values": [value]}]
    found: Sequence[Mapping[str, Any]] = reader.read(_SNAPSHOTS, {"OwnerIds": ["self"], "Filters": filters}).get(
        "Snapshots", ()
    )
    return found


def _needed_by(reader: Reader, identity: str, own: Mapping[str, Any]) -> dict[str, Json]:
    own_images = reader.read(_IMAGES, {"Owners": ["self"], "IncludeDisabled": True}).get("Images", ())
    images = sorted(str(one["ImageId"]) for one in own_images if identity in snapshots_of(one))
    locks = reader.read(_LOCKED, {"SnapshotIds": [identity]}).get("Snapshots", ())
    restores = reader.read(_FAST, {"Filters": [{"Name": "snapshot-id", "Values": [identity]}]})
    fast = sorted(
        str(one.get("AvailabilityZone") or "a zone")
        for one in restores.get("FastSnapshotRestores", ())
        if one.get("State") not in _OFF
    )
    permissions = reader.read(_ATTRIBUTE, {"SnapshotId": identity, "Attribute": "createVolumePermission"})
    return {
        "images": ", ".join(images),
        "recycledImage": _recycled_image(reader, image_of(own)),
        "templates": ", ".join(_templates(reader, identity)),
        "lock": next((str(one["LockState"]) for one in locks if one.get("LockState") != _EXPIRED), ""),
        "fastRestore": ", ".join(fast),
        "shared": bool(permissions.get("CreateVolumePermissions")),
        "binDays": str(longest_kept_days(reader, SNAPSHOTS) or ""),
        **_other_points(reader, own),
    }


def _templates(reader: Reader, identity: str) -> list[str]:
    """Return launch templates and configurations that make a volume of it: AWS lets what they name be deleted."""
    versions = reader.read(TEMPLATES, ALL_TEMPLATES).get("LaunchTemplateVersions", ())
    named = [(one.get("LaunchTemplateName"), one.get("LaunchTemplateData") or {}) for one in versions]
    configurations = reader.read(CONFIGURATIONS, {}).get("LaunchConfigurations", ())
    named += [(one.get("LaunchConfigurationName"), one) for one in configurations]
    return sorted({str(name or "one without a name") for name, data in named if identity in _devices(data)})


def _devices(data: Mapping[str, Any]) -> set[str]:
    return {str((one.get("Ebs") or {}).get("SnapshotId") or "") for one in data.get("BlockDeviceMappings") or ()}


def _recycled_image(reader: Reader, image: str) -> str:
    """Return the image that it was made for when that can still be taken out of the recycle bin."""
    if not image:
        return ""
    recycled = reader.read(_RECYCLED, {}).get("Images", ())
    return image if any(one.get("ImageId") == image for one in recycled) else ""


def _other_points(reader: Reader, own: Mapping[str, Any]) -> dict[str, Json]:
    """Return whether its volume exists, and whether a newer complete snapshot of that volume does."""
    volume, taken = volume_of(own), moment_of(own.get("StartTime"))
    if not volume:
        return {"volumeExists": False, "newerExists": False}
    named = reader.read(_VOLUMES, {"Filters": [{"Name": "volume-id", "Values": [volume]}]})
    times = [
        moment_of(one.get("StartTime"))
        for one in _described(reader, "volume-id", volume)
        if one.get("State") == COMPLETED and volume_of(one)
    ]
    newer = taken is not None and any(one is not None and one > taken for one in times)
    return {"volumeExists": bool(named.get("Volumes")), "newerExists": newer}
