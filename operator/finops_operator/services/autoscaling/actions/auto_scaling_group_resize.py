"""Let an Auto Scaling group want fewer instances, and keep it within new bounds. Those beyond are terminated.

Parameter: `size`, the fewest, the wanted and the most members (`1/2/4`), fewer than now; with `setBack` it undoes an
earlier act. One call sets all three. AWS terminates the members beyond in its own time: a load balancer drains them
first, a lifecycle hook may hold them. Whatever else would set the size, or keeps members, refuses: scaling policies and
scheduled actions, suspended processes, an instance refresh, a warm pool, protection from scale-in, a cluster. Source:
Amazon EC2 Auto Scaling API reference, UpdateAutoScalingGroup; user guide, "Scaling limits", "Control which Auto Scaling
instances terminate during scale in".
"""

from __future__ import annotations

from typing import Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.quantity import counted
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
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
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.autoscaling.rules.group_observation import (
    POLICIES,
    READ,
    REFRESHES,
    SCHEDULED,
    observe_group,
    steadiness_refusals,
    tag_and_state_refusals,
)
from finops_operator.services.autoscaling.rules.group_targets import PERMISSION as TARGET_HEALTH
from finops_operator.services.autoscaling.rules.group_targets import targets_of
from finops_operator.services.autoscaling.rules.group_watch import GROUP_WATCH

ID: Final = "auto_scaling_group_resize"
_UPDATE: Final = "autoscaling:UpdateAutoScalingGroup"
_BUSY: Final = frozenset({"ScalingActivityInProgress", "ResourceContention"})
_SETTLE_SECONDS: Final = 120.0
"""How long a new size may stay invisible before a person is called; it may still come after it."""
_LONGEST_SECONDS: Final = 5400.0
"""Of starting or terminating members before a person is called: a load balancer may drain one for an hour."""
_POLL_SECONDS: Final = 15.0


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the group; with `target.full` also how its target groups find its members."""
    now = observe_group(reader, target)
    if not target.full or not now.exists:
        return now
    return Observation(True, now.fingerprint, {**now.facts, **targets_of(reader, target.resource.id)})


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


def _call(resource: ResourceRef, size: GroupSize) -> Call:
    return _UPDATE, {
        "AutoScalingGroupName": resource.id,
        "MinSize": size.minimum,
        "DesiredCapacity": size.desired,
        "MaxSize": size.maximum,
    }


SETTING: Final = size_setting(
    ID,
    _call,
    "inService",
    "somebody set another size meanwhile",
    Pace(settle=_SETTLE_SECONDS, longest=_LONGEST_SECONDS, poll=_POLL_SECONDS, busy=_BUSY),
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
    read_permissions=(READ, POLICIES, SCHEDULED, REFRESHES, TARGET_HEALTH, *WATCH_READS),
    observe=_observe,
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
    watch=GROUP_WATCH,
)
