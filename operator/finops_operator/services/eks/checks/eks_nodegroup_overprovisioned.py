"""EKS node groups that stand at a smallest size above what the CPU of their machines needs.

The Cluster Autoscaler takes machines away that pods leave empty, but never below the smallest size. Where a group
stands there and its busiest machine stays below 40 % of CPU, fewer machines hold the work with 20 % free, as AWS
Compute Optimizer keeps it; at least two stay. What pods request of memory and CPU decides where they fit, and AWS does
not know it: this is advice, to be compared with the requests. The saving is the cost of its cheapest machines.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.fleet_size import busy_after, enough_machines
from finops_operator.plugins.measured import about_percent, gauge_facts, peak_sentence, percent, window_fact
from finops_operator.plugins.members_saving import smaller_group
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days
from finops_operator.services.eks.judging.node_cpu import PERCENTILE, node_cpu
from finops_operator.services.eks.nodegroup import NodeGroupFacts

ID: Final = "eks_nodegroup_overprovisioned"
_ACTION: Final = "eks_nodegroup_resize"


def _evaluate(facts: Facts[NodeGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, limit = facts.own, parameters["maximumCpuPercent"]
    cpu = node_cpu(facts, parameters["minimumMeasuredDays"])
    smallest, desired = own.minimum_size or 0, own.desired_size or 0
    reason = cpu if isinstance(cpu, str) else _enough(smallest, desired, cpu, limit)
    if reason or isinstance(cpu, str):
        return NotRecommended(ID, facts.resource.id, reason)
    enough = enough_machines(smallest, cpu.p99_5)
    smaller = smaller_group(facts.cost, desired, enough)
    return Finding(
        check=ID,
        action=_ACTION if own.maximum_size else "",
        parameters={"size": f"{enough}/{enough}/{own.maximum_size}"} if own.maximum_size else {},
        new_monthly_cost=smaller.monthly,
        unpriced=smaller.unknown,
        evidence={
            "minimumSize": smallest,
            "desiredSize": desired,
            "enough": enough,
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdCpuPercent": str(limit),
            **coverage_evidence(cpu),
        },
        summary=f"It cannot shrink below {smallest} machines. {peak_sentence('CPU', cpu, PERCENTILE)}: "
        f"{enough} hold that.",
        facts=(
            EvidenceFact("Cluster", own.cluster or "not known"),
            EvidenceFact("Smallest, desired and largest size", f"{smallest}, {desired}, {own.maximum_size}"),
            *gauge_facts("CPU of the busiest machine", cpu, PERCENTILE),
            window_fact(cpu),
            smaller.fact,
            EvidenceFact("Not known", "what its pods request, and the memory that they use"),
            EvidenceFact("How to change it", "set a lower smallest size through EKS, not in its Auto Scaling group"),
        ),
        target=f"minimum {enough}",
        expectation=f"Expected CPU about {about_percent(busy_after(smallest, enough, cpu.p99_5))}.",
    )


def _enough(smallest: int, desired: int, cpu: MetricSummary, limit: Decimal) -> str:
    """Return why its smallest size is right or does not matter, empty when it is too large."""
    if desired > smallest:
        return f"it has {desired} machines and may go down to {smallest} by itself"
    if cpu.p99_5 >= limit:
        return f"CPU of its busiest machine reached {percent(cpu.p99_5)}, the limit is {limit} %"
    if enough_machines(smallest, cpu.p99_5) >= smallest:
        return f"its smallest size of {smallest} is enough and no more"
    return ""


CHECK: Final = Check(
    id=ID,
    title="Over-provisioned EKS node group",
    kinds=("eks-nodegroup",),
    documentation="https://docs.aws.amazon.com/eks/latest/userguide/update-managed-node-group.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=True,
    parameters=(
        measured_days("the CPU of its machines"),
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(40),
            minimum=Decimal(1),
            maximum=Decimal(80),
            description="A group whose busiest machine reaches this, leaving out 0.5 % of the time, stays as it is.",
            metrics=("nodeCpuPercent",),
        ),
    ),
)
