"""Domains on instance types that AWS calls previous generation: a current type of the size costs no more.

The target is the type of the same size in the current family with the same processors. Master and warm nodes are not
judged. Sizes without a current one (`m3.medium.search`, `t2.micro.search`) have no price to compare and are left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.services.opensearch.domain import DomainFacts, hour_query
from finops_operator.services.opensearch.judging.judged import not_judged
from finops_operator.services.opensearch.rules.instance_types import NEEDED, PREVIOUS, SUCCESSORS, too_old

ID: Final = "opensearch_domain_previous_generation"


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, region = facts.own, facts.resource.region
    name = own.instance_type or ""
    reason = not_judged(facts) or _not_concerned(own)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    change = cheapest(facts, name, in_families(name, SUCCESSORS), lambda one: hour_query(region, one), at_par=True)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, instance_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{name} is of a previous generation; {change.target} is faster and costs "
        f"{'less' if change.cheaper else 'the same'}.",
        EvidenceFact("Data nodes", f"{own.data_nodes}, changed with a second set of nodes beside them"),
        EvidenceFact("Before the change", "see whether AWS offers the type in the region, and run its dry run"),
    )


def _not_concerned(own: DomainFacts) -> str:
    if own.instance_type is None:
        return "its instance type is not known"
    if own.instance_type.split(".")[0] not in PREVIOUS:
        return f"{own.instance_type} is no type of a previous generation"
    return too_old(own.engine_version or "", NEEDED)


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain of a previous generation",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
