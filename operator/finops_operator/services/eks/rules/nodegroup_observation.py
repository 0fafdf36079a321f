"""What an act on the size of a managed node group must know of it, and what speaks against the act.

EKS adds tags of the cluster, and of the cluster autoscaler, to the Auto Scaling group behind every node group, so those
prove nothing; what stands on the node group itself, its owner put there. Source: Amazon EKS API reference,
DescribeNodegroup; EKS user guide, "Simplify node lifecycle with managed node groups".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal, Target
from finops_operator.plugins.group_size import FACT, size_text
from finops_operator.plugins.protection import observed_tags, stop_opt_out, tag_refusals
from finops_operator.services.eks.rules.signs import SIGNS

READ: Final = "eks:DescribeNodegroup"
GROUPS: Final = "autoscaling:DescribeAutoScalingGroups"
ACTIVE: Final = "ACTIVE"
_GONE: Final = "ResourceNotFoundException"
_IN_SERVICE: Final = "InService"
_OF_ITS_CLUSTER: Final = ("eks:", "aws:eks:", "kubernetes.io/cluster/")
_AUTOSCALER: Final = "k8s.io/cluster-autoscaler/"
_KARPENTER: Final = "karpenter.sh/"
_OFF: Final = frozenset({"false", "no", "0"})


def named(identity: str) -> dict[str, Json]:
    """Return how a call names a node group; its id is `cluster/name/…`."""
    cluster, name = identity.split("/")[:2]
    return {"clusterName": cluster, "nodegroupName": name}


def observe_nodegroup(reader: Reader, target: Target) -> Observation:
    """Read the node group and the machines behind it.

    Facts: `arn`, `state`, `size` (`1/2/4`: fewest, wanted, most), `machines` (in service; None: not known), `issues`
    (codes of its health, joined), `suspended` (processes of the group behind it, joined), `tags`.
    """
    try:
        group: Mapping[str, Any] = reader.read(READ, named(target.resource.id)).get("nodegroup") or {}
    except AwsRejected as error:
        if error.code == _GONE:
            return Observation(exists=False)
        raise
    if not group:
        return Observation(exists=False)
    size = group.get("scalingConfig") or {}
    facts: dict[str, Json] = {
        "arn": str(group.get("nodegroupArn") or ""),
        "state": str(group.get("status") or ""),
        FACT: size_text(size.get("minSize"), size.get("desiredSize"), size.get("maxSize")),
        "issues": ", ".join(sorted(str(one.get("code")) for one in (group.get("health") or {}).get("issues") or ())),
        "tags": {str(key): str(value) for key, value in (group.get("tags") or {}).items()},
        **_machines(reader, group),
    }
    fingerprint = {name: str(facts[name]) for name in ("arn", FACT)}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _machines(reader: Reader, group: Mapping[str, Any]) -> dict[str, Json]:
    behind = [str(one.get("name")) for one in (group.get("resources") or {}).get("autoScalingGroups") or ()]
    if not behind:
        return {"machines": None, "suspended": ""}
    found = reader.read(GROUPS, {"AutoScalingGroupNames": behind}).get("AutoScalingGroups") or ()
    if len(found) < len(behind):
        return {"machines": None, "suspended": ""}
    members = [one for each in found for one in each.get("Instances") or ()]
    suspended = {str(one.get("ProcessName")) for each in found for one in each.get("SuspendedProcesses") or ()}
    # EKS itself suspends the rebalancing of zones while it updates a group.
    return {
        "machines": sum(1 for one in members if one.get("LifecycleState") == _IN_SERVICE),
        "members": len(members),
        "suspended": ", ".join(sorted(suspended & {"Launch", "Terminate"})),
    }


# -- what speaks against it --------------------------------------------------------------------------------------------


def size_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Refuse fewer machines by what stands on the group, by who else sets its size and by how steady it is."""
    known = observed_tags(observation)
    own = {
        key: value for key, value in known.items() if not key.startswith((*_OF_ITS_CLUSTER, _AUTOSCALER, _KARPENTER))
    }
    return (
        *tag_refusals(own, facts, SIGNS),
        *stop_opt_out(own),
        *_scaler_refusals(known),
        *steadiness_refusals(observation),
        *_count_refusals(observation),
    )


def _scaler_refusals(tags: Mapping[str, str]) -> list[Refusal]:
    found: list[Refusal] = []
    if any(key.startswith(_AUTOSCALER) and value.strip().casefold() not in _OFF for key, value in tags.items()):
        why = "Its tags give it to the cluster autoscaler, which sets how many machines it has."
        found.append(Refusal("OwnedByClusterAutoscaler", why))
    if any(key.startswith(_KARPENTER) for key in tags):
        found.append(Refusal("OwnedByKarpenter", "Its tags give it to Karpenter, whose pods may run on it."))
    return found


def steadiness_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Refuse any other size while EKS is changing the group or something is wrong with it."""
    found: list[Refusal] = []
    if observation.text("state") != ACTIVE:
        why = f"It is {observation.text('state') or 'in an unknown state'}, so a change of it may be under way."
        found.append(Refusal("NotActive", why))
    if not observation.text("arn"):
        found.append(Refusal("IdentityUnknown", "AWS did not say its ARN, so another may take its name."))
    if observation.text("issues"):
        found.append(Refusal("Unhealthy", f"EKS names problems of it: {observation.text('issues')}."))
    if observation.text("suspended"):
        found.append(
            Refusal("ProcessSuspended", f"Processes behind it are suspended: {observation.text('suspended')}.")
        )
    return tuple(found)


def _count_refusals(observation: Observation) -> list[Refusal]:
    machines, members = observation.facts.get("machines"), observation.facts.get("members")
    wanted = observation.text(FACT).split("/")[1:2]
    if machines is None:
        return [Refusal("MachinesUnknown", "Which machines it has is not known.")]
    if [str(machines)] != wanted or machines != members:
        why = f"{machines} machines work, and it wants {wanted[0] if wanted else 'an unknown number'}."
        return [Refusal("NotSteady", why)]
    return []
