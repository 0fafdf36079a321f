"""Streams into which records are put and from which none is fetched: they are paid for, kept for a day and dropped.

Consumers with a throughput of their own do not count among the fetched records, so that a stream with a registered
consumer is not judged. AWS publishes no rule for it; the window is the fourteen days of its other idle rules.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count
from finops_operator.plugins.window import counted, idle_days, too_young
from finops_operator.services.kinesis.judging.judged import not_judged
from finops_operator.services.kinesis.stream import FETCHED, PUT, StreamFacts

ID: Final = "kinesis_stream_unread"


def _evaluate(facts: Facts[StreamFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumIdleDays"], facts.own
    reason = not_judged(facts) or too_young(facts, least)
    if not reason and own.consumers is None:
        reason = "its registered consumers are not known"
    elif not reason and own.consumers:
        reason = f"it has {own.consumers} registered consumers"
    put, fetched = counted(facts, PUT, least), counted(facts, FETCHED, least)
    for found in (put, fetched):
        reason = reason or (found if isinstance(found, str) else "")
    if reason or isinstance(put, str) or isinstance(fetched, str):
        return NotRecommended(ID, facts.resource.id, reason)
    if fetched > 0 or put == 0:
        why = f"{count(fetched)} records were fetched from it" if fetched > 0 else "no record was put into it"
        return NotRecommended(ID, facts.resource.id, why)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"recordsPut": f"{put:.0f}", "recordsFetched": 0, "thresholdIdleDays": str(least)},
        summary=f"{count(put)} records were put into it, and none was fetched for at least {least} days.",
        facts=(
            EvidenceFact("Records put", count(put)),
            EvidenceFact("Records fetched", "none"),
            EvidenceFact("Registered consumers", "none"),
            EvidenceFact("Before it is deleted", "find out who puts records into it, and stop them"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Kinesis stream that nobody reads",
    kinds=("kinesis-stream",),
    documentation="https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A stream"),),
)
