"""Auto Scaling groups that cannot scale although half of their instances would do.

Smallest, largest and desired size are the same, two or more, and the CPU of all members together stays below 40 %: half
of them would stay below AWS's own right-sizing limit of 80 %. A group of one is a way to have an instance replaced, as
AWS advises, and is left alone. The figure is ours; the saving is the cost of its cheapest instances.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import gauge_facts, peak_sentence, window_fact
from finops_operator.plugins.members_saving import smaller_group
from finops_operator.plugins.sufficiency import coverage_evidence, figure, insufficient
from finops_operator.services.autoscaling.auto_scaling_group import POPULATED, GroupFacts

ID: Final = "auto_scaling_group_fixed_size"
_ACTION: Final = "auto_scaling_group_resize"
_METRIC: Final = "groupCpuPercent"
_PERCENTILE: Final = "p99_5"
_FEWEST: Final = 2
_NODE_GROUP: Final = "eks:nodegroup-name"


def _evaluate(facts: Facts[GroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit = parameters["maximumCpuPercent"]
    reason = _not_fixed(facts) or insufficient(facts.utilization, _METRIC, facts.settings)
    cpu = facts.utilization.best(_METRIC)
    if reason or cpu is None:
        return NotRecommended(ID, facts.resource.id, reason)
    if cpu.p99_5 >= limit:
        reason = f"CPU of its instances reached {figure(cpu.p99_5)} %, the limit is {limit} %"
        return NotRecommended(ID, facts.resource.id, reason)
    size = facts.own.desired_capacity or 0
    # Half of an odd number is rounded up: that many hold the work with the limit kept.
    half = -(-size // 2)
    judged_alone = facts.own.weighted is False and _NODE_GROUP not in facts.resource.tags
    smaller = smaller_group(facts.cost, size, half, by_capacity=facts.own.weighted)
    return Finding(
        check=ID,
        action=_ACTION if judged_alone else "",
        parameters={"size": f"{half}/{half}/{half}"} if judged_alone else {},
        new_monthly_cost=smaller.monthly,
        unpriced=smaller.unknown,
        evidence={
            "size": size,
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdCpuPercent": str(limit),
            **coverage_evidence(cpu),
        },
        summary=f"It always has {size} instances. {peak_sentence('CPU', cpu, _PERCENTILE)}.",
        facts=(
            EvidenceFact("Smallest, desired and largest size", str(size)),
            *gauge_facts("CPU", cpu, _PERCENTILE),
            window_fact(cpu),
            smaller.fact,
        ),
    )


def _not_fixed(facts: Facts[GroupFacts]) -> str:
    own = facts.own
    if facts.resource.state != POPULATED:
        return f"it is {facts.resource.state}"
    if own.min_size is None or own.max_size is None or own.desired_capacity is None:
        return "its size is not known"
    if not own.min_size == own.max_size == own.desired_capacity:
        return "it may scale"
    return "it has a single instance, which it replaces" if own.desired_capacity < _FEWEST else ""


CHECK: Final = Check(
    id=ID,
    title="Auto Scaling group of a fixed size",
    kinds=("auto-scaling-group",),
    documentation="https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-capacity-limits.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=True,
    destructive=False,
    parameters=(
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(40),
            minimum=Decimal(1),
            maximum=Decimal(80),
            description="A group whose CPU stays below this 99.5 % of the time could do with fewer instances.",
            metrics=("groupCpuPercent",),
        ),
    ),
)
