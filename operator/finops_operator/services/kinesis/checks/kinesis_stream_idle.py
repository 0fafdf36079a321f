"""Streams that nobody puts records into or fetches any from: AWS bills shards, or a stream on demand, by the hour.

AWS publishes no rule for it; the window is the fourteen days of its other idle rules. The tables hold no price of
Kinesis, so that the saving is unknown.
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

ID: Final = "kinesis_stream_idle"


def _evaluate(facts: Facts[StreamFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = not_judged(facts) or too_young(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    for name, verb in ((PUT, "put into it"), (FETCHED, "fetched from it")):
        found = counted(facts, name, least)
        if isinstance(found, str):
            return NotRecommended(ID, facts.resource.id, found)
        if found > 0:
            return NotRecommended(ID, facts.resource.id, f"{count(found)} records were {verb}")
    own = facts.own
    shards = "on demand" if own.shards is None else f"{own.shards}"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"recordsPut": 0, "recordsFetched": 0, "thresholdRecords": 1, "thresholdIdleDays": str(least)},
        summary=f"No record was put into it or fetched from it for at least {least} days.",
        facts=(
            EvidenceFact("Records", "none put, none fetched"),
            EvidenceFact("Mode", own.mode or "not known"),
            EvidenceFact("Shards", shards),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle Kinesis stream",
    kinds=("kinesis-stream",),
    documentation="https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A stream"),),
)
