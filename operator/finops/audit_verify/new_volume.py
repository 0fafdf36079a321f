"""The call that undoes the deletion of a volume, made anew from what the deletion's plan says the volume was.

AWS gives nothing deleted back: the one call of such an undo makes a new volume from the last snapshot, whose id is in
the record of the deletion's own call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

DELETES = "ec2:DeleteVolume"
_UID = "$(request.uid)"
_LAST, _STEP = "create_last_snapshot", "create_volume"
_WITH_IOPS = frozenset({"gp3", "io1", "io2"})


def new_volume(before: Mapping[str, Any], made: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the operation and its parameters. Raises KeyError, TypeError, ValueError: they are not known.

    Args:
        before: fingerprint of the deletion's plan.
        made: step → id of what the deletion made.
    """
    kind, tags = before["volumeType"], json.loads(before["tagList"])
    tags |= {"finops.dev/request": _UID, "finops.dev/step": _STEP}
    call: dict[str, Any] = {
        "AvailabilityZone": before["zone"],
        "SnapshotId": made[_LAST],
        "VolumeType": kind,
        "Size": int(before["sizeGiB"]),
        "ClientToken": _UID,
        "TagSpecifications": [
            {"ResourceType": "volume", "Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}
        ],
    }
    if kind in _WITH_IOPS:
        call["Iops"] = int(before["iops"])
    if kind == "gp3":
        call["Throughput"] = int(before["throughput"])
    if before.get("kmsKey"):
        call |= {"Encrypted": True, "KmsKeyId": before["kmsKey"]}
    if before.get("multiAttach"):
        call["MultiAttachEnabled"] = True
    return "ec2:CreateVolume", call
