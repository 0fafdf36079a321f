"""What an act on the size of an Auto Scaling group must know of it, and what speaks against the act.

Source: Amazon EC2 Auto Scaling user guide, "Suspend and resume processes", "Use instance scale-in protection", "Warm
pools", "Instance refresh"; API reference, DescribePolicies, DescribeScheduledActions, DescribeInstanceRefreshes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal, Target
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.group_size import FACT, size_text
from finops_operator.plugins.ownership import Sign
from finops_operator.plugins.protection import observed_tags, stop_opt_out, tag_refusals

READ: Final = "autoscaling:DescribeAutoScalingGroups"
POLICIES: Final = "autoscaling:DescribePolicies"
SCHEDULED: Final = "autoscaling:DescribeScheduledActions"
REFRESHES: Final = "autoscaling:DescribeInstanceRefreshes"
_UNDER_WAY: Final = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})
_IN_SERVICE: Final = "InService"
_HEALTHY: Final = "Healthy"
SIGNS: Final = (Sign(("k8s.io/cluster-autoscaler/node-template/",), "the cluster autoscaler"),)


def observe_group(reader: Reader, target: Target) -> Observation:
    """Read the group with its members.

    Facts: `arn`, `size` (`1/2/4`: fewest, wanted, most), `inService` (members in service and healthy), `members`,
    `status`, `suspended`, `warmPool`, `scaleInProtected`, `weighted`, `managedBy`, `tags`; with `target.full` also
    `policies`, `scheduled` and `refreshes` (names, joined).
    """
    name = target.resource.id
    found = reader.read(READ, {"AutoScalingGroupNames": [name]}).get("AutoScalingGroups") or ()
    if not found:
        return Observation(exists=False)
    group: Mapping[str, Any] = found[0]
    facts = _facts(group)
    if target.full:
        of_group = {"AutoScalingGroupName": name}
        policies = reader.read(POLICIES, of_group).get("ScalingPolicies") or ()
        scheduled = reader.read(SCHEDULED, of_group).get("ScheduledUpdateGroupActions") or ()
        refreshes = reader.read(REFRESHES, of_group).get("InstanceRefreshes") or ()
        facts |= {
            "policies": _joined(one.get("PolicyType") for one in policies if one.get("Enabled") is not False),
            "scheduled": len(scheduled),
            "refreshes": _joined(one.get("Status") for one in refreshes if one.get("Status") in _UNDER_WAY),
        }
    fingerprint = {fact: str(facts[fact]) for fact in ("arn", FACT)}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _facts(group: Mapping[str, Any]) -> dict[str, Json]:
    members = group.get("Instances") or ()
    in_service = [
        one
        for one in members
        if one.get("LifecycleState") == _IN_SERVICE and str(one.get("HealthStatus")).casefold() == _HEALTHY.casefold()
    ]
    mixed = ((group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("Overrides") or ()
    weighted = any(one.get("WeightedCapacity") for one in (*members, *mixed))
    kept = group.get("NewInstancesProtectedFromScaleIn") or any(one.get("ProtectedFromScaleIn") for one in members)
    return {
        "arn": str(group.get("AutoScalingGroupARN") or ""),
        FACT: size_text(group.get("MinSize"), group.get("DesiredCapacity"), group.get("MaxSize")),
        "members": len(members),
        "inService": len(in_service),
        "status": str(group.get("Status") or ""),
        "suspended": _joined(one.get("ProcessName") for one in group.get("SuspendedProcesses") or ()),
        "warmPool": bool(group.get("WarmPoolConfiguration") or group.get("WarmPoolSize")),
        "scaleInProtected": bool(kept),
        "weighted": weighted or str(group.get("DesiredCapacityType") or "units") != "units",
        "managedBy": str((group.get("Operator") or {}).get("Principal") or ""),
        "tags": dict(tags_of(group)),
    }


def _joined(texts: Any) -> str:
    return ", ".join(sorted({str(one) for one in texts if one}))


# -- what speaks against it --------------------------------------------------------------------------------------------


def tag_and_state_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Refuse fewer members by what stands on the group, by who else sets its size and by how steady it is."""
    known = observed_tags(observation)
    return (
        *tag_refusals(known, facts, SIGNS),
        *stop_opt_out(known),
        *steadiness_refusals(observation),
        *_setter_refusals(observation),
        *_kept_refusals(observation),
    )


def steadiness_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Refuse any other size while the group is on its way or somebody holds it."""
    found: list[Refusal] = []
    if not observation.text("arn"):
        found.append(Refusal("IdentityUnknown", "AWS did not say its ARN, so another may take its name."))
    if observation.text("managedBy"):
        found.append(Refusal("ManagedByService", f"The service {observation.text('managedBy')} manages it."))
    if observation.text("status"):
        found.append(Refusal("BeingDeleted", f"It is on its way out: {observation.text('status')}."))
    if observation.text("suspended"):
        found.append(Refusal("ProcessSuspended", f"Processes of it are suspended: {observation.text('suspended')}."))
    if observation.facts.get("refreshes") != "":
        why = f"Its instances are being replaced ({observation.text('refreshes') or 'not known'})."
        found.append(Refusal("InstanceRefresh", why))
    if observation.facts.get("weighted") is not False:
        found.append(Refusal("CountsCapacity", "Its size counts capacity and not members."))
    return tuple(found)


def _setter_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.facts.get("policies") != "":
        why = f"Scaling policies set how many members it wants ({observation.text('policies') or 'not known'})."
        found.append(Refusal("ScaledByPolicy", why))
    if observation.facts.get("scheduled") != 0:
        found.append(Refusal("ScaledBySchedule", "Scheduled actions set its size, and would set it again."))
    return found


def _kept_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.facts.get("warmPool") is not False:
        found.append(Refusal("WarmPool", "Its warm pool keeps instances that its size does not count."))
    if observation.facts.get("scaleInProtected") is not False:
        found.append(Refusal("ScaleInProtected", "Members of it are protected from being taken away."))
    size, members, working = (observation.facts.get(fact) for fact in (FACT, "members", "inService"))
    wanted = str(size).split("/")[1:2]
    if [str(members)] != wanted or [str(working)] != wanted:
        why = f"{working} of {members} members work, and it wants {wanted[0] if wanted else 'an unknown number'}."
        found.append(Refusal("NotSteady", why))
    return found
