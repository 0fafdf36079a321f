"""Delete a database instance that is stopped or that nobody connects to; a final snapshot and its backups stay.

One call does both: AWS keeps the database as `deleting` until the snapshot is made, and gives it up only then. So the
act is complete when the database is gone and the snapshot reads back as available. The name of the snapshot follows
from the database's identity, so that a repeated call can make no second one: AWS refuses the name. Automated backups
are kept (`DeleteAutomatedBackups` false) and end with their retention. Nothing brings the database itself back; a new
one can be restored from the snapshot. Source: RDS API reference, DeleteDBInstance; Amazon RDS user guide, "Deleting a
DB instance", "Retaining automated backups" and "Password management with Amazon RDS and AWS Secrets Manager".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
)
from finops_operator.plugins.deletion import is_as_approved, one_call
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.recent_use import METRICS, Measured, recent_use
from finops_operator.plugins.session_policy import allow
from finops_operator.services.rds.rules.database_observation import (
    GONE,
    MAINTENANCE,
    NOT_IN_THIS_STATE,
    READ,
    database,
    observe_database,
)
from finops_operator.services.rds.rules.delete_refusals import delete_refusals
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.final_snapshot import (
    PREFIX,
    READ_SNAPSHOTS,
    UNKNOWN_COST,
    final_name,
    final_snapshot_cost,
    read_final_snapshots,
    snapshot_state,
)
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

ID: Final = "rds_instance_delete"
_DELETE: Final = "rds:DeleteDBInstance"
_SNAPSHOT: Final = "rds:CreateDBSnapshot"
_SNAPSHOT_EXISTS: Final = "DBSnapshotAlreadyExists"
_DELETING: Final = "deleting"
_SETTLE_SECONDS: Final = 120.0
"""How long a deletion may stay invisible."""
_GONE_SECONDS: Final = 21600.0
"""How long a snapshot and the deletion may take before a person is called: AWS names no limit."""


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the instance and `finalSnapshots`, name → status, of what had its name.

    With `target.full` also `use` of an instance that works: whether somebody was connected within a week.
    """
    found = observe_database(reader, target)
    facts: dict[str, Json] = {**found.facts, "finalSnapshots": read_final_snapshots(reader, target.resource.id)}
    if target.full and found.text("state") == AVAILABLE:
        of_instance = (("DBInstanceIdentifier", target.resource.id),)
        connections = Measured("AWS/RDS", "DatabaseConnections", of_instance, "Maximum")
        facts["use"] = recent_use(reader, [connections], target.now)
    return replace(found, facts={**facts, "name": target.resource.id})


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return delete_refusals(observation.text("name"), observation, facts)


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    days = database(observation).get("BackupRetentionPeriod")
    backups = f"kept and billed for {days} days" if isinstance(days, int) and days else "not there to be kept"
    managed = database(observation).get("managedSecret") is True
    secret = ("RDS deletes the secret of its master user in Secrets Manager, which it manages.",) if managed else ()
    return (
        f"Its final snapshot is billed until somebody deletes it. Automated backups are {backups}.",
        "A database restored from it is a new one: groups, parameters and tags are given again.",
        "Reserved instances go on to be billed. We did not check whether an application or a proxy depends on it.",
        *secret,
    )


def _words(observation: Observation, _parameters: Parameters, plan: Plan) -> ActWords:
    size = database(observation).get("AllocatedStorage")
    billed = f"{size} GiB at most" if isinstance(size, int) else "no more than its storage"
    return ActWords(
        verb="Delete",
        consequence="AWS takes a final snapshot and then deletes it with its storage. The snapshot is kept.",
        downtime="Permanent",
        undo=f"It cannot be undone. Restore a new database from snapshot {_name(plan)}.",
        steps={"delete": "Take a final snapshot and delete the database"},
        facts=(EvidenceFact("Final snapshot", billed),),
    )


def _name(plan: Plan) -> str:
    return final_name(plan.resource.id, str(plan.fingerprint["resourceId"]))


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    call: dict[str, Json] = {
        "DBInstanceIdentifier": resource.id,
        "SkipFinalSnapshot": False,
        "FinalDBSnapshotIdentifier": final_name(resource.id, assumed["resourceId"]),
        "DeleteAutomatedBackups": False,
    }
    return Plan(ID, resource, {}, (PlanStep("delete", _DELETE, call),), dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and not snapshot_state(now, _name(plan))


def _gone(plan: Plan, now: Observation) -> bool:
    """Return whether the database is gone; another one under its name was made after that."""
    return not now.exists or now.text("resourceId") != plan.fingerprint["resourceId"]


def _leaving(plan: Plan, now: Observation) -> bool:
    return _gone(plan, now) or now.text("state") == _DELETING


def _kept(plan: Plan, now: Observation) -> bool:
    """Return whether the database is gone and its final snapshot can be restored from."""
    return _gone(plan, now) and snapshot_state(now, _name(plan)) == AVAILABLE


def _found(plan: Plan, now: Observation) -> str:
    state = "gone" if _gone(plan, now) else now.text("state")
    snapshot = snapshot_state(now, _name(plan))
    kept = (
        f"its final snapshot {_name(plan)} is {snapshot} and is billed" if snapshot else "AWS shows no final snapshot"
    )
    return f"The database is {state}; {kept}."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return {
        "SnapshotQuotaExceeded": "The account has as many manual snapshots as it may have, so it is not deleted.",
        "KMSKeyNotAccessibleFault": "AWS cannot use the key of its storage for a snapshot, so it is not deleted.",
        "DBInstanceAutomatedBackupQuotaExceeded": "AWS cannot keep its automated backups, so it is not deleted.",
    }.get(code, "")


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    snapshot = f"{plan.resource.arn.rpartition(':db:')[0]}:snapshot:{_name(plan)}"
    return (
        allow(step.operation, _SNAPSHOT, resource=plan.resource.arn),
        allow(_SNAPSHOT, resource=snapshot),
    )


def _patch(owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
    if owner.system == "CloudFormation":
        return "Remove the resource from the template, with DeletionPolicy: Snapshot."
    return "Remove the aws_db_instance block." if owner.system == "Terraform" else ""


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"rds-instance"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="restore a new database from its final snapshot",
    effort=Effort.LOW,
    permissions=(_DELETE, _SNAPSHOT),
    read_permissions=(READ, MAINTENANCE, READ_DEPLOYMENTS, READ_SNAPSHOTS, METRICS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=_leaving, expected=_unchanged, settle_seconds=_SETTLE_SECONDS, destroys=True),
        _found,
        gone=_kept,
        gone_seconds=_GONE_SECONDS,
        refused=_refused,
    ),
    statements=_statements,
    rights=Rights(
        further=(
            {
                "Sid": "KeepFinalDatabaseSnapshots",
                "Effect": "Allow",
                "Action": _SNAPSHOT,
                "Resource": f"arn:*:rds:*:*:snapshot:{PREFIX}*",
            },
        ),
    ),
    calls=CallRules(repeated=GONE | {NOT_IN_THIS_STATE, _SNAPSHOT_EXISTS}),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(assumed={"state": STOPPED, "class": "db.m5.large", "resourceId": "db-EXAMPLE"}),
    remaining_cost=final_snapshot_cost,
    remaining_unknown=UNKNOWN_COST,
)
