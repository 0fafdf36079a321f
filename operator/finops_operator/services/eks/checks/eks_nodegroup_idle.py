"""EKS node groups whose machines do next to nothing: AWS bills them as instances all the same.

AWS Compute Optimizer calls an Auto Scaling group idle when no member's CPU peaks at 5 % in fourteen days and next to
nothing crosses the network; the agents of Kubernetes themselves use more of the network than that, so that the CPU
decides alone, with the rarest half percent of the time left out for updates of those agents. Which pods run there is
Kubernetes' to say, and is to be seen before the group is made smaller. The saving is the machines' cost, which is
listed with them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import gauge_facts, peak_sentence, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import idle_days
from finops_operator.services.eks.judging.node_cpu import PERCENTILE, node_cpu
from finops_operator.services.eks.nodegroup import NodeGroupFacts

ID: Final = "eks_nodegroup_idle"


def _evaluate(facts: Facts[NodeGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit = parameters["maximumCpuPercent"]
    cpu = node_cpu(facts, parameters["minimumIdleDays"])
    if not isinstance(cpu, str) and cpu.p99_5 >= limit:
        cpu = f"CPU of its busiest machine reached {percent(cpu.p99_5)}, idle is below {limit} %"
    if isinstance(cpu, str):
        return NotRecommended(ID, facts.resource.id, cpu)
    own = facts.own
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "machines": own.desired_size,
            "minimumSize": own.minimum_size,
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdCpuPercent": str(limit),
            "thresholdIdleDays": str(parameters["minimumIdleDays"]),
            **coverage_evidence(cpu),
        },
        summary=f"Its {own.desired_size} machines do next to nothing. {peak_sentence('CPU', cpu, PERCENTILE)}.",
        facts=(
            EvidenceFact("Cluster", own.cluster or "not known"),
            EvidenceFact("Machines", f"{own.desired_size} of {', '.join(own.instance_types or ()) or 'a template'}"),
            *gauge_facts("CPU of the busiest machine", cpu, PERCENTILE),
            window_fact(cpu),
            EvidenceFact("Before the change", "see which pods beside those of DaemonSets run there"),
            EvidenceFact("How to change it", "set its sizes to zero through EKS, not in its Auto Scaling group"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle EKS node group",
    kinds=("eks-nodegroup",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        idle_days("A node group"),
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(1),
            maximum=Decimal(20),
            description="A node group whose busiest machine reaches this, leaving out 0.5 % of the time, is not idle.",
        ),
    ),
)
