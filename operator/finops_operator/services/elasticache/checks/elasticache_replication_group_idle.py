"""Replication groups of several nodes that nobody reads or writes: AWS bills the hours of every node all the same.

The rule is that of `elasticache_cluster_idle`, over all nodes: not a single command on any, and on none more
connections than AWS holds itself. A node whose metrics are missing leaves the group without a verdict.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.judging.final_snapshot import UNKNOWN_COST
from finops_operator.services.elasticache.judging.idle import PARAMETERS, idle

ID: Final = "elasticache_replication_group_idle"
_ACTION: Final = "elasticache_replication_group_delete"
_ALL: Final = EvidenceFact("Deleted together", "all of its nodes, replicas and shards among them")


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    return idle(ID, _ACTION, facts, parameters, (_ALL,))


CHECK: Final = Check(
    id=ID,
    title="Idle ElastiCache replication group",
    kinds=("elasticache-replication-group",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    saving_unknown=UNKNOWN_COST,
    action=_ACTION,
    rollback_possible=False,
    destructive=True,
    parameters=PARAMETERS,
)
