"""What forbids stopping or starting a cluster, and what a stop brings with it; called by both preflights.

Source: Amazon Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster" (limitations); Amazon RDS user
guide, "Limitations of Multi-AZ DB clusters"; RDS API reference, StopDBCluster ("This operation only applies to Aurora
DB clusters"). AWS leaves out what does not apply, a global database for one, so a missing field is no unknown fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, kept, protected, stop_opt_out, template_owners
from finops_operator.services.rds.rules.cluster_observation import cluster, members
from finops_operator.services.rds.rules.clusters import AURORA, MULTI_AZ, SERVERLESS_MODE, service_of
from finops_operator.services.rds.rules.database_observation import tags
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_GONE: Final = (Refusal("NotFound", "The cluster does not exist any more."),)
_MODES: Final = {
    "": Refusal("ModeUnknown", "AWS did not say in which mode its engine works."),
    SERVERLESS_MODE: Refusal("ServerlessV1", "It is Aurora Serverless v1, which AWS pauses itself and does not stop."),
    "parallelquery": Refusal("ParallelQuery", "It uses parallel query, and AWS does not stop such a cluster."),
    "global": Refusal("GlobalDatabase", "It is made for a global database, and AWS does not stop such a cluster."),
    "multimaster": Refusal("MultiMaster", "It has several writers, and AWS does not stop such a cluster."),
}
_PROVISIONED: Final = "provisioned"


def stop_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to stop this cluster."""
    if not observation.exists:
        return _GONE
    known, described = tags(observation), cluster(observation)
    return (
        *protected(known, facts),
        *stop_opt_out(known),
        *kept(known),
        *controlled(known, SIGNS),
        *_state_refusals(observation, described),
        *_kind_refusals(described),
        *_tied_refusals(observation, described),
    )


def start_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return why the cluster is not started. Tags that protect it forbid a stop, not the undo of one."""
    if not observation.exists:
        return _GONE
    state = observation.text("state")
    return () if state == STOPPED else (Refusal("NotStopped", f"It is {state}, not {STOPPED}."),)


def first_start_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return why a cluster that no act of ours stopped is not started: somebody's word may keep it as it is."""
    refusals = start_refusals(observation)
    if not observation.exists:
        return refusals
    known = tags(observation)
    return (*refusals, *protected(known, facts), *controlled(known, SIGNS), *_kind_refusals(cluster(observation)))


def _state_refusals(observation: Observation, described: Mapping[str, Any]) -> Iterator[Refusal]:
    state, states = observation.text("state"), members(observation)
    if state != AVAILABLE:
        yield Refusal("NotAvailable", f"It is {state}, not {AVAILABLE}.")
    if described.get("members") == 0:
        yield Refusal("NoMembers", "It has no instance, so a stop would save nothing.")
    elif described.get("members") != len(states):
        yield Refusal("MembersUnknown", "Not all of its members were found.")
    working = sorted({one for one in states.values() if one != AVAILABLE})
    if state == AVAILABLE and working:
        yield Refusal("MemberNotAvailable", f"A member is {', '.join(working)}, not {AVAILABLE}.")
    changes = described.get("PendingModifiedValues")
    if changes:
        waiting = ", ".join(map(str, changes))
        yield Refusal(
            "ChangePending", f"A change waits for its maintenance window ({waiting}), and a stop would discard it."
        )


def _kind_refusals(described: Mapping[str, Any]) -> Iterator[Refusal]:
    engine, mode = str(described.get("Engine") or ""), str(described.get("EngineMode") or "")
    service = service_of(engine)
    if not service:
        yield Refusal("EngineUnknown", "AWS did not say which engine it runs, or it is one we do not know.")
    elif service == MULTI_AZ:
        yield Refusal("MultiAzCluster", "It is a Multi-AZ cluster, which AWS neither stops nor starts.")
    elif service != AURORA:
        yield Refusal("NotAurora", f"It is a cluster of {service}; this act is for Aurora alone.")
    elif mode in _MODES:
        yield _MODES[mode]
    elif mode != _PROVISIONED:
        yield Refusal("ModeUnknown", f"Its engine works in the mode {mode}, which we do not know.")
    if described.get("ClusterScalabilityType") == "limitless":
        yield Refusal("Limitless", "It is an Aurora Limitless Database, whose shards AWS does not stop with it.")


def _tied_refusals(observation: Observation, described: Mapping[str, Any]) -> Iterator[Refusal]:
    if described.get("GlobalClusterIdentifier"):
        yield Refusal("GlobalDatabase", "It belongs to a global database.")
    if described.get("ReplicationSourceIdentifier"):
        yield Refusal("ReadReplica", "It is a read replica of another cluster, which AWS does not stop.")
    if described.get("ReadReplicaIdentifiers"):
        yield Refusal("ReplicaSource", "Replicas in other regions replicate from it, so AWS does not stop it.")
    deployed = observation.facts.get("deployed")
    if deployed is True:
        yield Refusal("BlueGreenDeployment", "It is part of a blue/green deployment, so AWS does not stop it.")
    elif deployed is None:
        yield Refusal("DeploymentUnknown", "Whether it is part of a blue/green deployment was not read.")


def stop_warnings(observation: Observation) -> tuple[str, ...]:
    """Return what a stop brings with it, for the card."""
    count = len(members(observation))
    whole = "Its instance is" if count == 1 else f"All {count} of its instances are"
    found = [
        "After seven days AWS starts it again by itself and bills it from then on, until someone stops it again.",
        f"{whole} stopped with it. A start can take minutes to hours.",
    ]
    found += [f"Changes by {owner} fail while it is stopped." for owner in template_owners(tags(observation), SIGNS)]
    found.append("We did not check whether an application or a proxy depends on it.")
    return tuple(found)
