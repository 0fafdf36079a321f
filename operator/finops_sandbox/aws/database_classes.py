"""Changes of a database's class: applied at once or in the maintenance window, refused where RDS refuses them.

Source: RDS API reference, ModifyDBInstance and DescribeOrderableDBInstanceOptions; RDS user guide, "Using the schedule
modifications setting" and "Modifying an Amazon RDS DB instance". Moto takes any class in any state and applies it at
once, keeps nothing waiting and offers no classes. Every call happens under the estate's lock.
"""

from collections.abc import Callable, Iterator
from typing import Any

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.databases import due, find, refuse_deployed
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_FAMILIES = ("m5", "m6g", "m7g", "r5", "r6g", "t3", "t4g")
_SIZES = ("medium", "large", "xlarge", "2xlarge", "4xlarge")
_STORAGE = ("gp2", "gp3", "io1")
_LARGEST_GIB = 65536
_CHANGED = {"Action", "Version", "DBInstanceIdentifier", "DBInstanceClass", "ApplyImmediately"}


def _modify(call: Call) -> Answer:
    asked = call.parameters
    unknown = sorted(set(asked) - _CHANGED)
    if unknown:
        raise AwsError("InvalidParameterCombination", f"The double changes nothing but the class: {unknown}.")
    database = find(call.account, call.region, str(asked.get("DBInstanceIdentifier", "")))
    name, wanted = database.db_instance_identifier, str(asked.get("DBInstanceClass") or database.db_instance_class)
    refuse_deployed(call, database)
    if database.status != "available":
        raise AwsError("InvalidDBInstanceState", f"Database instance {name} is not in available state.")
    if wanted not in _classes():
        message = (
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={wanted}, Engine={database.engine}."
        )
        raise AwsError("InvalidParameterCombination", message)
    place = (call.account, call.region, name)
    if str(asked.get("ApplyImmediately", "")).lower() == "true":
        _apply(call, database, wanted)
    else:
        call.estate.further.pending_classes[place] = wanted
        database.pending_modified_values = {"DBInstanceClass": wanted}
    shown = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": database.db_instance_class,
        "DBInstanceStatus": "available",
        "PendingModifiedValues": database.pending_modified_values or {},
    }
    return wire.write_query(wire.load_model("rds").operation_model(call.action), {"DBInstance": shown})


def _apply(call: Call, database: Any, wanted: str) -> None:
    """Begin the change; of a class that it has already, take back what waits."""
    place = (call.account, call.region, database.db_instance_identifier)
    if wanted == database.db_instance_class:
        call.estate.further.pending_classes.pop(place, None)
        database.pending_modified_values = None
        return
    if call.estate.faults.strike("capacity", call.facts(place[2]), instance_type=wanted):
        message = f"{wanted} is not available in {database.availability_zone}."
        raise AwsError("InsufficientDBInstanceCapacity", message)
    call.estate.further.pending_classes[place] = wanted
    database.pending_modified_values = {"DBInstanceClass": wanted}
    database.status = "modifying"
    due(call, database, "available")


def _classes() -> tuple[str, ...]:
    return tuple(f"db.{family}.{size}" for family in _FAMILIES for size in _SIZES)


def _options(call: Call) -> Iterator[dict[str, Any]]:
    asked = call.parameters
    for name in _classes():
        if asked.get("DBInstanceClass") not in {None, name}:
            continue
        for storage in _STORAGE:
            yield {
                "Engine": asked["Engine"],
                "EngineVersion": str(asked.get("EngineVersion") or ""),
                "LicenseModel": str(asked.get("LicenseModel") or ""),
                "DBInstanceClass": name,
                "AvailabilityZones": [{"Name": f"{call.region}{zone}"} for zone in "abc"],
                "MultiAZCapable": True,
                "StorageType": storage,
                "SupportsStorageEncryption": True,
                "SupportsPerformanceInsights": not name.endswith("medium"),
                "SupportsIAMDatabaseAuthentication": True,
                "MinStorageSize": 5,
                "MaxStorageSize": _LARGEST_GIB,
            }


def _orderable(call: Call) -> Answer:
    answer = {"OrderableDBInstanceOptions": list(_options(call))}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), answer)


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("rds", "ModifyDBInstance"): _modify,
    ("rds", "DescribeOrderableDBInstanceOptions"): _orderable,
}
