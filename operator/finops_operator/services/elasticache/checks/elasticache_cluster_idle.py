"""Caches that nobody reads or writes: AWS bills the hours of their nodes all the same.

Compute Optimizer judges fourteen days by commands, hits and connections and does not publish its limits. Here a cache
is idle when not a single command was served and no more connections were open than AWS holds itself: four to six on
Valkey and Redis OSS. Memcached counts connections of its own threads, so there the commands decide alone. A node of a
group with others may wait for the day that it is needed; the group is judged by `elasticache_replication_group_idle`.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.judging.final_snapshot import UNKNOWN_COST
from finops_operator.services.elasticache.judging.idle import PARAMETERS, idle

ID: Final = "elasticache_cluster_idle"
_ACTION: Final = "elasticache_cluster_delete"


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    return idle(ID, _ACTION, facts, parameters)


CHECK: Final = Check(
    id=ID,
    title="Idle ElastiCache cluster",
    kinds=("elasticache-cluster",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    saving_unknown=UNKNOWN_COST,
    action=_ACTION,
    rollback_possible=False,
    destructive=True,
    parameters=PARAMETERS,
)
