"""Deletions of an estate's databases: a final snapshot first, each of both takes time, refused where RDS refuses them.

Source: RDS API reference, DeleteDBInstance; RDS user guide, "Deleting a DB instance". Moto deletes at once, also
without the name of a snapshot, a replica's snapshot included. Every call happens under the estate's lock.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.databases import find, refuse_deployed
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

_NO_SNAPSHOT_IN = frozenset({"creating", "failed", "incompatible-restore", "incompatible-network"})
_DELETING, _CREATING, _AVAILABLE = "deleting", "creating", "available"


def _backend(account: str, region: str) -> Any:
    from moto.rds.models import rds_backends  # noqa: PLC0415 - moto loads slowly

    return rds_backends[account][region]


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let what is due happen: a final snapshot is available, a while later its database is gone."""
    now, backend = estate.clock.now(), _backend(account, region)
    for place, (snapshot, moment) in list(estate.further.final_snapshots.items()):
        if place[:2] != (account, region) or moment > now:
            continue
        if snapshot:
            backend.database_snapshots[snapshot].status = _AVAILABLE
        if moment + timedelta(seconds=estate.delays.database_seconds) <= now:
            del estate.further.final_snapshots[place]
            backend.databases.pop(place[2], None)


def _delete(call: Call) -> Answer:
    asked = call.parameters
    database = find(call.account, call.region, str(asked.get("DBInstanceIdentifier", "")))
    name, snapshot = database.db_instance_identifier, str(asked.get("FinalDBSnapshotIdentifier") or "")
    skips = str(asked.get("SkipFinalSnapshot", "")).lower() == "true"
    refuse_deployed(call, database)
    _refuse(database, snapshot, skips=skips)
    backend = _backend(call.account, call.region)
    if snapshot:
        if snapshot in backend.database_snapshots:
            raise AwsError("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {snapshot} already exists.")
        backend.create_db_snapshot(name, snapshot, snapshot_type="manual")
        backend.database_snapshots[snapshot].status = _CREATING
    database.status = _DELETING
    moment = call.estate.clock.now() + timedelta(seconds=call.estate.delays.database_seconds)
    call.estate.further.final_snapshots[call.account, call.region, name] = (snapshot, moment)
    answer = {"DBInstance": {"DBInstanceIdentifier": name, "DBInstanceStatus": _DELETING}}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), answer)


def _refuse(database: Any, snapshot: str, *, skips: bool) -> None:
    name = database.db_instance_identifier
    if database.deletion_protection:
        message = "Cannot delete protected DB Instance, please disable deletion protection and try again."
        raise AwsError("InvalidParameterCombination", message)
    if database.status == _DELETING:
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is already being deleted.")
    if skips == bool(snapshot):
        message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and not allowed then."
        raise AwsError("InvalidParameterCombination", message)
    if snapshot and (database.is_replica or database.db_cluster_identifier):
        message = "FinalDBSnapshotIdentifier can not be specified when deleting a replica or a member of a cluster."
        raise AwsError("InvalidParameterCombination", message)
    if snapshot and database.status in _NO_SNAPSHOT_IN:
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is {database.status}: no snapshot can be taken.")


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("rds", "DeleteDBInstance"): _delete}
