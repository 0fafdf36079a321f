"""Log groups whose retention was never set: they keep every event for ever, and AWS bills it every month.

How long data must be kept is a decision of its owner. The saving is worked out for one length, a parameter: with it,
storage holds no more than what came in within that time, counted uncompressed, so the saving is the least that is to be
expected. A group younger than that holds nothing yet that would be removed.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure, insufficient, metric_words
from finops_operator.services.logs.judging.judged import not_judged, size, without_storage
from finops_operator.services.logs.log_group import INCOMING, LogGroupFacts
from finops_operator.services.logs.rules.retention import RETENTIONS

ID: Final = "log_group_no_retention"
_ACTION: Final = "log_group_set_retention"


def _evaluate(facts: Facts[LogGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    kept = parameters["retentionDays"]
    reason = (
        not_judged(facts.own, parameters["minimumStoredGib"])
        or _too_young(facts, kept)
        or insufficient(facts.utilization, INCOMING, facts.settings)
    )
    incoming, stored = facts.utilization.best(INCOMING), facts.own.stored_bytes
    if reason or incoming is None or incoming.total is None or stored is None:
        return NotRecommended(ID, facts.resource.id, reason or "it was not measured")
    remaining = min(Decimal(str(incoming.total)), Decimal(stored))
    offered = kept in RETENTIONS
    if incoming.days < float(kept):
        reason = f"only {figure(incoming.days)} days of {metric_words(INCOMING)} were read, {kept} are needed"
    elif remaining >= stored:
        reason = f"{size(incoming.total)} came in within {kept} days, as much as it stores"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        # A policy may ask for a length that AWS does not take: then the finding is advice.
        action=_ACTION if offered else "",
        parameters={"retentionInDays": int(kept)} if offered else {},
        new_monthly_cost=without_storage(facts, remaining),
        evidence={
            "storedBytes": stored,
            "incomingBytes": figure(incoming.total),
            "retentionDays": str(kept),
            **coverage_evidence(incoming),
        },
        summary=f"It keeps every event for ever. With a retention of {kept} days it stores {size(float(remaining))} "
        f"at most, instead of {size(stored)}.",
        facts=(
            EvidenceFact("Stored", size(stored)),
            EvidenceFact("Retention", "never set"),
            EvidenceFact(f"Came in within {kept} days, at most", size(incoming.total)),
            window_fact(incoming),
        ),
        target=f"{kept} days",
    )


def _too_young(facts: Facts[LogGroupFacts], kept: Decimal) -> str:
    created = facts.resource.created
    if created is None:
        return "its age is not known"
    young = created > facts.now - timedelta(days=float(kept))
    return f"it is younger than {kept} days, so no data would be removed" if young else ""


CHECK: Final = Check(
    id=ID,
    title="Log group that keeps everything for ever",
    kinds=("log-group",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    action=_ACTION,
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="retentionDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(1),
            maximum=Decimal(400),
            description="The retention that the saving is worked out for; the owner of the data decides.",
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
    window_parameter="retentionDays",
)
