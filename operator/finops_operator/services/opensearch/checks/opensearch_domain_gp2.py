"""Domains whose data nodes have gp2 storage: gp3 costs less by the gigabyte.

gp3 of the same size includes as many operations as gp2 keeps up, and as many bytes, but for 3 MiB a second of disks up
to 170 GiB. OpenSearch's own storage has a price in AWS's price list alone: without it the saving is unknown. The change
copies all data to a second set of nodes, and is best made together with another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.services.opensearch.domain import DomainFacts
from finops_operator.services.opensearch.judging.judged import not_judged
from finops_operator.services.opensearch.rules.included import included, of_gp2

ID: Final = "opensearch_domain_gp2"
_OLD: Final = "gp2"
_NEW: Final = "gp3"


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    reason = not_judged(facts)
    if not reason and own.volume_type is None:
        reason = "its storage is not known"
    elif not reason and own.volume_type != _OLD:
        reason = f"its storage is {own.volume_type}" if own.volume_type else "its nodes have disks of their own"
    after = None if reason else _as_gp3(facts)
    saved = None if after is None or facts.cost.unrounded_monthly is None else facts.cost.unrounded_monthly - after
    if saved is not None and saved <= 0:
        reason = "gp3 costs no less there"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    size = "size not known" if own.volume_gb is None else f"{own.volume_gb:,} GiB a node"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=after,
        evidence={"volumeType": _OLD, "volumeGb": own.volume_gb, "dataNodes": own.data_nodes},
        summary="Its data nodes have gp2 storage; gp3 costs less by the gigabyte.",
        facts=(
            EvidenceFact("Storage", f"{_OLD}, {size}, {own.data_nodes} nodes"),
            *_speeds(own),
            EvidenceFact("Before the change", "it copies all data to a second set of nodes, which takes hours"),
        ),
        target=_NEW,
    )


def _as_gp3(facts: Facts[DomainFacts]) -> Decimal | None:
    """Return what it costs a month with gp3 disks of the same size, as fast as that includes."""
    size = facts.own.volume_gb
    if size is None:
        return None
    free = included(size)
    changed = replace(facts.own, volume_type=_NEW, volume_iops=free.iops, volume_throughput=free.throughput)
    return facts.cost_of(with_facts(facts.resource, changed)).unrounded_monthly


def _speeds(own: DomainFacts) -> Iterator[EvidenceFact]:
    if own.volume_gb is not None:
        now, then = of_gp2(own.volume_gb), included(own.volume_gb)
        yield EvidenceFact("IOPS of a disk", f"{now.iops:,} → {then.iops:,}")
        yield EvidenceFact("Throughput of a disk", f"{now.throughput} → {then.throughput} MiB/s")


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain with gp2 storage",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/sizing-domains.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
