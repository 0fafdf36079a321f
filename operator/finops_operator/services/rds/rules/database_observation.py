"""A database instance as the actions on it see it: facts, fingerprint, the end of an act in words.

Source: Amazon RDS API reference, DescribeDBInstances and DescribePendingMaintenanceActions. AWS leaves out what does
not apply, a replica's source for one, so a missing field is no unknown fact here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.pausing import Pausable
from finops_operator.services.rds.rules.deployments import FACT, deployed
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import AVAILABLE, DOWN

READ: Final = "rds:DescribeDBInstances"
MAINTENANCE: Final = "rds:DescribePendingMaintenanceActions"
STOP: Final = "rds:StopDBInstance"
START: Final = "rds:StartDBInstance"
GONE: Final = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault", "ResourceNotFoundFault"})
NO_CAPACITY: Final = "InsufficientDBInstanceCapacity"
NOT_IN_THIS_STATE: Final = "InvalidDBInstanceState"
"""AWS refuses a stop in every state but `available`, also one that is repeated while the first one is carried out."""
INSTANCE: Final = Pausable(
    noun="database",
    parameter="DBInstanceIdentifier",
    stop=STOP,
    start=START,
    restarted_after=RESTARTED_AFTER,
    settle=120.0,
    # AWS names no limit, and large instances take long.
    longest=timedelta(hours=2).total_seconds(),
    down=DOWN,
    up=frozenset({"starting", AVAILABLE, "backing-up", "maintenance", "modifying", "upgrading"}),
)
_WAITS: Final = "pending-reboot"
"""Of a parameter group with values that the next restart brings into force."""
_FACTS: Final = (
    "Engine",
    "DBClusterIdentifier",
    "MultiAZ",
    "PubliclyAccessible",
    "ReadReplicaSourceDBInstanceIdentifier",
    "ReadReplicaSourceDBClusterIdentifier",
    "ReadReplicaDBInstanceIdentifiers",
    "ReadReplicaDBClusterIdentifiers",
    "AllocatedStorage",
    "EngineVersion",
    "LicenseModel",
    "StorageType",
    "StorageEncrypted",
    "PerformanceInsightsEnabled",
    "IAMDatabaseAuthenticationEnabled",
    "SecondaryAvailabilityZone",
    "PreferredMaintenanceWindow",
    "DeletionProtection",
    "BackupRetentionPeriod",
    "ProcessorFeatures",
)


def observe_database(reader: Reader, target: Target) -> Observation:
    """Read the instance. Facts: `state`, `class`, `zone`, `tags`, and AWS's own words under `instance`.

    With `target.full` also `maintenance`: the names of the maintenance actions that AWS is about to carry out, and
    `deployed`: whether it is part of a blue/green deployment, missing where that is not known.

    Raises:
        AwsError: as the reader; an instance that does not exist is an observation.
    """
    try:
        described = read_database(reader, target.resource.id)
        pending = _pending(reader, target.resource.arn) if target.full and described is not None else None
    except AwsRejected as error:
        if error.code in GONE:
            return Observation(exists=False)
        raise
    if described is None:
        return Observation(exists=False)
    found = seen(described, pending)
    in_deployment = deployed(reader, target.resource.arn) if target.full else None
    return found if in_deployment is None else replace(found, facts={**found.facts, FACT: in_deployment})


def read_database(reader: Reader, name: str) -> Mapping[str, Any] | None:
    """Return AWS's description of one instance, None when there is none. Raises as the reader."""
    answer = reader.read(READ, {"DBInstanceIdentifier": name})
    found: Mapping[str, Any] | None = next(iter(answer.get("DBInstances", ())), None)
    return found


def _pending(reader: Reader, arn: str) -> list[Json]:
    answer = reader.read(MAINTENANCE, {"ResourceIdentifier": arn})
    details = (
        detail
        for one in answer.get("PendingMaintenanceActions", ())
        if one.get("ResourceIdentifier") == arn
        for detail in one.get("PendingMaintenanceActionDetails", ())
    )
    return [*sorted({str(detail.get("Action") or "unnamed") for detail in details})]


def seen(described: Mapping[str, Any], maintenance: list[Json] | None) -> Observation:
    """Return what AWS's description of an instance says."""
    named = tags_of({"Tags": described.get("TagList")})
    state, kind = str(described.get("DBInstanceStatus") or ""), str(described.get("DBInstanceClass") or "")
    instance: dict[str, Json] = {name: described[name] for name in _FACTS if name in described}
    changes: Mapping[str, Any] = described.get("PendingModifiedValues") or {}
    instance["PendingModifiedValues"] = sorted(changes)
    groups = described.get("DBParameterGroups") or ()
    instance["managedSecret"] = bool(described.get("MasterUserSecret"))
    instance["parametersWait"] = any(one.get("ParameterApplyStatus") == _WAITS for one in groups)
    facts: dict[str, Json] = {
        "state": state,
        "class": kind,
        "pendingClass": str(changes.get("DBInstanceClass") or ""),
        "zone": str(described.get("AvailabilityZone") or ""),
        "resourceId": str(described.get("DbiResourceId") or ""),
        "tags": dict(named),
        "instance": instance,
        **({} if maintenance is None else {"maintenance": maintenance}),
    }
    fingerprint = {
        "state": state,
        "class": kind,
        # A database that was deleted and made anew under the same name has another one.
        "resourceId": str(facts["resourceId"]),
        "tags": sha256_hex(dict(named))[:16],
    }
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


def database(observation: Observation) -> Mapping[str, Any]:
    """Return AWS's description of the instance, empty when there is none."""
    found = observation.facts.get("instance")
    return found if isinstance(found, Mapping) else {}


def tags(observation: Observation) -> Mapping[str, str]:
    """Return the tags of what was observed."""
    found = observation.facts.get("tags")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def still_billed(observation: Observation) -> str:
    """Return what AWS bills of the instance while it is stopped."""
    storage = database(observation).get("AllocatedStorage")
    return f"{storage} GiB and its backups" if isinstance(storage, int) else "its storage and its backups"


def found_database(_plan: Plan, now: Observation) -> str:
    """Return what is there now, in a sentence."""
    if not now.exists:
        return "The database does not exist any more."
    return f"The database is {now.text('state')} with class {now.text('class')}."


def start_refused(_plan: Plan, now: Observation, step: str, code: str) -> str:
    """Return why AWS did not start the instance, where its code alone does not say it to people."""
    if step != "start" or code != NO_CAPACITY:
        return ""
    return f"AWS had no {now.text('class')} capacity in {now.text('zone') or 'its availability zone'}."
