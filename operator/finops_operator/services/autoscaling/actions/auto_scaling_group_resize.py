"""Let an Auto Scaling group want fewer instances, and keep it within new bounds. Those beyond are terminated.

Parameter: `size`, the fewest, the wanted and the most members (`1/2/4`), fewer than now; with `setBack` it undoes an
earlier act. One call sets all three. AWS terminates the members beyond in its own time: a load balancer drains them
first, a lifecycle hook may hold them. Whatever else would set the size, or keeps members, refuses: scaling policies and
scheduled actions, suspended processes, an instance refresh, a warm pool, protection from scale-in, a cluster. Source:
Amazon EC2 Auto Scaling API reference, UpdateAutoScalingGroup; user guide, "Scaling limits", "Control which Auto Scaling
instances terminate during scale in".
"""

from __future__ import annotations

from typing import Any, Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.quantity import counted
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
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
from finops_operator.plugins.deletion import on_its_arn
from finops_operator.plugins.group_size import (
    FACT,
    PARAMETER,
    checked,
    found_in,
    not_larger,
    not_smaller,
    read_size,
    shown_size,
    step_titles,
    wanted_size,
    working_now,
)
from finops_operator.plugins.number_setting import Call, NumberSetting, Others, Pace, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.services.autoscaling.rules.group_observation import (
    POLICIES,
    READ,
    REFRESHES,
    SCHEDULED,
    observe_group,
    steadiness_refusals,
    tag_and_state_refusals,
)

ID: Final = "auto_scaling_group_resize"
_UPDATE: Final = "autoscaling:UpdateAutoScalingGroup"
_BUSY: Final = frozenset({"ScalingActivityInProgress", "ResourceContention"})
_SETTLE_SECONDS: Final = 120.0
"""How long a new size may stay invisible before a person is called; it may still come after it."""
_LONGEST_SECONDS: Final = 5400.0
"""Of starting or terminating members before a person is called: a load balancer may drain one for an hour."""
_POLL_SECONDS: Final = 15.0


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The group does not exist any more."),)
    wanted = wanted_size(parameters)
    if sets_back(parameters):
        return steadiness_refusals(observation) or not_larger(observation, wanted)
    return (*tag_and_state_refusals(observation, facts), *not_smaller(observation, wanted))


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if sets_back(parameters):
        return ("New instances are started from its template as it is now.",)
    none = read_size(wanted_size(parameters)).desired == 0
    return (
        "Nothing of it runs afterwards." if none else "The members that stay take the work of all.",
        "What a terminated instance kept on its own disks is lost; AWS chooses which ones go.",
        "We did not check whether it must hold the work of another zone that fails.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    wanted, starts = wanted_size(parameters), sets_back(parameters)
    after, before = shown_size(wanted), shown_size(observation.text(FACT))
    return ActWords(
        verb="Scale",
        target=counted(read_size(wanted).desired, "member"),
        change=f"Members: {before} → {after}",
        consequence="Instances are started again." if starts else "The members beyond that number are terminated.",
        downtime="None" if starts or read_size(wanted).desired else "Until someone raises the size again",
        undo=f"On a failure it gets its old size again by itself ({before}). Later: set its size back.",
        steps=step_titles("member", before, after, starts=starts),
        facts=(EvidenceFact("Members that work", working_now(observation, "inService")),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, wanted: Any) -> Call:
    size = read_size(str(wanted))
    return _UPDATE, {
        "AutoScalingGroupName": resource.id,
        "MinSize": size.minimum,
        "DesiredCapacity": size.desired,
        "MaxSize": size.maximum,
    }


def _has(now: Observation, wanted: str) -> bool:
    """Return whether the members are those of a size, all of them at work."""
    size = read_size(wanted).desired
    return now.facts.get("members") == size == now.facts.get("inService")


def _scaled(plan: Plan, now: Observation) -> bool:
    return _has(now, wanted_size(plan.parameters))


def _as_before(plan: Plan, now: Observation) -> bool:
    """How many members work of somebody else's size is theirs to watch."""
    return not SETTING.is_old(plan, now) or _has(now, str(SETTING.old(plan)))


SETTING: Final = NumberSetting(
    action=ID,
    parameter=PARAMETER,
    fact=FACT,
    identity="arn",
    label="size",
    shown=shown_size,
    steps=("set_size", "wait_scaled"),
    wanted=wanted_size,
    call=_call,
    others=Others(
        set="somebody set another size meanwhile",
        replaced="it was deleted, and somebody made another one under its name",
    ),
    pace=Pace(settle=_SETTLE_SECONDS, longest=_LONGEST_SECONDS, poll=_POLL_SECONDS, busy=_BUSY),
    applied=_scaled,
    restored=_as_before,
    read=checked,
)


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    size = read_size(wanted_size(parameters))
    if owner.system == "CloudFormation":
        return f"Properties: MinSize: {size.minimum}, DesiredCapacity: {size.desired}, MaxSize: {size.maximum}"
    if owner.system == "Terraform":
        return f"min_size = {size.minimum}, desired_capacity = {size.desired}, max_size = {size.maximum}"
    return f"Wanted: {shown_size(size.text)}"


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"auto-scaling-group"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="set its size back",
    effort=Effort.MEDIUM,
    permissions=(_UPDATE,),
    read_permissions=(READ, POLICIES, SCHEDULED, REFRESHES),
    observe=observe_group,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=SETTING.plan,
    procedure=SETTING.procedure(found_in("group", "member", "inService")),
    statements=on_its_arn,
    # One operation leads there and back: the preflight alone keeps an act from a protected group, and no act is kept
    # from restoring one.
    rights=Rights(
        rollback=frozenset({_UPDATE}),
        probes={REFRESHES: lambda group: {"AutoScalingGroupName": group}},
    ),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={PARAMETER: "1/1/4"},
        assumed={
            "arn": "arn:aws:autoscaling:us-east-1:111111111111:"
            "autoScalingGroup:930d940e-891e-4781-a11a-7b0acd480f03:autoScalingGroupName/my-group",
            FACT: "1/2/4",
        },
    ),
    undo=SETTING.undo,
)
