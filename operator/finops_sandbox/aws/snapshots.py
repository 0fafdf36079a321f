"""Snapshots of an estate: what holds them, how AWS refuses to delete them, and the rules of the Recycle Bin.

Sources: EC2 API reference, DeleteSnapshot, DescribeLockedSnapshots, DescribeFastSnapshotRestores; Recycle Bin API
reference. AWS documents that it deletes no locked snapshot and names no code for it; the one used here stands for any.
What the Recycle Bin keeps cannot be taken out of it here.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place, SnapshotSpec, resource_id
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "snap-"
_GONE_VOLUME = 8
_JSON = (("content-type", "application/json"),)


def seed(estate: LiveEstate, place: Place, spec: SnapshotSpec) -> None:
    """Put a snapshot into moto; a volume that the estate does not hold is one that was deleted."""
    backend, now = estate.backend(place.account, place.region), estate.clock.now().replace(microsecond=0)
    volume_id = resource_id("volume", place.account, place.region, spec.volume)
    gone = volume_id not in backend.volumes
    if gone:
        volume = backend.create_volume(size=_GONE_VOLUME, zone_name=f"{place.region}a")
        backend.volumes[volume_id] = backend.volumes.pop(volume.id)
        volume.id = volume_id
    made = backend.create_snapshot(volume_id, spec.name)
    new_id = resource_id("snapshot", place.account, place.region, spec.name)
    backend.snapshots[new_id] = backend.snapshots.pop(made.id)
    made.id, made.start_time = new_id, naive_utc(now - spec.age)
    backend.tags[new_id].update({"Name": spec.name, **spec.tags})
    if gone:
        backend.volumes.pop(volume_id)


def find(estate: LiveEstate, account: str, region: str, snapshot_id: str) -> Any:
    """Return moto's snapshot.

    Raises:
        AwsError: InvalidSnapshot.NotFound.
    """
    snapshot = estate.backend(account, region).snapshots.get(snapshot_id)
    if snapshot is None:
        raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    return snapshot


def change(estate: LiveEstate, account: str, region: str, snapshot_id: str, changes: Mapping[str, Any]) -> None:
    """Change a snapshot as a person would: `lock`, `fastRestore`, `sharedWith`, `image` made of it, `delete`."""
    snapshot, backend = find(estate, account, region, snapshot_id), estate.backend(account, region)
    for name, held in (("lock", estate.further.locked), ("fastRestore", estate.further.fast_restores)):
        if name in changes:
            (held.add if changes[name] else held.discard)(snapshot_id)
    if changes.get("sharedWith"):
        backend.add_create_volume_permission(snapshot_id, user_ids=[str(changes["sharedWith"])], groups=[])
    if changes.get("image"):
        image = backend.register_image(name=str(changes["image"]), description="")
        backend.snapshots.pop(image.ebs_snapshot.id, None)
        image.ebs_snapshot, snapshot.from_ami = snapshot, image.id
    if changes.get("delete"):
        backend.snapshots.pop(snapshot_id)


def delete_snapshot(call: Call) -> Mapping[str, Any]:
    """Refuses what an image uses and what is locked."""
    snapshot_id = str(call.parameters.get("SnapshotId") or "")
    find(call.estate, call.account, call.region, snapshot_id)
    if snapshot_id in call.estate.further.locked:
        raise AwsError("OperationNotPermitted", f"The snapshot '{snapshot_id}' is locked and cannot be deleted.")
    call.backend.delete_snapshot(snapshot_id)
    call.backend.tags.pop(snapshot_id, None)
    call.estate.snapshots_due.pop(snapshot_id, None)
    return {}


def _held(call: Call, held: set[str], wanted: list[str]) -> list[str]:
    known = sorted(one for one in held if one in call.backend.snapshots)
    return [one for one in known if not wanted or one in wanted]


def _locked(call: Call) -> Mapping[str, Any]:
    wanted = [str(one) for one in call.parameters.get("SnapshotIds") or ()]
    found = _held(call, call.estate.further.locked, wanted)
    return {"Snapshots": [{"SnapshotId": one, "OwnerId": call.account, "LockState": "governance"} for one in found]}


def _fast_restores(call: Call) -> Mapping[str, Any]:
    filters = call.parameters.get("Filters") or ()
    wanted = [str(value) for one in filters if one.get("Name") == "snapshot-id" for value in one.get("Values") or ()]
    found = _held(call, call.estate.further.fast_restores, wanted)
    zone = f"{call.region}a"
    return {
        "FastSnapshotRestores": [
            {"SnapshotId": one, "AvailabilityZone": zone, "State": "enabled", "OwnerId": call.account} for one in found
        ]
    }


HANDLERS: dict[str, Handler] = {
    "DeleteSnapshot": delete_snapshot,
    "DescribeLockedSnapshots": _locked,
    "DescribeFastSnapshotRestores": _fast_restores,
}


# -- the Recycle Bin, a service of its own -----------------------------------------------------------------------------


def _rules(call: Call) -> dict[str, dict[str, Any]]:
    return call.estate.further.bin_rules.setdefault((call.account, call.region), {})


def _list_rules(call: Call) -> Answer:
    wanted = call.parameters.get("ResourceType")
    found = [
        {"Identifier": identifier, "RetentionPeriod": rule["RetentionPeriod"]}
        for identifier, rule in _rules(call).items()
        if rule["ResourceType"] == wanted
    ]
    return Answer(200, _JSON, json.dumps({"Rules": found}).encode())


def _create_rule(call: Call) -> Answer:
    identifier = f"rule{len(_rules(call)) + 1:07}"
    names = ("ResourceType", "RetentionPeriod", "ResourceTags", "ExcludeResourceTags", "Description")
    _rules(call)[identifier] = {name: call.parameters[name] for name in names if name in call.parameters}
    made = {"Identifier": identifier, "Status": "available", **_rules(call)[identifier]}
    return Answer(201, _JSON, json.dumps(made).encode())


BIN_HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("rbin", "ListRules"): _list_rules,
    ("rbin", "CreateRule"): _create_rule,
}
"""What moto does not have and the double answers itself."""
