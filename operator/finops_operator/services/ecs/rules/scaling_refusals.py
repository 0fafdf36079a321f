"""What forbids running fewer tasks of a service; called by the preflight of the action that sets its desired count.

Source: Amazon ECS API reference, UpdateService and Service; Amazon ECS developer guide, "Amazon ECS services" (daemon
scheduling) and "Amazon ECS deployment controllers". AWS leaves out a deployment controller that was never set. A
missing count or an answer that was not read is an unknown fact, which forbids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops_operator.plugins.action import PolicyFacts, Refusal
from finops_operator.plugins.protection import controlled, described_by_template, kept, protected, stop_opt_out
from finops_operator.services.ecs.rules.signs import SIGNS

ACTIVE: Final = "ACTIVE"
REPLICA: Final = "REPLICA"
OWN_CONTROLLER: Final = "ECS"
_COMPLETED: Final = "COMPLETED"


def tags(observation: Observation) -> Mapping[str, str]:
    """Return the service's tags."""
    found = observation.facts.get("tags")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def count(observation: Observation, name: str) -> int | None:
    """Return a number of tasks; None: AWS did not say."""
    text = observation.text(name)
    return int(text) if text.isdigit() else None


def deploying(deployments: Any) -> bool:
    """Return whether a deployment is under way or none is shown: several stand side by side, or one is not complete."""
    listed = list(deployments or ())
    return len(listed) != 1 or any(one.get("rolloutState", _COMPLETED) != _COMPLETED for one in listed)


def scaling_refusals(observation: Observation, wanted: int, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to run `wanted` tasks of this service."""
    if not observation.exists:
        return (Refusal("NotFound", "The service does not exist any more."),)
    known = tags(observation)
    return (
        *protected(known, facts),
        *(stop_opt_out(known) if wanted == 0 else ()),
        *kept(known),
        *controlled(known, SIGNS),
        *described_by_template(known, SIGNS),
        *_owner_refusals(observation),
        *_state_refusals(observation),
        *(_client_refusals(observation) if wanted == 0 else ()),
        *_count_refusals(observation, wanted),
    )


def set_back_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return every reason not to run as many tasks again as before an act. What protects it forbids fewer, not more."""
    if not observation.exists:
        return (Refusal("NotFound", "The service does not exist any more."),)
    return (*_owner_refusals(observation), *_state_refusals(observation))


def _owner_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    controller = observation.text("controller")
    if observation.text("scheduling") != REPLICA:
        found.append(Refusal("Daemon", "It runs one task on each instance, so it has no count of its own."))
    if controller != OWN_CONTROLLER:
        found.append(
            Refusal("ExternalController", f"Another controller deploys it ({controller}) and may set its count.")
        )
    if observation.facts.get("managed") is not False:
        found.append(Refusal("ManagedByService", "Amazon ECS manages it, and with it how many tasks it runs."))
    if observation.facts.get("scaled") is not False:
        found.append(
            Refusal("AutoScaled", "Application Auto Scaling sets its count; change or remove its target first.")
        )
    return found


def _state_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != ACTIVE:
        found.append(Refusal("NotActive", f"It is {observation.text('state')}, not {ACTIVE}."))
    if not observation.text("createdAt"):
        found.append(Refusal("CreationUnknown", "AWS did not say when it was made, so another may take its name."))
    if observation.facts.get("deploying") is not False:
        found.append(Refusal("DeploymentUnderWay", "A deployment of it is under way, or AWS showed none."))
    desired, running = count(observation, "desiredCount"), count(observation, "runningCount")
    if desired is None or running is None:
        found.append(Refusal("CountUnknown", "AWS did not say how many tasks it wants and runs."))
    elif running != desired:
        found.append(
            Refusal("NotSteady", f"{running} of {desired} tasks are running, so tasks are starting or failing.")
        )
    return found


def _client_refusals(observation: Observation) -> list[Refusal]:
    if observation.facts.get("balanced") is False:
        return []
    return [Refusal("BehindLoadBalancer", "A load balancer sends it requests, which nothing would answer.")]


def _count_refusals(observation: Observation, wanted: int) -> list[Refusal]:
    desired = count(observation, "desiredCount")
    if desired is None or wanted < desired:
        return []
    return [Refusal("CountNotLower", f"It wants {desired} already, and {wanted} would be no saving.")]
