"""EKS node groups whose machines do next to nothing: AWS bills them as instances all the same.

AWS Compute Optimizer calls an Auto Scaling group idle when no member's CPU peaks at 5 % in fourteen days and next to
nothing crosses the network. The agents of Kubernetes themselves use more of the network than it allows, so the limit
for each machine is higher, and ours; of CPU the rarest half percent of the time is left out for updates of those
agents. Memory is not read, nor which pods run there, which is Kubernetes' to say and is to be seen before the group is
made smaller. The saving is the cost of its machines.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import gauge_facts, peak_sentence, percent, window_fact
from finops_operator.plugins.members_saving import smaller_group
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries
from finops_operator.services.eks.judging.node_cpu import PERCENTILE, node_cpu
from finops_operator.services.eks.nodegroup import NODE_CPU, NODE_NETWORK, NodeGroupFacts

ID: Final = "eks_nodegroup_idle"
_ACTION: Final = "eks_nodegroup_resize"
_MEGABYTE: Final = 1_000_000


def _evaluate(facts: Facts[NodeGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, most = parameters["maximumCpuPercent"], parameters["maximumNetworkMegabytesPerDay"]
    cpu = node_cpu(facts, parameters["minimumIdleDays"])
    daily = _megabytes_per_machine(facts, parameters["minimumIdleDays"]) if not isinstance(cpu, str) else cpu
    if not isinstance(cpu, str) and cpu.p99_5 >= limit:
        cpu = f"CPU of its busiest machine reached {percent(cpu.p99_5)}, idle is below {limit} %"
    if not isinstance(daily, str) and daily >= most:
        daily = f"network carried {figure(daily, 1)} MB for each machine on its busiest day, idle is below {most} MB"
    if isinstance(cpu, str) or isinstance(daily, str):
        return NotRecommended(ID, facts.resource.id, cpu if isinstance(cpu, str) else str(daily))
    own, smaller = facts.own, smaller_group(facts.cost, facts.own.desired_size, 0)
    return Finding(
        check=ID,
        action=_ACTION if own.maximum_size else "",
        parameters={"size": f"0/0/{own.maximum_size}"} if own.maximum_size else {},
        new_monthly_cost=smaller.monthly,
        unpriced=smaller.unknown,
        evidence={
            "machines": own.desired_size,
            "minimumSize": own.minimum_size,
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdCpuPercent": str(limit),
            "busiestDayNetworkMegabytesPerMachine": figure(daily),
            "thresholdNetworkMegabytesPerDay": str(most),
            "thresholdIdleDays": str(parameters["minimumIdleDays"]),
            **coverage_evidence(cpu),
        },
        summary=f"Its {own.desired_size} machines do next to nothing. {peak_sentence('CPU', cpu, PERCENTILE)}; "
        f"network at most {figure(daily, 1)} MB a day for each machine.",
        facts=(
            EvidenceFact("Cluster", own.cluster or "not known"),
            EvidenceFact("Machines", f"{own.desired_size} of {', '.join(own.instance_types or ()) or 'a template'}"),
            *gauge_facts("CPU of the busiest machine", cpu, PERCENTILE),
            EvidenceFact("Network for each machine, busiest day", f"{figure(daily, 1)} MB; idle is below {most} MB"),
            window_fact(cpu),
            smaller.fact,
            EvidenceFact("Not read", "memory"),
            EvidenceFact("Before the change", "see which pods beside those of DaemonSets run there"),
            EvidenceFact("How to change it", "set its sizes to zero through EKS, not in its Auto Scaling group"),
        ),
    )


def _megabytes_per_machine(facts: Facts[NodeGroupFacts], least: Decimal) -> float | str:
    """Return the traffic of the busiest day for each machine, or why it is not known."""
    reason = days_unseen(facts, (NODE_CPU, *NODE_NETWORK), least)
    if reason:
        return reason
    days = (one.busiest_day for one in summaries(facts, NODE_NETWORK))
    total = sum(math.inf if day is None else day for day in days)
    return total / (facts.own.desired_size or 1) / _MEGABYTE


CHECK: Final = Check(
    id=ID,
    title="Idle EKS node group",
    kinds=("eks-nodegroup",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=True,
    parameters=(
        idle_days("A node group"),
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(1),
            maximum=Decimal(20),
            description="A node group whose busiest machine reaches this, leaving out 0.5 % of the time, is not idle.",
            metrics=("nodeCpuPercent",),
        ),
        ParameterSpec(
            name="maximumNetworkMegabytesPerDay",
            unit="megabytes",
            default=Decimal(1000),
            minimum=Decimal(1),
            maximum=Decimal(100_000),
            description="A node group whose network carries this for each machine on its busiest day is not idle.",
        ),
    ),
)
