"""Tables with more provisioned capacity than their busiest five minutes needed.

AWS takes a table that uses less than a fifth of its capacity for over-provisioned. The capacity proposed is what the
busiest five minutes of two weeks fill to 70 %, AWS's own default target of auto scaling. Indexes keep theirs. Where
Application Auto Scaling changes the capacity, it does this by itself. AWS allows 27 decreases a day at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.services.dynamodb.judging.judged import (
    capacity_for,
    not_fine,
    not_judged,
    not_measured,
    not_scaled,
    rate,
)
from finops_operator.services.dynamodb.rules.metrics import READ_PEAKS, WRITE_PEAKS
from finops_operator.services.dynamodb.table import PROVISIONED, TableFacts

ID: Final = "dynamodb_table_overprovisioned"
_TARGET: Final = Decimal(70)


def _evaluate(facts: Facts[TableFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, own = parameters["maximumUtilizationPercent"], facts.own
    reason = _not_over(facts, limit) or not_fine(facts.utilization)
    reads, writes = facts.utilization.best(READ_PEAKS), facts.utilization.best(WRITE_PEAKS)
    if reason or reads is None or writes is None or own.read_capacity is None or own.write_capacity is None:
        return NotRecommended(ID, facts.resource.id, reason)
    wanted = (
        min(own.read_capacity, capacity_for(rate(reads), _TARGET)),
        min(own.write_capacity, capacity_for(rate(writes), _TARGET)),
    )
    if wanted == (own.read_capacity, own.write_capacity):
        return NotRecommended(ID, facts.resource.id, "no less capacity can be provisioned")
    after = with_facts(facts.resource, replace(own, read_capacity=wanted[0], write_capacity=wanted[1]))
    return Finding(
        check=ID,
        action="",
        parameters={"readCapacity": wanted[0], "writeCapacity": wanted[1]},
        new_monthly_cost=facts.cost_of(after).unrounded_monthly,
        evidence={
            "currentReadCapacity": own.read_capacity,
            "targetReadCapacity": wanted[0],
            "currentWriteCapacity": own.write_capacity,
            "targetWriteCapacity": wanted[1],
            "maximumReadUnitsASecond": figure(rate(reads)),
            "maximumWriteUnitsASecond": figure(rate(writes)),
            "thresholdUtilizationPercent": str(limit),
            **coverage_evidence(reads),
        },
        summary=f"Its busiest five minutes used {percent(_share(reads, own.read_capacity))} of its read and "
        f"{percent(_share(writes, own.write_capacity))} of its write capacity.",
        facts=tuple(_facts(own, reads, writes)),
        target=f"{wanted[0]} read and {wanted[1]} write units",
    )


def _not_over(facts: Facts[TableFacts], limit: Decimal) -> str:
    own = facts.own
    reason = not_judged(facts, PROVISIONED) or not_scaled(own) or not_measured(facts, (READ_PEAKS, WRITE_PEAKS))
    if reason:
        return reason
    if not own.read_capacity or not own.write_capacity:
        return "its capacity is not known"
    for name, capacity in ((READ_PEAKS, own.read_capacity), (WRITE_PEAKS, own.write_capacity)):
        summary = facts.utilization.best(name)
        share = 0.0 if summary is None else _share(summary, capacity)
        if share >= float(limit):
            return f"{name} reached {percent(share)} of its capacity, the limit is {limit} %"
    return ""


def _wants_fine(facts: Facts[TableFacts], parameters: Parameters) -> bool:
    return not _not_over(facts, parameters["maximumUtilizationPercent"])


def _share(summary: MetricSummary, capacity: int) -> float:
    return 100 * rate(summary) / capacity


def _facts(own: TableFacts, reads: MetricSummary, writes: MetricSummary) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Provisioned", f"{own.read_capacity} read and {own.write_capacity} write units")
    yield EvidenceFact("Busiest five minutes, reads", f"{figure(rate(reads), 1)} units a second")
    yield EvidenceFact("Busiest five minutes, writes", f"{figure(rate(writes), 1)} units a second")
    yield window_fact(reads)


CHECK: Final = Check(
    id=ID,
    title="Table with more capacity than it uses",
    kinds=("dynamodb-table",),
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_RightSizedProvisioning.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="maximumUtilizationPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(1),
            maximum=Decimal(60),
            description="A table whose busiest five minutes used this share of its capacity keeps it.",
        ),
    ),
    wants_fine=_wants_fine,
)
