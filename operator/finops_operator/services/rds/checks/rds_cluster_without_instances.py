"""Clusters without a single instance: nothing can connect to them, and AWS bills their storage and backups.

AWS publishes no rule for it; a cluster is left alone for some days after it was made, because instances are added to it
afterwards. The secondary clusters of a global database are kept without instances on purpose, and Aurora Serverless v1
has none. The storage is billed by use, so that what would be saved is unknown until it is counted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.window import too_young
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.judging.dependants import AVAILABLE, depended_upon
from finops_operator.services.rds.rules.clusters import SERVERLESS_MODE

ID: Final = "rds_cluster_without_instances"


def _evaluate(facts: Facts[ClusterFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumAgeDays"]
    reason = _not_judged(facts) or too_young(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"instances": 0, "thresholdAgeDays": str(least)},
        summary="It has no instance, so that nothing can connect to it; its storage is billed all the same.",
        facts=(
            EvidenceFact("Instances", "none"),
            EvidenceFact("Engine", f"{facts.own.engine} {facts.own.engine_version or ''}".strip()),
            EvidenceFact("Before it is deleted", "make a final snapshot; its automated backups are deleted with it"),
        ),
    )


def _not_judged(facts: Facts[ClusterFacts]) -> str:
    own = facts.own
    if facts.resource.state != AVAILABLE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {AVAILABLE}"
    if own.members is None:
        return "its instances are not known"
    if own.members:
        return f"it has {len(own.members)} instances"
    if own.engine_mode == SERVERLESS_MODE:
        return "it is serverless and has no instances of its own"
    return depended_upon(own)


CHECK: Final = Check(
    id=ID,
    title="RDS cluster without instances",
    kinds=("rds-cluster",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(7),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="A cluster younger than this is left alone.",
        ),
    ),
)
