"""What an act sees of an EBS volume: its facts, its last modification, snapshots made for the request.

Called by the volume actions' `observe`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, described_by_template, protected
from finops_operator.services.ec2.rules.instance_observation import tags_hash, tags_of
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.stop_refusals import part, tags

REQUEST_TAG: Final = "finops.dev/request"
STEP_TAG: Final = "finops.dev/step"
"""Tags of everything an act creates, set in the creating call, so that it is found again after a crash."""

_NOT_FOUND: Final = frozenset({"InvalidVolume.NotFound", "InvalidVolumeID.Malformed"})
_NO_MODIFICATION: Final = frozenset({"InvalidVolumeModification.NotFound", "InvalidVolume.NotFound"})


def read_volume(reader: Reader, volume_id: str) -> Mapping[str, Any] | None:
    """Return the volume as AWS describes it; None when AWS knows it no more."""
    try:
        answer = reader.read("ec2:DescribeVolumes", {"VolumeIds": [volume_id]})
    except AwsRejected as error:
        if error.code in _NOT_FOUND:
            return None
        raise
    found: Sequence[Mapping[str, Any]] = answer.get("Volumes", ())
    return found[0] if found and found[0].get("State") not in {"deleting", "deleted"} else None


def last_modification(reader: Reader, volume_id: str) -> Mapping[str, Any]:
    """Return the most recent modification AWS remembers, empty when there is none."""
    try:
        answer = reader.read("ec2:DescribeVolumesModifications", {"VolumeIds": [volume_id]})
    except AwsRejected as error:
        if error.code in _NO_MODIFICATION:
            return {}
        raise
    found = sorted(answer.get("VolumesModifications", ()), key=lambda item: str(item.get("StartTime", "")))
    return found[-1] if found else {}


def snapshots_of_request(
    reader: Reader, volume_id: str, request_uid: str, step: str, recorded: str = ""
) -> list[Mapping[str, Any]]:
    """Return the snapshots that a step of this request made of the volume, oldest first.

    Once AWS's answer is `recorded`, that snapshot and no other: anybody who may tag can tag another one alike.
    """
    if not request_uid and not recorded:
        return []
    own = [("snapshot-id", recorded)] if recorded else [(f"tag:{REQUEST_TAG}", request_uid), (f"tag:{STEP_TAG}", step)]
    filters = [{"Name": name, "Values": [value]} for name, value in (*own, ("volume-id", volume_id))]
    answer = reader.read("ec2:DescribeSnapshots", {"OwnerIds": ["self"], "Filters": filters})
    return sorted(answer.get("Snapshots", ()), key=lambda item: str(item.get("StartTime", "")))


def fingerprint(volume: Mapping[str, Any]) -> dict[str, str]:
    """Return what a plan assumes: state, settings, attachments, creation time, tags."""
    attachments = sorted(
        f"{attachment.get('InstanceId', '')}@{attachment.get('Device', '')}"
        for attachment in volume.get("Attachments", ())
    )
    return {
        "state": str(volume["State"]),
        **settings(volume),
        "createTime": str(volume.get("CreateTime", "")),
        "attachments": sha256_hex(attachments)[:16],
        "tags": tags_hash(tags_of(volume)),
    }


def settings(volume: Mapping[str, Any]) -> dict[str, str]:
    """Return type, size, IOPS and throughput as texts; empty where AWS gives none."""
    return {
        "volumeType": str(volume.get("VolumeType", "")),
        "sizeGiB": str(volume.get("Size", "")),
        "iops": _number(volume.get("Iops")),
        "throughput": _number(volume.get("Throughput")),
    }


def _number(value: Any) -> str:
    return "" if value is None else str(value)


def volume_facts(volume: Mapping[str, Any]) -> dict[str, Json]:
    """Return the facts both volume actions judge by: `state`, settings, `tags`, and AWS's own words in `volume`."""
    own: dict[str, Json] = {
        "Operator": {"Managed": bool((volume.get("Operator") or {}).get("Managed"))},
        "MultiAttachEnabled": bool(volume.get("MultiAttachEnabled")),
        "attached": bool(volume.get("Attachments")),
    }
    return {"state": str(volume["State"]), **settings(volume), "tags": tags_of(volume), "volume": own}


def volume_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return the reasons against any act on this volume."""
    if not observation.exists:
        return (Refusal("NotFound", "The volume does not exist any more."),)
    known = tags(observation)
    managed = part(observation, "volume").get("Operator", {}).get("Managed")
    return (
        *protected(known, facts),
        *controlled(known, SIGNS),
        *described_by_template(known, SIGNS),
        *((Refusal("ManagedVolume", "It is managed by an AWS service."),) if managed else ()),
    )


def snapshots_arn(resource: ResourceRef) -> str:
    """Return the ARN pattern of snapshots in the resource's region; they have no account in it."""
    return f"{resource.arn.rsplit(':', 2)[0]}::snapshot/*"
