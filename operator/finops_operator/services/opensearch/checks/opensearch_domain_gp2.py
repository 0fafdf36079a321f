"""Domains whose data nodes have gp2 storage: gp3 costs less by the gigabyte.

The tables hold no price of OpenSearch's own storage, so that the saving is unknown. The change copies all data to a
second set of nodes, and is best made together with another one.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.opensearch.domain import DomainFacts
from finops_operator.services.opensearch.judging.judged import not_judged

ID: Final = "opensearch_domain_gp2"
_OLD: Final = "gp2"


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own = facts.own
    reason = not_judged(facts)
    if not reason and own.volume_type is None:
        reason = "its storage is not known"
    elif not reason and own.volume_type != _OLD:
        reason = f"its storage is {own.volume_type}" if own.volume_type else "its nodes have disks of their own"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    size = "size not known" if own.volume_gb is None else f"{own.volume_gb:,} GiB a node"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"volumeType": _OLD, "volumeGb": own.volume_gb, "dataNodes": own.data_nodes},
        summary="Its data nodes have gp2 storage; gp3 costs less by the gigabyte.",
        facts=(
            EvidenceFact("Storage", f"{_OLD}, {size}, {own.data_nodes} nodes"),
            EvidenceFact("Before the change", "it copies all data to a second set of nodes, which takes hours"),
        ),
        target="gp3",
    )


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain with gp2 storage",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/sizing-domains.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
