"""The undo of a stop: the same action with the parameter `endState: running`; used by ec2_instance_stop alone.

It is started and watched until both status checks pass. A start that AWS refuses or takes back leaves it stopped, as it
was; checks that do not pass call a person, because a running instance is what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import ActWords, Parameters, Refusal
from finops_operator.services.ec2.rules.instance_observation import DOWN, UP, stopped_by_others
from finops_operator.services.ec2.rules.stop_refusals import part
from finops_operator.services.ec2.rules.vcpu_quota import quota_refusals, vcpus
from finops_operator.services.ec2.rules.volume_keys import key_refusals

START_AGAIN: Final[Parameters] = {"endState": "running"}
_START_SECONDS: Final = 900.0
_START_SHOWS_SECONDS: Final = 120.0


def starts(parameters: Parameters) -> bool:
    """Return whether the act leads back to a running instance."""
    return parameters.get("endState") == START_AGAIN["endState"]


def not_as_stopped(plan: Plan, now: Observation) -> str:
    """Return that somebody has started the instance since the act stopped it; empty while nobody has."""
    if now.text("launchTime") != plan.fingerprint["launchTime"]:
        return "It was started since the act stopped it."
    return "" if now.text("state") == "stopped" else f"It is {now.text('state')}, not stopped."


def start_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return why the instance is not started. Tags that protect it forbid a stop, not a start."""
    if not observation.exists:
        return (Refusal("NotFound", "The instance does not exist any more."),)
    state = observation.text("state")
    if state != "stopped":
        return (Refusal("NotStopped", f"It is {state}, not stopped."),)
    wanted = vcpus(part(observation, "type"), part(observation, "instance").get("CpuOptions"))
    # A start that fails leaves it as it is, so only what is known to keep it from starting is a reason.
    room = quota_refusals(observation, 0, wanted, starts=True)
    known = tuple(refusal for refusal in room if refusal.code == "QuotaTooSmall")
    return (*key_refusals(observation, unknown_refuses=False), *known)


def start_words() -> ActWords:
    """Return the act in words."""
    return ActWords(
        verb="Start",
        consequence="It is started again and costs as much as before.",
        downtime="None: it is stopped",
        undo="If AWS does not start it, it stays stopped. Later: stop it.",
        steps={"start": "Start the instance", "wait_healthy": "Wait until it is running and its status checks pass"},
    )


def start_plan(resource: ResourceRef, fingerprint: Mapping[str, str]) -> Plan:
    """Return the calls."""
    steps = (PlanStep("start", "ec2:StartInstances", {"InstanceIds": [resource.id]}), PlanStep("wait_healthy"))
    return Plan("ec2_instance_stop", resource, dict(START_AGAIN), steps, dict(fingerprint))


def healthy(_plan: Plan, now: Observation) -> bool:
    """Return whether it runs and both status checks pass."""
    return now.text("state") == "running" and now.text("checks") == "ok"


START: Final = StepRules(
    reached=lambda _, now: now.text("state") in UP,
    expected=lambda _, now: now.text("state") == "stopped",
    taken=stopped_by_others,
)
"""The start of an undo, and the one that leads a failed stop back."""

WAIT_HEALTHY: Final = StepRules(
    reached=healthy,
    # A start can fail after AWS accepted it: the instance falls back to stopped.
    failed=lambda _, now: not now.exists or now.text("state") in DOWN,
    # A start that shows late must not be reported as refused: nobody would expect it to run.
    settle_seconds=_START_SHOWS_SECONDS,
    timeout_seconds=_START_SECONDS,
    patient=True,
)
