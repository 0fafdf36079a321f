"""What forbids giving a database instance another class, and what the change brings with it.

A change that is applied at once applies everything that waits for the maintenance window with it, so anything that
waits forbids it. Source: Amazon RDS user guide, "Modifying an Amazon RDS DB instance", "Using the schedule
modifications setting", "Viewing Amazon RDS DB instance status"; RDS API reference, ModifyDBInstance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, described_by_template, protected, template_owners
from finops_operator.services.rds.rules.database_observation import database, tags
from finops_operator.services.rds.rules.deployments import in_deployment
from finops_operator.services.rds.rules.engines import OTHER_SERVICES, is_aurora
from finops_operator.services.rds.rules.orderable import not_offered
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import AVAILABLE, DOWN

CLASS: Final = "DBInstanceClass"
_CUSTOM: Final = "custom-"
_STATES: Final = {
    **dict.fromkeys(DOWN, ("Stopped", "a stopped database cannot be changed")),
    "backing-up": ("BackupRunning", "an automated backup runs"),
    "deleting": ("BeingDeleted", "it is being deleted"),
    "modifying": ("ChangeRunning", "another change is being applied"),
}


def resize_refusals(
    observation: Observation, wanted: str, facts: PolicyFacts, *, at_once: bool, back: bool
) -> tuple[Refusal, ...]:
    """Return every reason not to give this instance the class.

    Args:
        observation: of the instance.
        wanted: the class.
        facts: what the policy says.
        at_once: whether the change is applied before its maintenance window.
        back: whether it gives back what the instance had: what forbids less does not forbid that.
    """
    if not observation.exists:
        return (Refusal("NotFound", "The database does not exist any more."),)
    described = database(observation)
    chosen = () if back else _chosen(observation, facts, described, at_once=at_once)
    return (
        *chosen,
        *_state_refusals(observation, wanted, described, back=back),
        *_deployment_refusals(described),
        *in_deployment(observation),
        *not_offered(observation.facts.get("options"), described, _zones(observation, described), wanted),
    )


def _chosen(
    observation: Observation, facts: PolicyFacts, described: Mapping[str, Any], *, at_once: bool
) -> Iterator[Refusal]:
    known = tags(observation)
    yield from protected(known, facts)
    yield from controlled(known, SIGNS)
    yield from described_by_template(known, SIGNS)
    if described.get("parametersWait") is not False:
        yield Refusal("ParametersWait", "Its parameter group has values that wait for a restart, which this would be.")
    maintenance = observation.facts.get("maintenance")
    if at_once and maintenance:
        names = ", ".join(map(str, maintenance)) if isinstance(maintenance, list) else "unnamed"
        yield Refusal("MaintenanceWaits", f"Maintenance is pending ({names}) and might be done with it, unannounced.")


def _state_refusals(
    observation: Observation, wanted: str, described: Mapping[str, Any], *, back: bool
) -> Iterator[Refusal]:
    state = observation.text("state")
    if state != AVAILABLE:
        code, why = _STATES.get(state, ("NotAvailable", f"it is {state or 'in an unknown state'}, not {AVAILABLE}"))
        yield Refusal(code, f"{why[:1].upper()}{why[1:]}.")
    waiting = [str(one) for one in described.get("PendingModifiedValues") or ()]
    ours = back and waiting == [CLASS]
    if waiting and not ours:
        yield Refusal("ChangePending", f"A change waits for its maintenance window already ({', '.join(waiting)}).")
    if observation.text("class") == wanted and not ours:
        yield Refusal("SameClass", f"Its class is {wanted} already.")


def _deployment_refusals(described: Mapping[str, Any]) -> Iterator[Refusal]:
    engine = str(described.get("Engine") or "")
    if not engine:
        yield Refusal("EngineUnknown", "AWS did not say which engine it runs.")
    if described.get("DBClusterIdentifier") or is_aurora(engine) or engine in OTHER_SERVICES:
        yield Refusal("ClusterMember", "It is a member of a cluster, whose members stand in for each other.")
    if engine.startswith(_CUSTOM):
        yield Refusal("RdsCustom", "It is an RDS Custom instance, whose machine is its owner's.")
    # AWS names them only where they differ from the class's own: licences may be counted by them.
    if described.get("ProcessorFeatures"):
        yield Refusal("CpuOptions", "Its CPU cores or threads are set for its class, and no undo would set them again.")


def _zones(observation: Observation, described: Mapping[str, Any]) -> list[str]:
    both = (observation.text("zone"), str(described.get("SecondaryAvailabilityZone") or ""))
    return [zone for zone in both if zone]


def resize_warnings(observation: Observation, *, at_once: bool) -> tuple[str, ...]:
    """Return what the change brings with it, for the card."""
    described = database(observation)
    found: list[str] = []
    maintenance = observation.facts.get("maintenance")
    if maintenance and not at_once:
        found.append("Maintenance is pending as well and may be done in the same window.")
    if described.get("ReadReplicaDBInstanceIdentifiers") or described.get("ReadReplicaDBClusterIdentifiers"):
        found.append("Its read replicas keep their class; one that is smaller than its source can fall behind.")
    if described.get("ReadReplicaSourceDBInstanceIdentifier") or described.get("ReadReplicaSourceDBClusterIdentifier"):
        found.append("It is a read replica: with less capacity it can fall behind its source.")
    found += [f"{owner} will see a drift." for owner in template_owners(tags(observation), SIGNS)]
    found.append("AWS may have no capacity of the class at that time; then the database keeps its old one.")
    found.append("We did not check whether its parameter group sets memory or connections to fixed figures.")
    return tuple(found)
