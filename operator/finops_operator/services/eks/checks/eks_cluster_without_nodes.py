"""Clusters on which nothing can run: no node group, no Fargate profile, no Auto Mode and no machine with their tag.

AWS bills the control plane by the hour all the same and publishes no rule for it. A cluster that was made in the last
fourteen days may still get its nodes. Hybrid nodes outside AWS are not seen here, and the evidence says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.window import too_young
from finops_operator.services.eks.cluster import ACTIVE, KubernetesFacts

ID: Final = "eks_cluster_without_nodes"


def _evaluate(facts: Facts[KubernetesFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumAgeDays"]
    reason = _not_judged(facts) or too_young(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"nodeGroups": 0, "fargateProfiles": 0, "machines": 0, "thresholdAgeDays": str(least)},
        summary="Nothing can run on it: it has no node group, no Fargate profile and no machine.",
        facts=(
            EvidenceFact("Node groups, Fargate profiles, machines", "none"),
            EvidenceFact("Kubernetes", facts.own.version or "not known"),
            EvidenceFact("Before it is deleted", "we did not check for hybrid nodes, load balancers and volumes"),
        ),
    )


def _not_judged(facts: Facts[KubernetesFacts]) -> str:
    own = facts.own
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    if own.node_groups is None or own.fargate_profiles is None or own.auto_mode is None:
        return "what it can run pods on is not known"
    if own.node_groups or own.fargate_profiles:
        return f"it has {own.node_groups} node groups and {own.fargate_profiles} Fargate profiles"
    if own.auto_mode:
        return "EKS starts its machines by itself"
    if own.on_outpost:
        return "it stands on an Outpost"
    if own.machines is None:
        return "whether machines carry its tag is not known"
    return f"machines carry its tag: {own.machines}" if own.machines else ""


CHECK: Final = Check(
    id=ID,
    title="EKS cluster without nodes",
    kinds=("eks-cluster",),
    documentation="https://docs.aws.amazon.com/eks/latest/userguide/delete-cluster.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(14),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="A cluster younger than this is left alone.",
        ),
    ),
)
