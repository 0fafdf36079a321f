"""Streams that keep records for more than the included day although their readers are never far behind.

A longer retention is billed by shard and hour, or by the gigabyte on demand. AWS publishes no rule for it; here the
oldest record that a reader fetched was less than an hour old over the whole window. Records that are kept to be read
again after a failure are a good reason, and the owner knows it.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.kinesis.judging.judged import not_judged
from finops_operator.services.kinesis.stream import AGE, StreamFacts

ID: Final = "kinesis_stream_retention"
_INCLUDED_HOURS: Final = 24
_WEEK_HOURS: Final = 168
_PROVISIONED: Final = "PROVISIONED"
_MINUTE: Final = 60_000


def _evaluate(facts: Facts[StreamFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit, kept = parameters["minimumMeasuredDays"], parameters["maximumAgeMinutes"], facts.own.retention_hours
    reason = not_judged(facts)
    if not reason and kept is None:
        reason = "how long it keeps records is not known"
    elif not reason and (kept or 0) <= _INCLUDED_HOURS:
        reason = f"it keeps records for {kept} hours, {_INCLUDED_HOURS} are included"
    reason = reason or too_young(facts, least) or not_measured(facts, (AGE,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (age,) = summaries(facts, (AGE,))
    oldest = age.maximum / _MINUTE
    if oldest >= float(limit):
        return NotRecommended(
            ID, facts.resource.id, f"its readers were {figure(oldest)} minutes behind, {limit} at most"
        )
    # What is kept longer is billed by the gigabyte on demand, and so is what is kept for more than a week.
    by_gigabyte = facts.own.mode != _PROVISIONED or (kept or 0) > _WEEK_HOURS
    shorter = facts.cost_of(with_facts(facts.resource, replace(facts.own, retention_hours=_INCLUDED_HOURS)))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None if by_gigabyte else shorter.unrounded_monthly,
        evidence={
            "retentionHours": kept,
            "includedHours": _INCLUDED_HOURS,
            "maximumAgeMinutes": figure(oldest),
            "thresholdAgeMinutes": str(limit),
            **coverage_evidence(age),
        },
        summary=f"It keeps records for {kept} hours, and its readers were never {limit} minutes behind.",
        facts=(
            EvidenceFact("Kept for", f"{kept} hours; {_INCLUDED_HOURS} are included"),
            EvidenceFact("Readers behind, at most", f"{figure(oldest)} minutes"),
            window_fact(age),
            EvidenceFact("Before the change", "older records cannot be read any more afterwards"),
        ),
        target=f"{_INCLUDED_HOURS} hours",
    )


CHECK: Final = Check(
    id=ID,
    title="Kinesis stream that keeps records long",
    kinds=("kinesis-stream",),
    documentation="https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        measured_days("the readers' age"),
        ParameterSpec(
            name="maximumAgeMinutes",
            unit="minutes",
            default=Decimal(60),
            minimum=Decimal(1),
            maximum=Decimal(1440),
            description="A stream whose readers were this far behind at any time needs its retention.",
        ),
    ),
)
