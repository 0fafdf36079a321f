"""Log groups into which nothing came for months, and whose data is kept for ever: AWS bills the storage every month.

AWS publishes no rule. Three months without an event are taken, because monthly and quarterly jobs log too. A group
whose retention is set empties itself and is left alone, and so is one that stores next to nothing. What is in it may
still be needed, by an auditor for one: export it before it is deleted; it does not come back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen
from finops_operator.services.logs.judging.judged import not_judged, size, without_storage
from finops_operator.services.logs.log_group import INCOMING, LogGroupFacts

ID: Final = "log_group_idle"


def _evaluate(facts: Facts[LogGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = not_judged(facts.own, parameters["minimumStoredGib"]) or days_unseen(facts, (INCOMING,), least)
    incoming, stored = facts.utilization.best(INCOMING), facts.own.stored_bytes
    if reason or incoming is None or incoming.total is None or stored is None:
        return NotRecommended(ID, facts.resource.id, reason or "it was not measured")
    if incoming.total > 0:
        reason = f"{size(incoming.total)} came in within {days(incoming.hours)}"
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=without_storage(facts, Decimal(0)),
        evidence={
            "incomingBytes": "0",
            "storedBytes": stored,
            "thresholdIdleDays": str(least),
            **coverage_evidence(incoming),
        },
        summary=f"Nothing came in for {days(incoming.hours)}, and what it stores is kept for ever.",
        facts=(
            EvidenceFact("Came in", "nothing"),
            EvidenceFact("Stored", size(stored)),
            EvidenceFact("Retention", "never set"),
            window_fact(incoming),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle log group",
    kinds=("log-group",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(30),
            maximum=Decimal(400),
            description="A log group is idle after this many days without an event.",
        ),
        ParameterSpec(
            name="minimumStoredGib",
            unit="GiB",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(1024),
            description="A log group that stores less is left alone: it costs next to nothing.",
        ),
    ),
    window_parameter="minimumIdleDays",
)
