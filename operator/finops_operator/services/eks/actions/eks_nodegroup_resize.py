"""Let a managed node group have fewer machines, and keep it within new bounds, through EKS and not behind its back.

Parameter: `size`, the fewest, the wanted and the most machines (`1/2/4`), fewer than now; with `setBack` it undoes an
earlier act. EKS evicts the pods of a machine that goes and terminates it after 15 minutes even where a pod disruption
budget forbids it, so people are asked to see first what runs there. Source: Amazon EKS API reference,
UpdateNodegroupConfig; EKS user guide, "Simplify node lifecycle with managed node groups" (what managed node groups do
when the desired size is lowered).
"""

from __future__ import annotations

from typing import Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.quantity import counted
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
)
from finops_operator.plugins.group_size import (
    FACT,
    PARAMETER,
    GroupSize,
    found_in,
    not_larger,
    not_smaller,
    read_size,
    shown_size,
    size_setting,
    step_titles,
    wanted_size,
    working_now,
)
from finops_operator.plugins.number_setting import Call, Pace, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.eks.rules.nodegroup_observation import (
    ACTIVE,
    GROUPS,
    READ,
    named,
    observe_nodegroup,
    size_refusals,
    steadiness_refusals,
)
from finops_operator.services.eks.rules.nodegroup_watch import NODEGROUP_WATCH

ID: Final = "eks_nodegroup_resize"
_UPDATE: Final = "eks:UpdateNodegroupConfig"
_BUSY: Final = frozenset({"ResourceInUseException"})
"""Another update of the group is under way; nothing was done."""
_SETTLE_SECONDS: Final = 300.0
"""How long a new size may stay invisible before a person is called: EKS shows it when its own update begins."""
_LONGEST_SECONDS: Final = 5400.0
"""Of starting or draining machines before a person is called: EKS gives the pods of each one 15 minutes."""
_POLL_SECONDS: Final = 15.0


def _wanted(parameters: Parameters) -> str:
    wanted = wanted_size(parameters)
    if read_size(wanted).maximum < 1:
        hint = "EKS wants the most to be 1 or more, also where none are wanted: 0/0/1"
        raise InvalidInput(f"{wanted!r} is no size of a node group", field=f"parameters.{PARAMETER}", hint=hint)
    return wanted


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The node group does not exist any more."),)
    wanted = _wanted(parameters)
    if sets_back(parameters):
        return steadiness_refusals(observation) or not_larger(observation, wanted)
    return (*size_refusals(observation, facts), *not_smaller(observation, wanted))


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if sets_back(parameters):
        return ("New machines are started; pods move there as their scheduler decides.",)
    return (
        "Pods of the machines that go are evicted, after 15 minutes also against a pod disruption budget.",
        "We did not check what the pods request: those that fit nowhere else stay pending.",
        "A cluster autoscaler that AWS does not show may set the size again.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    wanted, starts = _wanted(parameters), sets_back(parameters)
    after, before = shown_size(wanted), shown_size(observation.text(FACT))
    return ActWords(
        verb="Scale",
        target=counted(read_size(wanted).desired, "machine"),
        change=f"Machines: {before} → {after}",
        consequence="Machines are started again." if starts else "Machines beyond that are drained and terminated.",
        downtime="None" if starts or read_size(wanted).desired else "Until someone raises the size again",
        undo=f"On a failure it gets its old size again by itself ({before}). Later: set its size back.",
        steps=step_titles("machine", before, after, starts=starts),
        facts=(EvidenceFact("Machines that work", working_now(observation, "machines")),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, size: GroupSize) -> Call:
    config = {"minSize": size.minimum, "desiredSize": size.desired, "maxSize": size.maximum}
    return _UPDATE, {**named(resource.id), "scalingConfig": config}


SETTING: Final = size_setting(
    ID,
    _call,
    "machines",
    "somebody, or a cluster autoscaler, set another size meanwhile",
    Pace(settle=_SETTLE_SECONDS, longest=_LONGEST_SECONDS, poll=_POLL_SECONDS, busy=_BUSY),
    wanted=_wanted,
    settled=lambda _plan, now: now.text("state") == ACTIVE,
)


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    size = read_size(_wanted(parameters))
    if owner.system == "CloudFormation":
        return f"ScalingConfig: MinSize: {size.minimum}, DesiredSize: {size.desired}, MaxSize: {size.maximum}"
    if owner.system == "Terraform":
        return (
            f"scaling_config {{ min_size = {size.minimum}, desired_size = {size.desired}, max_size = {size.maximum} }}"
        )
    return f"Wanted: {shown_size(size.text)}"


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"eks-nodegroup"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="set its size back through EKS",
    effort=Effort.MEDIUM,
    permissions=(_UPDATE,),
    read_permissions=(READ, GROUPS, LIST_ALARMS),
    observe=observe_nodegroup,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=SETTING.plan,
    procedure=SETTING.procedure(found_in("node group", "machine", "machines")),
    statements=on_its_arn,
    # One operation leads there and back: the preflight alone keeps an act from a protected group, and no act is kept
    # from restoring one.
    rights=Rights(rollback=frozenset({_UPDATE}), probes={READ: lambda group: named(f"{group}/x")}),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={PARAMETER: "1/1/4"},
        assumed={"arn": "arn:aws:eks:us-east-1:111111111111:nodegroup/my-cluster/my-group/1", FACT: "2/2/4"},
    ),
    undo=SETTING.undo,
    watch=NODEGROUP_WATCH,
)
