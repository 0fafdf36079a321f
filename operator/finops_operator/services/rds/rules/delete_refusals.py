"""What forbids deleting a database instance; called by the preflight of the deletion.

Whatever is not known about it forbids. Source: Amazon RDS user guide, "Deleting a DB instance" and "Deletion
protection"; RDS API reference, DeleteDBInstance: neither a replica nor a member of a cluster nor an RDS Custom instance
has a final snapshot, and none can be taken in the states of a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import DELETION_WORDS, tag_refusals
from finops_operator.plugins.recent_use import NONE, SOME, WINDOW
from finops_operator.services.rds.rules.database_observation import database, tags
from finops_operator.services.rds.rules.deployments import in_deployment
from finops_operator.services.rds.rules.engines import OTHER_SERVICES, is_aurora
from finops_operator.services.rds.rules.final_snapshot import final_name, snapshot_state
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_CUSTOM: Final = "custom-"
_BACKUP: Final = "backing-up"


def delete_refusals(name: str, observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to delete the instance of this name."""
    if not observation.exists:
        return (Refusal("NotFound", "The database does not exist any more."),)
    known, described = tags(observation), database(observation)
    return (
        *tag_refusals(known, facts, SIGNS, DELETION_WORDS),
        *_state_refusals(name, observation, described),
        *_use_refusals(observation),
        *_deployment_refusals(described),
        *in_deployment(observation),
    )


def _state_refusals(name: str, observation: Observation, described: Mapping[str, Any]) -> Iterator[Refusal]:
    state, identity = observation.text("state"), observation.text("resourceId")
    if state == _BACKUP:
        yield Refusal("BackupRunning", "An automated backup runs.")
    elif state not in {AVAILABLE, STOPPED}:
        yield Refusal("NotAvailable", f"It is {state or 'in an unknown state'}, neither {AVAILABLE} nor {STOPPED}.")
    protection = described.get("DeletionProtection")
    if protection is True:
        yield Refusal("DeletionProtection", "Its deletion protection is on. Who wants it gone turns that off first.")
    elif protection is not False:
        yield Refusal("ProtectionUnknown", "AWS did not say whether its deletion protection is on.")
    if not identity:
        yield Refusal("IdentityUnknown", "AWS did not say which database it is, so another may take its name.")
    elif snapshot_state(observation, final_name(name, identity)):
        yield Refusal("SnapshotNameTaken", "A final snapshot of exactly this database is there already.")
    elif "finalSnapshots" not in observation.facts:
        yield Refusal("SnapshotsUnknown", "Its snapshots were not read.")


def _use_refusals(observation: Observation) -> Iterator[Refusal]:
    use = observation.text("use")
    if observation.text("state") != AVAILABLE:
        return
    if use == SOME:
        yield Refusal("InUse", f"Somebody was connected to it within the last {WINDOW.days} days.")
    elif use != NONE:
        why = f"CloudWatch does not show for all of the last {WINDOW.days} days that nobody was connected."
        yield Refusal("UseUnknown", why)


def _deployment_refusals(described: Mapping[str, Any]) -> Iterator[Refusal]:
    engine = str(described.get("Engine") or "")
    if not engine:
        yield Refusal("EngineUnknown", "AWS did not say which engine it runs.")
    if described.get("DBClusterIdentifier") or is_aurora(engine) or engine in OTHER_SERVICES:
        yield Refusal("ClusterMember", "It is a member of a cluster, and the data is the cluster's.")
    if engine.startswith(_CUSTOM):
        yield Refusal("RdsCustom", "AWS takes no final snapshot of an RDS Custom instance.")
    if described.get("ReadReplicaSourceDBInstanceIdentifier") or described.get("ReadReplicaSourceDBClusterIdentifier"):
        yield Refusal("ReadReplica", "It is a read replica, of which AWS takes no final snapshot.")
    if described.get("ReadReplicaDBInstanceIdentifiers") or described.get("ReadReplicaDBClusterIdentifiers"):
        yield Refusal("ReplicaSource", "Read replicas replicate from it and would be cut off.")
