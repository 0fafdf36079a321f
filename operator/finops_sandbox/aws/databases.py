"""Database instances of an estate: stopping and starting them takes time and is refused where RDS refuses it.

What has been stopped for seven days starts again by itself. Source: RDS API reference, StopDBInstance, StartDBInstance
and DescribePendingMaintenanceActions; RDS user guide, "Stopping an Amazon RDS DB instance temporarily". Moto stops at
once and for ever, takes members of clusters and sources of replicas, and knows no maintenance. Every call happens under
the estate's lock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_services import DatabaseSpec
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "db:"
"""Of a database's name where a resource of any kind is named."""
STOPPED_FOR = timedelta(days=7)
"""After which RDS starts by itself what was stopped."""
_NEVER_ALONE = ("aurora", "docdb", "neptune", "custom-")


def _backend(account: str, region: str) -> Any:
    from moto.rds.models import rds_backends  # noqa: PLC0415 - moto loads slowly

    return rds_backends[account][region]


def seed(estate: LiveEstate, place: Place, spec: DatabaseSpec, created: datetime) -> None:
    """Put a database into moto; a replica's source must stand before it in the estate."""
    backend = _backend(place.account, place.region)
    wanted = {
        "db_instance_identifier": spec.name,
        "db_instance_class": spec.db_class,
        "engine": spec.engine,
        "allocated_storage": spec.size,
        "multi_az": spec.multi_az,
        "master_username": "admin",
        "master_user_password": "not-a-secret",
        "tags": [{"Key": key, "Value": value} for key, value in spec.tags.items()],
    }
    if spec.source:
        backend.create_db_instance_read_replica({**wanted, "source_db_instance_identifier": spec.source})
    else:
        backend.create_db_instance(wanted)
    database = backend.databases[spec.name]
    _have(estate, (place.account, place.region, spec.name), database, spec.state, estate.clock.now())
    # Moto gives all of them the same.
    database.dbi_resource_id = f"db-{spec.name.upper()}"
    estate.further.maintenance[place.account, place.region, spec.name] = spec.maintenance
    database.instance_create_time = naive_utc(created).isoformat() + "Z"


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let what is due happen: what stops is stopped, what starts is available, by itself after a week."""
    now = estate.clock.now()
    for database in _backend(account, region).databases.values():
        if database.publicly_accessible is None:
            # AWS always says it; moto leaves out what nobody asked for.
            database.publicly_accessible = False
    for place in [one for one in estate.further.databases_due if one[:2] == (account, region)]:
        _catch_up(estate, place, now)


def _catch_up(estate: LiveEstate, place: tuple[str, str, str], now: datetime) -> None:
    """Take a database through all states that are due: several where the clock was moved by more than a week."""
    due = estate.further.databases_due
    while place in due and due[place][1] <= now:
        state, moment = due.pop(place)
        database = _backend(*place[:2]).databases.get(place[2])
        if database is None or (state == "starting" and database.status != "stopped"):
            return
        _have(estate, place, database, state, moment)
        if state != "starting":
            _have_class(estate, place, database)


def _have(estate: LiveEstate, place: tuple[str, str, str], database: Any, state: str, moment: datetime) -> None:
    """Give a database a state that it has since a moment, and note what becomes of it by itself."""
    database.status, restart = state, moment + STOPPED_FOR if state == "stopped" else None
    database.automatic_restart_time = None if restart is None else naive_utc(restart)
    if restart is not None:
        estate.further.databases_due[place] = ("starting", restart)
    elif state == "starting":
        available = moment + timedelta(seconds=estate.delays.database_seconds)
        estate.further.databases_due[place] = ("available", available)


def _have_class(estate: LiveEstate, place: tuple[str, str, str], database: Any) -> None:
    """Give a database the class that waits, if one does."""
    wanted = estate.further.pending_classes.pop(place, "")
    if wanted:
        database.db_instance_class, database.pending_modified_values = wanted, None


def shown(estate: LiveEstate, account: str, region: str, name: str) -> dict[str, Any]:
    """State of one database.

    Raises:
        AwsError: there is none of that name.
    """
    settle(estate, account, region)
    database = find(account, region, name)
    return {
        "id": f"{PREFIX}{name}",
        "kind": "rds-instance",
        "type": database.db_instance_class,
        "state": database.status,
    }


def change(estate: LiveEstate, account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a database as a person would: `state` at once, its `class`, `delete`; `window`: its window passes."""
    database = find(account, region, name)
    estate.further.databases_due.pop((account, region, name), None)
    if "state" in changes:
        _have(estate, (account, region, name), database, str(changes["state"]), estate.clock.now())
    if "class" in changes:
        estate.further.pending_classes[account, region, name] = str(changes["class"])
    if "class" in changes or changes.get("window"):
        _have_class(estate, (account, region, name), database)
    if changes.get("delete"):
        del _backend(account, region).databases[name]


def find(account: str, region: str, name: str) -> Any:
    """Return moto's database of a name.

    Raises:
        AwsError: there is none.
    """
    found = _backend(account, region).databases.get(name)
    if found is None:
        raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    return found


def refuse_deployed(call: Call, database: Any) -> None:
    """Refuse to touch either side of a blue/green deployment."""
    for one in _backend(call.account, call.region).blue_green_deployments.values():
        if database.db_instance_arn in {one.source, one.target}:
            name = database.db_instance_identifier
            raise AwsError("InvalidDBInstanceState", f"Instance {name} is part of a blue/green deployment.")


def _database(call: Call) -> Any:
    return find(call.account, call.region, str(call.parameters.get("DBInstanceIdentifier", "")))


def _stop(call: Call) -> Answer:
    database = _database(call)
    name = database.db_instance_identifier
    refuse_deployed(call, database)
    if database.db_cluster_identifier or database.engine.startswith(_NEVER_ALONE):
        message = f"{database.engine} DB instances are not eligible for stopping and starting."
        raise AwsError("InvalidParameterCombination", message)
    if database.is_replica or database.replicas:
        message = f"Cannot stop or start {name}: it is a read replica or the source of one."
        raise AwsError("InvalidParameterCombination", message)
    if database.multi_az and database.engine.startswith("sqlserver"):
        message = "Cannot stop or start a SQL Server DB instance in a Multi-AZ deployment."
        raise AwsError("InvalidParameterCombination", message)
    if database.status != "available":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is not in available state.")
    return _begin(call, database, "stopping", "stopped")


def _start(call: Call) -> Answer:
    database = _database(call)
    name = database.db_instance_identifier
    if database.status != "stopped":
        raise AwsError("InvalidDBInstanceState", f"Instance {name} is not stopped, it cannot be started.")
    if call.estate.faults.strike("capacity", call.facts(name), instance_type=database.db_instance_class):
        message = f"{database.db_instance_class} is not available in {database.availability_zone}."
        raise AwsError("InsufficientDBInstanceCapacity", message)
    return _begin(call, database, "starting", "available")


def _begin(call: Call, database: Any, state: str, target: str) -> Answer:
    database.status, database.automatic_restart_time = state, None
    due(call, database, target)
    shown = {"DBInstanceIdentifier": database.db_instance_identifier, "DBInstanceStatus": state}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), {"DBInstance": shown})


def due(call: Call, database: Any, target: str) -> None:
    """Have a database in its next state after its time."""
    moment = call.estate.clock.now() + timedelta(seconds=call.estate.delays.database_seconds)
    call.estate.further.databases_due[call.account, call.region, database.db_instance_identifier] = (target, moment)


def _pending_maintenance(call: Call) -> Answer:
    """Answer for one database by its ARN, or for all of the region; moto does not know the call."""
    wanted = str(call.parameters.get("ResourceIdentifier") or "")
    if wanted:
        find(call.account, call.region, wanted.rpartition(":")[2])
    arns = {
        f"arn:aws:rds:{region}:{account}:db:{name}": actions
        for (account, region, name), actions in call.estate.further.maintenance.items()
        if (account, region) == (call.account, call.region) and actions
    }
    listed = [
        {"ResourceIdentifier": arn, "PendingMaintenanceActionDetails": [{"Action": one} for one in actions]}
        for arn, actions in arns.items()
        if wanted in {"", arn}
    ]
    answer = {"PendingMaintenanceActions": listed}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), answer)


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("rds", "StopDBInstance"): _stop,
    ("rds", "StartDBInstance"): _start,
    ("rds", "DescribePendingMaintenanceActions"): _pending_maintenance,
}
