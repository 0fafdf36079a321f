"""Domains on x86 data nodes: the Graviton type of the same size and memory costs less.

The data and the protocol stay as they are. AWS offers Graviton for every version of OpenSearch, and for Elasticsearch
from 7.9 on. Master and warm nodes are not judged.
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
from finops_operator.services.opensearch.rules.instance_types import GRAVITON, GRAVITON_NEEDED, too_old

ID: Final = "opensearch_domain_graviton"


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, region = facts.own, facts.resource.region
    name = own.instance_type or ""
    reason = not_judged(facts) or _not_concerned(own)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    change = cheapest(facts, name, in_families(name, GRAVITON), lambda one: hour_query(region, one), at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, instance_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{change.target} runs on Graviton, has as much memory as {name} and costs less.",
        EvidenceFact("Data nodes", f"{own.data_nodes}, changed with a second set of nodes beside them"),
        EvidenceFact("Before the change", "see whether AWS offers the type in the region, and run its dry run"),
    )


def _not_concerned(own: DomainFacts) -> str:
    if own.instance_type is None:
        return "its instance type is not known"
    if own.instance_type.split(".")[0] not in GRAVITON:
        return f"no Graviton type takes the place of {own.instance_type}"
    return too_old(own.engine_version or "", GRAVITON_NEEDED)


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain without Graviton",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
