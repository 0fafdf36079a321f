"""Snapshots of an estate's databases: deleting one takes time and is refused where RDS refuses it.

Source: RDS API reference, DeleteDBSnapshot ("The DB snapshot must be in the available state to be deleted"); RDS user
guide, "Deleting a DB snapshot" (manual ones alone). Moto deletes any at once. Every call happens under the estate's
lock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.further_specs import DatabaseSnapshotSpec
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "db-snapshot:"
"""Of a snapshot's name where a resource of any kind is named."""
_AVAILABLE, _DELETING, _MANUAL = "available", "deleting", "manual"


def _backend(account: str, region: str) -> Any:
    from moto.rds.models import rds_backends  # noqa: PLC0415 - moto loads slowly

    return rds_backends[account][region]


def seed(place: Place, spec: DatabaseSnapshotSpec, now: datetime) -> None:
    """Put a snapshot of an instance into moto; the instance must stand before it in the estate."""
    made = now - spec.age
    tags = [{"Key": key, "Value": value} for key, value in spec.tags.items()]
    backend = _backend(place.account, place.region)
    snapshot = backend.create_db_snapshot(spec.database, spec.name, spec.made_by, tags, made)
    snapshot.created = made
    snapshot.modify_attribute("restore", list(spec.shared), None)


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let what is due happen: snapshots that are being deleted are gone."""
    now, backend = estate.clock.now(), _backend(account, region)
    for place, due in list(estate.further.deletions_due.items()):
        if place[:2] == (account, region) and due <= now:
            del estate.further.deletions_due[place]
            backend.database_snapshots.pop(place[2], None)


def shown(estate: LiveEstate, account: str, region: str, name: str) -> dict[str, Any]:
    """State of one snapshot.

    Raises:
        AwsError: there is none of that name.
    """
    settle(estate, account, region)
    return {"id": f"{PREFIX}{name}", "kind": "rds-snapshot", "state": _named(account, region, name).status}


def change(estate: LiveEstate, account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a snapshot as a person would: `state`, accounts it is `shared` with, `delete`."""
    settle(estate, account, region)
    snapshot = _named(account, region, name)
    if "state" in changes:
        snapshot.status = str(changes["state"])
    if "shared" in changes:
        snapshot.modify_attribute("restore", list(changes["shared"]), None)
    if changes.get("delete"):
        del _backend(account, region).database_snapshots[name]


def _named(account: str, region: str, name: str) -> Any:
    found = _backend(account, region).database_snapshots.get(name)
    if found is None:
        raise AwsError("DBSnapshotNotFound", f"DBSnapshot {name} not found.", 404)
    return found


def _delete(call: Call) -> Answer:
    name = str(call.parameters.get("DBSnapshotIdentifier", ""))
    snapshot = _named(call.account, call.region, name)
    if snapshot.snapshot_type != _MANUAL:
        raise AwsError("InvalidDBSnapshotState", "Only manual snapshots may be deleted.")
    if snapshot.status != _AVAILABLE:
        raise AwsError(
            "InvalidDBSnapshotState", f"Cannot delete the snapshot because it is in state {snapshot.status}."
        )
    snapshot.status = _DELETING
    due = call.estate.clock.now() + timedelta(seconds=call.estate.delays.database_seconds)
    call.estate.further.deletions_due[call.account, call.region, name] = due
    answer = {"DBSnapshotIdentifier": name, "Status": _DELETING, "SnapshotType": _MANUAL}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), {"DBSnapshot": answer})


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("rds", "DeleteDBSnapshot"): _delete}
