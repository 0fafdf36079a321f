"""Caches of Redis OSS 4 and 5: AWS's standard support has ended, and extended support is added to every node hour.

A later version of Redis OSS, or Valkey, is not billed it. The dates and the share are those of the page linked below.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.judging.alone import group_fact, not_judged
from finops_operator.services.elasticache.rules.extended_support import ENDED, PREMIUM, in_extended_support
from finops_operator.services.elasticache.rules.node_types import version
from finops_operator.services.elasticache.rules.use import REDIS

ID: Final = "elasticache_cluster_extended_support"
_SUPPORTED: Final = "7.1"


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    reason = not_judged(facts)
    if not reason and own.engine == REDIS and not version(own.engine_version or ""):
        reason = "its engine version is not known"
    elif not reason and not in_extended_support(own.engine, own.engine_version):
        reason = f"AWS bills no extended support for {own.engine} {own.engine_version}"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    major = version(own.engine_version or "")[0]
    upgraded = with_facts(facts.resource, replace(own, engine_version=_SUPPORTED))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(upgraded).unrounded_monthly,
        evidence={
            "majorVersion": major,
            "standardSupportEnded": ENDED[major].isoformat(),
            "shareOfNodeHour": str(PREMIUM),
        },
        summary=f"Standard support of {REDIS} {major} ended on {ENDED[major]}; since then AWS adds {PREMIUM:.0%} to "
        "every node hour.",
        facts=(
            EvidenceFact("Version", f"{REDIS} {own.engine_version}"),
            EvidenceFact("Standard support ended", f"{ENDED[major]}"),
            *group_fact(own),
            EvidenceFact("Instead", "a later version of Redis OSS, or Valkey, which costs less"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="ElastiCache cluster in extended support",
    kinds=("elasticache-cluster", "elasticache-replication-group"),
    documentation="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    rollback_possible=False,
)
