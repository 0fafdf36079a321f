"""What forbids stopping or starting a database instance, and what a stop brings with it; called by both preflights.

Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance temporarily" (limitations and considerations). AWS
leaves out what does not apply, a replica's source for one, so a missing field is no unknown fact here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, kept, protected, stop_opt_out, template_owners
from finops_operator.services.rds.rules.database_observation import database, tags
from finops_operator.services.rds.rules.deployments import in_deployment
from finops_operator.services.rds.rules.engines import OTHER_SERVICES, is_aurora
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_CUSTOM: Final = "custom-"
_SQL_SERVER: Final = "sqlserver-"


def stop_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to stop this instance."""
    if not observation.exists:
        return (Refusal("NotFound", "The database does not exist any more."),)
    known, described = tags(observation), database(observation)
    return (
        *protected(known, facts),
        *stop_opt_out(known),
        *kept(known),
        *controlled(known, SIGNS),
        *_state_refusals(observation, described),
        *_deployment_refusals(described),
        *in_deployment(observation),
    )


def start_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return why the database is not started. Tags that protect it forbid a stop, not the undo of one."""
    if not observation.exists:
        return (Refusal("NotFound", "The database does not exist any more."),)
    state = observation.text("state")
    return () if state == STOPPED else (Refusal("NotStopped", f"It is {state}, not stopped."),)


def first_start_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return why a database that no act of ours stopped is not started: somebody's word may keep it as it is."""
    refusals = start_refusals(observation)
    if not observation.exists:
        return refusals
    known, described = tags(observation), database(observation)
    return (*refusals, *protected(known, facts), *controlled(known, SIGNS), *_never_alone(described))


def _state_refusals(observation: Observation, described: Mapping[str, Any]) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != AVAILABLE:
        found.append(Refusal("NotAvailable", f"It is {observation.text('state')}, not {AVAILABLE}."))
    changes = described.get("PendingModifiedValues")
    if changes:
        waiting = f"A change waits for its maintenance window ({_named(changes)}), and a stop would discard it."
        found.append(Refusal("ChangePending", waiting))
    return found


def _named(words: object) -> str:
    return ", ".join(str(one) for one in words) if isinstance(words, (list, tuple)) else "unnamed"


def _deployment_refusals(described: Mapping[str, Any]) -> list[Refusal]:
    found, engine = _never_alone(described), str(described.get("Engine") or "")
    if described.get("ReadReplicaSourceDBInstanceIdentifier") or described.get("ReadReplicaSourceDBClusterIdentifier"):
        found.append(Refusal("ReadReplica", "It is a read replica, which AWS does not stop."))
    if described.get("ReadReplicaDBInstanceIdentifiers") or described.get("ReadReplicaDBClusterIdentifiers"):
        found.append(Refusal("ReplicaSource", "Read replicas replicate from it, so AWS does not stop it."))
    if engine.startswith(_SQL_SERVER) and described.get("MultiAZ") is not False:
        found.append(Refusal("SqlServerMultiAz", "AWS does not stop SQL Server in a Multi-AZ deployment."))
    return found


def _never_alone(described: Mapping[str, Any]) -> list[Refusal]:
    """Return why AWS neither stops nor starts the instance by itself."""
    found: list[Refusal] = []
    engine = str(described.get("Engine") or "")
    if not engine:
        found.append(Refusal("EngineUnknown", "AWS did not say which engine it runs."))
    if described.get("DBClusterIdentifier") or is_aurora(engine) or engine in OTHER_SERVICES:
        found.append(Refusal("ClusterMember", "It is a member of a cluster, which can only be stopped as a whole."))
    if engine.startswith(_CUSTOM):
        found.append(Refusal("RdsCustom", "RDS Custom instances cannot be stopped."))
    return found


def stop_warnings(observation: Observation) -> tuple[str, ...]:
    """Return what a stop brings with it, for the card."""
    described = database(observation)
    found = ["After seven days AWS starts it again by itself and bills it from then on, until someone stops it again."]
    found.append("A start can take minutes to hours. No automated backup is made while it is stopped.")
    maintenance = observation.facts.get("maintenance")
    if maintenance:
        found.append(
            f"Maintenance is pending ({_named(maintenance)}), and a stop removes it. If it matters, have it done first."
        )
    if described.get("PubliclyAccessible"):
        found.append("Its public IP address changes. Its endpoint's name stays.")
    found += [f"Changes by {owner} fail while it is stopped." for owner in template_owners(tags(observation), SIGNS)]
    found.append("We did not check whether an application or a proxy depends on it.")
    return tuple(found)
