"""Caches of Redis OSS: Valkey speaks the same protocol and AWS sells its hours for less on the same node.

ElastiCache upgrades a cache of Redis OSS 5.0.6 or later to Valkey in place. The engine is that of a whole group, so
that all of its nodes change together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding
from finops_operator.services.elasticache.cluster import CacheFacts, hour_query
from finops_operator.services.elasticache.judging.alone import group_fact, not_judged
from finops_operator.services.elasticache.rules.node_types import version
from finops_operator.services.elasticache.rules.use import REDIS, VALKEY

ID: Final = "elasticache_cluster_valkey"
_SINCE: Final = (5, 0, 6)


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, region = facts.own, facts.resource.region
    reason = not_judged(facts) or _not_upgraded(own)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    node_type = own.cache_node_type or ""
    change = cheapest(facts, REDIS, (VALKEY,), lambda engine: hour_query(region, node_type, engine), at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, engine=VALKEY))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        "Valkey speaks the protocol of Redis OSS and costs less on the same node.",
        *group_fact(own),
        EvidenceFact("Engine now", f"{REDIS} {own.engine_version or ''}".strip()),
        EvidenceFact("Before the change", "see whether clients and scripts name the engine or its version"),
    )


def _not_upgraded(own: CacheFacts) -> str:
    if own.engine != REDIS:
        return f"its engine is {own.engine}"
    number = version(own.engine_version or "")
    if not number:
        return "its engine version is not known"
    if number < _SINCE[: len(number)]:
        return f"{REDIS} {own.engine_version} cannot become Valkey in place"
    return "its group is replicated to other regions, which change first" if own.global_group else ""


CHECK: Final = Check(
    id=ID,
    title="ElastiCache cluster of Redis OSS",
    kinds=("elasticache-cluster", "elasticache-replication-group"),
    documentation="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    rollback_possible=False,
)
