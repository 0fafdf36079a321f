"""Domains that nobody searches and nothing is indexed in: AWS bills nodes and storage all the same.

AWS publishes no rule for it; the window is the fourteen days of its other idle rules. The dashboards' own polls do not
count as searches, and a domain that only keeps data for the day it is needed can live in a snapshot.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries
from finops_operator.services.opensearch.domain import INDEXING, SEARCHES, DomainFacts
from finops_operator.services.opensearch.judging.judged import not_judged
from finops_operator.services.opensearch.rules.manual_snapshot import HOW, PARAMETER, stated

ID: Final = "opensearch_domain_idle"
_ACTION: Final = "opensearch_domain_delete"
_NAMES: Final = (SEARCHES, INDEXING)


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = not_judged(facts) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    searches, indexing = summaries(facts, _NAMES)
    if searches.maximum > 0:
        reason = f"it had up to {figure(searches.maximum)} searches a minute"
    elif indexing.maximum > 0:
        reason = f"up to {figure(indexing.maximum)} documents a minute were indexed"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    own, snapshot = facts.own, stated(facts.resource.tags)
    return Finding(
        check=ID,
        action=_ACTION if snapshot else "",
        parameters={PARAMETER: snapshot} if snapshot else {},
        new_monthly_cost=Decimal(0),
        evidence={
            "maximumSearchesPerMinute": figure(searches.maximum),
            "maximumIndexingPerMinute": figure(indexing.maximum),
            "thresholdPerMinute": "1",
            "thresholdIdleDays": str(least),
            **coverage_evidence(searches),
        },
        summary=f"Nothing was searched or indexed for {days(searches.hours)}.",
        facts=(
            EvidenceFact("Searches", "none"),
            EvidenceFact("Indexed documents", "none"),
            window_fact(searches),
            EvidenceFact("Data nodes", f"{own.data_nodes} of {own.instance_type}"),
            EvidenceFact("Manual snapshot, by the word of its tag", snapshot)
            if snapshot
            else EvidenceFact("Before it is deleted", f"{HOW}; the automated ones restore no other domain"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle OpenSearch domain",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A domain"),),
)
