"""Kafka clusters on m5 brokers: m7g of the same size and memory costs less, and clients see no difference.

MSK changes the brokers one after the other, while the cluster works on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.services.msk.cluster import ACTIVE, KafkaFacts, hour_query

ID: Final = "msk_cluster_graviton"
_FAMILIES: Final = {"m5": ("m7g",)}


def _evaluate(facts: Facts[KafkaFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, region, state = facts.own, facts.resource.region, facts.resource.state
    name = own.broker_type or ""
    targets = in_families(name, _FAMILIES)
    reason = "" if state == ACTIVE else f"it is {state or 'in an unknown state'}, not {ACTIVE}"
    if not reason and not targets:
        reason = f"no Graviton type takes the place of {name}" if name else "it has no brokers of a known type"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    change = cheapest(facts, name, targets, lambda one: hour_query(region, one), at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, broker_type=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{change.target} runs on Graviton, has as much memory as {name} and costs less.",
        EvidenceFact("Brokers", f"{own.brokers}, changed one after the other"),
        EvidenceFact("Before the change", "see whether AWS offers the type for this Kafka version"),
    )


CHECK: Final = Check(
    id=ID,
    title="MSK cluster without Graviton",
    kinds=("msk-cluster",),
    documentation="https://docs.aws.amazon.com/msk/latest/developerguide/msk-update-broker-type.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
