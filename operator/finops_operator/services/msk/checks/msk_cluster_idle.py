"""Kafka clusters to which no client sends and from which none fetches: AWS bills brokers and storage all the same.

AWS publishes no rule for it; the window is the fourteen days of its other idle rules. Every broker must have been
quiet, and no client connected where CloudWatch counts connections: who waits for messages sends and fetches nothing. A
cluster in which there never was a topic publishes no bytes, and nothing is said of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.msk.cluster import ACTIVE, SERVERLESS, KafkaFacts
from finops_operator.services.msk.rules.brokers import CONNECTIONS, RECEIVED, SENT

ID: Final = "msk_cluster_idle"


def _evaluate(facts: Facts[KafkaFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumIdleDays"]
    counted = bool(own.client_authentications)
    names = (RECEIVED, SENT, CONNECTIONS) if counted else (RECEIVED, SENT)
    reason = _not_judged(facts) or too_young(facts, least) or days_unseen(facts, names, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    found = summaries(facts, names)
    busiest = max(summary.maximum for summary in found[:2])
    if busiest > 0:
        reason = f"a broker received or sent up to {count(busiest)} bytes a second"
    elif counted and found[2].maximum > 0:
        reason = f"up to {count(found[2].maximum)} clients were connected to a broker"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "maximumBytesPerSecond": figure(busiest),
            "thresholdBytesPerSecond": "1",
            "thresholdIdleDays": str(least),
            "brokers": own.brokers,
            **coverage_evidence(found[0]),
        },
        summary=f"No client sent or fetched anything for {days(found[0].hours)}.",
        facts=(
            EvidenceFact("Bytes of clients", "none on any broker"),
            EvidenceFact("Connections of clients", "none" if counted else "CloudWatch counts none of this cluster's"),
            window_fact(found[0]),
            EvidenceFact("Brokers", f"{own.brokers} of {own.broker_type}"),
            EvidenceFact("Before it is deleted", "copy what topics hold; MSK keeps no backup"),
        ),
    )


def _not_judged(facts: Facts[KafkaFacts]) -> str:
    own = facts.own
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    if own.cluster_type == SERVERLESS:
        return "it is serverless and has no brokers to measure"
    if own.client_authentications is None:
        return "whether clients are connected is not known"
    return "" if own.brokers else "how many brokers it has is not known"


CHECK: Final = Check(
    id=ID,
    title="Idle MSK cluster",
    kinds=("msk-cluster",),
    documentation="https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A cluster"),),
)
