"""Auto Scaling groups that may scale and stand at a smallest size above what their work needs.

A group never scales in below its smallest size. Where it stands there and its busiest member stays below 40 % of CPU,
fewer members hold the work with 20 % free, as AWS Compute Optimizer keeps it; at least two stay. Memory and other
measures of a group are not published, and how many members it had before is not known: this is advice, and the saving
is the cost of its cheapest members. Groups with accelerators, and those whose types count with different
weights, are not judged. A fixed size is the affair of `auto_scaling_group_fixed_size`, a node group's that of
`eks_nodegroup_overprovisioned`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.fleet_size import busy_after, enough_machines
from finops_operator.plugins.measured import about_percent, gauge_facts, peak_sentence, percent, window_fact
from finops_operator.plugins.members_saving import smaller_group
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.unmeasured_work import not_by_cpu
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.autoscaling.auto_scaling_group import POPULATED, GroupFacts

ID: Final = "auto_scaling_group_overprovisioned"
_ACTION: Final = "auto_scaling_group_resize"
_METRIC: Final = "groupCpuPercent"
_PERCENTILE: Final = "p99_5"
_NODE_GROUP: Final = "eks:nodegroup-name"


def _evaluate(facts: Facts[GroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, days = parameters["maximumCpuPercent"], parameters["minimumMeasuredDays"]
    reason = _not_judged(facts) or too_young(facts, days) or not_measured(facts, (_METRIC,), days)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (cpu,) = summaries(facts, (_METRIC,))
    smallest = facts.own.min_size or 0
    enough = enough_machines(smallest, cpu.p99_5)
    if cpu.p99_5 >= limit:
        reason = f"CPU of its busiest member reached {percent(cpu.p99_5)}, the limit is {limit} %"
    elif enough >= smallest:
        reason = f"its smallest size of {smallest} is enough and no more"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    smaller = smaller_group(facts.cost, facts.own.desired_capacity, enough)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"size": f"{enough}/{enough}/{facts.own.max_size}"},
        new_monthly_cost=smaller.monthly,
        unpriced=smaller.unknown,
        evidence={
            "minimumSize": smallest,
            "desiredCapacity": facts.own.desired_capacity,
            "enough": enough,
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdCpuPercent": str(limit),
            **coverage_evidence(cpu),
        },
        summary=f"It cannot scale in below {smallest} members. {peak_sentence('CPU', cpu, _PERCENTILE)}: "
        f"{enough} hold that.",
        facts=(
            EvidenceFact("Smallest, desired and largest size", f"{smallest}, {smallest}, {facts.own.max_size}"),
            EvidenceFact("Enough", f"{enough} members, at least two"),
            *gauge_facts("CPU of the busiest member", cpu, _PERCENTILE),
            window_fact(cpu),
            smaller.fact,
            EvidenceFact("Not known", "memory, and how many members it had in that time"),
            EvidenceFact("How to change it", "set a lower smallest size, in the template that made the group if any"),
        ),
        target=f"minimum {enough}",
        expectation=f"Expected CPU at most about {about_percent(busy_after(smallest, enough, cpu.p99_5))}.",
    )


def _not_judged(facts: Facts[GroupFacts]) -> str:
    own = facts.own
    if facts.resource.state != POPULATED:
        return f"it is {facts.resource.state}"
    if _NODE_GROUP in facts.resource.tags:
        return "it belongs to a node group of EKS, which is judged itself"
    if own.min_size is None or own.max_size is None or own.desired_capacity is None:
        return "its size is not known"
    if own.min_size == own.max_size:
        return "its size is fixed"
    if own.desired_capacity > own.min_size:
        return f"it has {own.desired_capacity} members and may go down to {own.min_size} by itself"
    if own.weighted is not False:
        return "its size counts capacity and not members" if own.weighted else "how its size counts is not known"
    return not_by_cpu(own.instance_types or ())


CHECK: Final = Check(
    id=ID,
    title="Over-provisioned Auto Scaling group",
    kinds=("auto-scaling-group",),
    documentation="https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=True,
    parameters=(
        measured_days("the CPU of its members"),
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(40),
            minimum=Decimal(1),
            maximum=Decimal(80),
            description="A group whose busiest member reaches this, leaving out 0.5 % of the time, stays as it is.",
        ),
    ),
)
