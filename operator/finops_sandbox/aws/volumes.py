"""EBS volumes and snapshots with the rules AWS has and moto lacks.

Rules: EC2 API reference, ModifyVolume, CreateSnapshot, DeleteVolume; EBS user guide, "Modify a volume" and "EBS volume
types". Up to four modifications of a volume in a rolling 24 hours, and only one at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.clock import aware_utc, naive_utc
from finops_sandbox.aws.describe import filters, refuse_filters, tag_list
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.facts import Modification, VolumeFacts, VolumeSettings
from finops_sandbox.aws.given_tags import given_tags
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.paging import window

_MODIFICATIONS_PER_DAY = 4
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Limits:
    """Ranges of one volume type: GiB, IOPS, IOPS per GiB."""

    size: tuple[int, int]
    iops: tuple[int, int] | None = None
    iops_per_gib: int = 0


_LIMITS = {
    "gp2": _Limits((1, 16_384)),
    "gp3": _Limits((1, 65_536), (3_000, 80_000), 500),
    "io1": _Limits((4, 16_384), (100, 64_000), 50),
    "io2": _Limits((4, 65_536), (100, 256_000), 1_000),
    "st1": _Limits((125, 16_384)),
    "sc1": _Limits((125, 16_384)),
}
_GP3_THROUGHPUT = (125, 2_000)
# gp3: at most 0.25 MiB/s per provisioned IOPS.
_GP3_IOPS_PER_MIB_S = 4


def gp2_iops(size_gib: int) -> int:
    """Baseline of gp2: 3 IOPS per GiB, at least 100, at most 16,000."""
    return min(16_000, max(100, 3 * size_gib))


def gp2_throughput(size_gib: int) -> int:
    """Throughput of gp2 in MiB/s: 128 up to 170 GiB, 250 above."""
    return 128 if size_gib <= 170 else 250


def settings_of(volume: Any) -> VolumeSettings:
    """A volume's settings as DescribeVolumes shows them; moto leaves gp2's IOPS and gp3's throughput out."""
    kind, iops, throughput = volume.volume_type, volume.iops, volume.throughput
    if kind == "gp2":
        iops = gp2_iops(volume.size)
    elif kind == "gp3":
        iops, throughput = iops or 3_000, throughput or 125
    elif kind not in {"io1", "io2"}:
        iops = None
    return VolumeSettings(kind, int(volume.size), iops, throughput if kind == "gp3" else None)


def describe_volumes(call: Call) -> Mapping[str, Any]:
    """All volumes, or those named."""
    ids = call.parameters.get("VolumeIds") or []
    page = window("DescribeVolumes", call.parameters, ids, "volumeSet")
    fleet = call.estate.fleets.get((call.account, call.region))
    if fleet is not None:
        refuse_filters(call, set())
        return {"Volumes": fleet.volumes(page.start, page.size, ids), "NextToken": page.token(fleet.volume_count)}
    for one in ids:
        call.estate.volume(call.account, call.region, one)
    found = call.backend.describe_volumes(ids, filters(call.parameters))
    shown = [render_volume(call.estate, call.account, call.region, one) for one in page.cut(found)]
    return {"Volumes": shown, "NextToken": page.token(len(found))}


def render_volume(estate: LiveEstate, account: str, region: str, volume: Any) -> dict[str, Any]:
    """One volume as boto3 shows it."""
    settings = settings_of(volume)
    facts = estate.volume_facts(volume)
    attachments = []
    if volume.attachment is not None:
        instance = volume.attachment.instance
        block = instance.block_device_mapping.get(volume.attachment.device)
        attachments.append(
            {
                "VolumeId": volume.id,
                "InstanceId": instance.id,
                "Device": volume.attachment.device,
                "State": "attached",
                "AttachTime": aware_utc(volume.attachment.attach_time),
                "DeleteOnTermination": bool(block and block.delete_on_termination),
            }
        )
    return {
        "VolumeId": volume.id,
        "Size": settings.size,
        "VolumeType": settings.volume_type,
        "Iops": settings.iops,
        "Throughput": settings.throughput,
        "State": "in-use" if attachments else _unattached_state(estate, facts),
        "AvailabilityZone": volume.availability_zone,
        "CreateTime": aware_utc(volume.create_time),
        "SnapshotId": volume.snapshot_id or "",
        "Encrypted": bool(volume.encrypted),
        "KmsKeyId": facts.customer_key or volume.kms_key_id,
        "MultiAttachEnabled": bool(volume.multi_attach_enabled),
        "Attachments": attachments,
        "Tags": tag_list(estate.tags(account, region, volume.id)),
        "Operator": {"Managed": False},
    }


def _unattached_state(estate: LiveEstate, facts: VolumeFacts) -> str:
    due = facts.available_at
    return "creating" if due is not None and estate.clock.now() < due else "available"


def checked_settings(parameters: Mapping[str, Any], size: int) -> VolumeSettings:
    """Return the settings of a new volume.

    Raises:
        AwsError: they are none that AWS takes.
    """
    kind = str(parameters.get("VolumeType") or "gp2")
    wanted = _target(parameters, VolumeSettings(kind, size, None, None))
    _check(wanted, wanted, is_root=False)
    return wanted


def modify_volume(call: Call) -> Mapping[str, Any]:
    """Start a modification, or say why not."""
    volume = call.estate.volume(call.account, call.region, str(call.parameters.get("VolumeId", "")))
    facts = call.estate.volume_facts(volume)
    now = call.estate.clock.now()
    if facts.modifications:
        state, _ = _progress(call.estate, facts.modifications[-1])
        if state != "completed":
            message = f"Cannot modify volume {volume.id} while it is in the {state} state of its last modification."
            raise AwsError("IncorrectModificationState", message)
    recent = [one for one in facts.modifications if one.start + _DAY > now]
    if len(recent) >= _MODIFICATIONS_PER_DAY:
        again = recent[-_MODIFICATIONS_PER_DAY].start + _DAY
        message = (
            "You've reached the maximum modification rate per volume limit. "
            f"Wait until {again.isoformat()} before the next modification."
        )
        raise AwsError("VolumeModificationRateExceeded", message)
    original = settings_of(volume)
    target = _target(call.parameters, original)
    _check(target, original, is_root=_is_root(volume))
    facts.modifications.append(Modification(original, target, now))
    return {"VolumeModification": _render_modification(call.estate, volume.id, facts.modifications[-1])}


def _target(parameters: Mapping[str, Any], original: VolumeSettings) -> VolumeSettings:
    kind = str(parameters.get("VolumeType") or original.volume_type)
    size = int(parameters.get("Size") or original.size)
    iops, throughput = parameters.get("Iops"), parameters.get("Throughput")
    if kind not in _LIMITS:
        raise AwsError("InvalidParameterValue", f"Invalid volume type: {kind}")
    if iops is not None and _LIMITS[kind].iops is None:
        raise AwsError("InvalidParameterCombination", f"The parameter iops is not supported for {kind} volumes.")
    if throughput is not None and kind != "gp3":
        raise AwsError("InvalidParameterCombination", f"The parameter throughput is not supported for {kind} volumes.")
    if kind == "gp3":
        # Left out: the equivalent of what the volume had, or gp3's baseline, whichever is higher.
        had_throughput = gp2_throughput(size) if original.volume_type == "gp2" else original.throughput or 0
        iops = iops or max(3_000, original.iops or 0)
        throughput = throughput or max(125, had_throughput)
    elif kind in {"io1", "io2"}:
        iops = iops or original.iops
    else:
        iops = gp2_iops(size) if kind == "gp2" else None
    return VolumeSettings(kind, size, iops, throughput)


def _check(target: VolumeSettings, original: VolumeSettings, *, is_root: bool) -> None:
    limits = _LIMITS[target.volume_type]
    if target.size < original.size:
        raise AwsError("InvalidParameterValue", "New size cannot be smaller than existing size")
    if not limits.size[0] <= target.size <= limits.size[1]:
        raise _outside(f"Volume of {target.size}GiB", target.volume_type, limits.size)
    if is_root and target.volume_type in {"st1", "sc1"}:
        raise AwsError("InvalidParameterValue", f"A root volume cannot be changed to {target.volume_type}.")
    if limits.iops is not None:
        iops = target.iops or 0
        if not limits.iops[0] <= iops <= limits.iops[1]:
            raise _outside(f"Volume iops of {iops}", target.volume_type, limits.iops)
        if iops > limits.iops[0] and iops > limits.iops_per_gib * target.size:
            ratio = f"{iops / target.size:.2f}"
            message = f"The iops to volume size ratio of {ratio} exceeds the maximum of {limits.iops_per_gib}"
            raise AwsError("InvalidParameterValue", message)
    if target.throughput is not None:
        if not _GP3_THROUGHPUT[0] <= target.throughput <= _GP3_THROUGHPUT[1]:
            raise _outside(f"Throughput of {target.throughput}", "gp3", _GP3_THROUGHPUT)
        if target.throughput * _GP3_IOPS_PER_MIB_S > (target.iops or 0):
            ratio = f"{target.throughput / (target.iops or 1):.4f}"
            message = f"Throughput (MiBps) to iops ratio of {ratio} is too high; maximum is 0.25"
            raise AwsError("InvalidParameterValue", message)


def _outside(what: str, kind: str, limits: tuple[int, int]) -> AwsError:
    message = f"{what} is outside the range of {kind}, {limits[0]} to {limits[1]}"
    return AwsError("InvalidParameterValue", message)


def _is_root(volume: Any) -> bool:
    attachment = volume.attachment
    return bool(attachment is not None and attachment.device == attachment.instance.root_device_name)


def _progress(estate: LiveEstate, modification: Modification) -> tuple[str, int]:
    seconds = (estate.clock.now() - modification.start).total_seconds()
    step = estate.delays.modification_seconds
    if step <= 0 or seconds >= 2 * step:
        return "completed", 100
    return ("modifying" if seconds < step else "optimizing"), int(100 * seconds / (2 * step))


def _render_modification(estate: LiveEstate, volume_id: str, modification: Modification) -> dict[str, Any]:
    state, progress = _progress(estate, modification)
    shown: dict[str, Any] = {
        "VolumeId": volume_id,
        "ModificationState": state,
        "Progress": progress,
        "StartTime": modification.start,
    }
    if state == "completed":
        shown["EndTime"] = modification.start + timedelta(seconds=2 * estate.delays.modification_seconds)
    for prefix, settings in (("Original", modification.original), ("Target", modification.target)):
        shown[f"{prefix}Size"] = settings.size
        shown[f"{prefix}VolumeType"] = settings.volume_type
        shown[f"{prefix}Iops"] = settings.iops
        shown[f"{prefix}Throughput"] = settings.throughput
        shown[f"{prefix}MultiAttachEnabled"] = False
    return shown


def describe_volumes_modifications(call: Call) -> Mapping[str, Any]:
    """The last modification of each volume; a named volume without one is an error, as in AWS."""
    ids = call.parameters.get("VolumeIds") or []
    page = window("DescribeVolumesModifications", call.parameters, ids, "volumeSet")
    volumes = [call.estate.volume(call.account, call.region, one) for one in ids] or list(call.backend.volumes.values())
    shown = []
    wanted = filters(call.parameters).get("modification-state")
    for volume in volumes:
        modifications = call.estate.volume_facts(volume).modifications
        if modifications:
            rendered = _render_modification(call.estate, volume.id, modifications[-1])
            if wanted is None or rendered["ModificationState"] in wanted:
                shown.append(rendered)
        elif ids:
            message = f"Modification for volume '{volume.id}' does not exist."
            raise AwsError("InvalidVolumeModification.NotFound", message)
    return {"VolumesModifications": page.cut(shown), "NextToken": page.token(len(shown))}


def delete_volume(call: Call) -> Mapping[str, Any]:
    """Only a detached volume can be deleted."""
    volume = call.estate.volume(call.account, call.region, str(call.parameters.get("VolumeId", "")))
    if volume.attachment is not None:
        message = f"Volume {volume.id} is currently attached to {volume.attachment.instance.id}"
        raise AwsError("VolumeInUse", message)
    call.backend.volumes.pop(volume.id)
    call.backend.tags.pop(volume.id, None)
    call.estate.volumes.pop(volume.id, None)
    return {}


def detach_volume(call: Call) -> Mapping[str, Any]:
    """Take a volume from its instance; the root of one that runs stays. EC2 API reference, DetachVolume."""
    volume = call.estate.volume(call.account, call.region, str(call.parameters.get("VolumeId", "")))
    if volume.attachment is None:
        raise AwsError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    instance, device = volume.attachment.instance, volume.attachment.device
    named = str(call.parameters.get("InstanceId") or instance.id), str(call.parameters.get("Device") or device)
    if named != (instance.id, device):
        message = f"The volume '{volume.id}' is not attached to instance '{named[0]}' as device '{named[1]}'."
        raise AwsError("InvalidAttachment.NotFound", message)
    if _is_root(volume) and instance.state != "stopped":
        raise AwsError("OperationNotPermitted", f"Unable to detach root volume '{volume.id}' from '{instance.id}'")
    stopped = call.estate.instance_facts(instance).not_running
    call.estate.volume_facts(volume).detach(call.estate.clock.now(), stopped)
    call.backend.detach_volume(volume.id, instance.id, device)
    return {"VolumeId": volume.id, "InstanceId": instance.id, "Device": device, "State": "detaching"}


def attach_volume(call: Call) -> Mapping[str, Any]:
    """Give a volume to an instance of its zone, at a device that is free. EC2 API reference, AttachVolume."""
    volume = call.estate.volume(call.account, call.region, str(call.parameters.get("VolumeId", "")))
    instance = call.estate.instance(call.account, call.region, str(call.parameters.get("InstanceId", "")))
    device = str(call.parameters.get("Device", ""))
    if volume.attachment is not None:
        raise AwsError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if instance.state not in {"running", "stopped"}:
        raise AwsError("IncorrectState", f"Instance '{instance.id}' is not 'running' or 'stopped'.")
    if device in instance.block_device_mapping:
        message = f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        raise AwsError("InvalidParameterValue", message)
    # A volume that is attached by a call outlives its instance.
    attachment = call.backend.attach_volume(volume.id, instance.id, device, False)
    now = call.estate.clock.now()
    attachment.attach_time = naive_utc(now)
    call.estate.volume_facts(volume).attached.append((now, None))
    return {"VolumeId": volume.id, "InstanceId": instance.id, "Device": device, "State": "attaching"}


def create_snapshot(call: Call) -> Mapping[str, Any]:
    """Pending at first, completed after a while; tags given at creation are on it from the start."""
    volume = call.estate.volume(call.account, call.region, str(call.parameters.get("VolumeId", "")))
    tags = given_tags(call, "snapshot")
    snapshot = call.backend.create_snapshot(volume.id, str(call.parameters.get("Description") or ""))
    now = call.estate.clock.now()
    snapshot.start_time = naive_utc(now)
    snapshot.add_tags(tags)
    call.estate.snapshots_due[snapshot.id] = (now, now + timedelta(seconds=call.estate.delays.snapshot_seconds))
    return render_snapshot(call.estate, call.account, call.region, snapshot)


def describe_snapshots(call: Call) -> Mapping[str, Any]:
    """Snapshots of the account; another owner's are not in this estate."""
    ids = call.parameters.get("SnapshotIds") or []
    page = window("DescribeSnapshots", call.parameters, ids, "snapshotSet")
    owners = call.parameters.get("OwnerIds") or []
    for one in ids:
        if one not in call.backend.snapshots:
            raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{one}' does not exist.")
    wanted = filters(call.parameters)
    states = wanted.pop("status", None)
    found = call.backend.describe_snapshots(ids, wanted) if not owners or {"self", call.account} & set(owners) else []
    shown = [render_snapshot(call.estate, call.account, call.region, one) for one in found]
    if states is not None:
        shown = [one for one in shown if one["State"] in states]
    return {"Snapshots": page.cut(shown), "NextToken": page.token(len(shown))}


def render_snapshot(estate: LiveEstate, account: str, region: str, snapshot: Any) -> dict[str, Any]:
    """One snapshot as boto3 shows it."""
    start, due = estate.snapshots_due.get(snapshot.id, (aware_utc(snapshot.start_time), aware_utc(snapshot.start_time)))
    now = estate.clock.now()
    done = now >= due
    share = 100 if done else int(100 * (now - start) / (due - start))
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume.id,
        "VolumeSize": snapshot.volume.size,
        "State": "completed" if done else "pending",
        "Progress": f"{share}%",
        "StartTime": aware_utc(snapshot.start_time),
        "Description": snapshot.description or "",
        "Encrypted": bool(snapshot.encrypted),
        "OwnerId": account,
        "StorageTier": "standard",
        "Tags": tag_list(estate.tags(account, region, snapshot.id)),
    }


HANDLERS: dict[str, Handler] = {
    "DescribeVolumes": describe_volumes,
    "ModifyVolume": modify_volume,
    "DescribeVolumesModifications": describe_volumes_modifications,
    "AttachVolume": attach_volume,
    "DeleteVolume": delete_volume,
    "DetachVolume": detach_volume,
    "CreateSnapshot": create_snapshot,
    "DescribeSnapshots": describe_snapshots,
}
