"""Caches on node types that AWS calls previous generation and recommends against: a current type costs no more.

The target is the type of the same size in the current family with the same processors. Its memory may be some percent
smaller, so that a cache of Valkey or Redis OSS is only judged while there is room: at most four fifths of the memory
were used. Types without a current one of their size (`cache.m1.small`) are left alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import percent
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.plugins.window import not_measured
from finops_operator.services.elasticache.cluster import CacheFacts, hour_query
from finops_operator.services.elasticache.judging.alone import group_fact, not_judged
from finops_operator.services.elasticache.rules.node_types import PREVIOUS, SUCCESSORS
from finops_operator.services.elasticache.rules.use import MEMCACHED, MEMORY

ID: Final = "elasticache_cluster_previous_generation"
_DAYS: Final = Decimal(7)


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, limit = facts.own, parameters["maximumMemoryPercent"]
    name, engine = own.cache_node_type or "", own.engine or ""
    reason = not_judged(facts) or _not_previous(name) or _no_room(facts, limit)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    region = facts.resource.region
    change = cheapest(
        facts, name, in_families(name, SUCCESSORS), lambda one: hour_query(region, one, engine), at_par=True
    )
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, _with_type(own, change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{name} is of a previous generation; {change.target} is faster and costs "
        f"{'less' if change.cheaper else 'the same'}.",
        *group_fact(own),
        EvidenceFact("Before the change", "see whether AWS offers the type for this engine version"),
    )


def _with_type(own: CacheFacts, node_type: str) -> CacheFacts:
    return CacheFacts(engine=own.engine, nodes=own.nodes, cache_node_type=node_type)


def _not_previous(name: str) -> str:
    family = (*name.split("."), "", "")[1]
    if family not in PREVIOUS:
        return f"{name} is no type of a previous generation"
    return "" if family in SUCCESSORS else f"no current type has the size of {name}"


def _no_room(facts: Facts[CacheFacts], limit: Decimal) -> str:
    if facts.own.engine == MEMCACHED:
        return ""
    reason = not_measured(facts, (MEMORY,), _DAYS)
    memory = facts.utilization.best(MEMORY)
    if reason or memory is None:
        return reason
    if memory.maximum > float(limit):
        return f"{percent(memory.maximum)} of its memory were used, and the new type may have less"
    return ""


CHECK: Final = Check(
    id=ID,
    title="ElastiCache cluster of a previous generation",
    kinds=("elasticache-cluster", "elasticache-replication-group"),
    documentation="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(
        ParameterSpec(
            name="maximumMemoryPercent",
            unit="percent",
            default=Decimal(80),
            minimum=Decimal(10),
            maximum=Decimal(95),
            description="A cache that used more of its memory at any time is left alone.",
            metrics=("memoryPercent",),
        ),
    ),
)
