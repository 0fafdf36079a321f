"""Caches on x86 nodes: the Graviton type of the same size and memory costs less, and clients see no difference.

A cache speaks the same protocol on either processor, so that nothing but the node type changes. AWS offers Graviton
from Redis OSS 5.0.6 and Memcached 1.5.16 on, and for all versions of Valkey.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.services.elasticache.cluster import CacheFacts, hour_query
from finops_operator.services.elasticache.judging.alone import group_fact, not_judged
from finops_operator.services.elasticache.rules.node_types import GRAVITON, GRAVITON_SINCE, version

ID: Final = "elasticache_cluster_graviton"


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    name, engine = own.cache_node_type or "", own.engine or ""
    targets = in_families(name, GRAVITON)
    reason = not_judged(facts) or ("" if targets else f"no Graviton type takes the place of {name}")
    reason = reason or _too_old(engine, own.engine_version or "")
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    region = facts.resource.region
    change = cheapest(facts, name, targets, lambda one: hour_query(region, one, engine), at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, cache_node_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{change.target} runs on Graviton, has as much memory as {name} and costs less.",
        *group_fact(own),
        EvidenceFact("Clients", "need no change; connections are made anew"),
    )


def _too_old(engine: str, text: str) -> str:
    since, own = GRAVITON_SINCE.get(engine), version(text)
    if since is None or not own:
        return "its engine version is not known"
    if own < since[: len(own)]:
        return f"{engine} {text} does not run on Graviton, {'.'.join(map(str, since))} does"
    return ""


CHECK: Final = Check(
    id=ID,
    title="ElastiCache cluster without Graviton",
    kinds=("elasticache-cluster", "elasticache-replication-group"),
    documentation="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
)
