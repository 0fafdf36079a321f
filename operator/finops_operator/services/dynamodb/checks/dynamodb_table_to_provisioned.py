"""Tables on demand with steady work, which costs less as provisioned capacity, even for their busiest five minutes.

AWS advises provisioned mode for steady work and gives no number. The capacity proposed is what the busiest five minutes
of two weeks fill to 70 %, AWS's own default target of auto scaling, so work that comes in bursts costs more than it
does on demand and is not named. A table with global secondary indexes is left alone: each needs capacity of its own.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.money import as_text
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.services.dynamodb.judging.judged import (
    capacity_for,
    not_fine,
    not_judged,
    not_measured,
    rate,
)
from finops_operator.services.dynamodb.rules.metrics import READ_PEAKS, WRITE_PEAKS
from finops_operator.services.dynamodb.table import ON_DEMAND, PROVISIONED, TableFacts

ID: Final = "dynamodb_table_to_provisioned"
_TARGET: Final = Decimal(70)


def _evaluate(facts: Facts[TableFacts], parameters: Parameters) -> Finding | NotRecommended:
    own = facts.own
    reason = _not_cheaper(facts, parameters) or not_fine(facts.utilization)
    reads, writes = facts.utilization.best(READ_PEAKS), facts.utilization.best(WRITE_PEAKS)
    if reason or reads is None or writes is None:
        return NotRecommended(ID, facts.resource.id, reason)
    capacity = capacity_for(rate(reads), _TARGET), capacity_for(rate(writes), _TARGET)
    after = facts.cost_of(with_facts(facts.resource, _provisioned(own, capacity)))
    return Finding(
        check=ID,
        action="",
        parameters={"billingMode": PROVISIONED, "readCapacity": capacity[0], "writeCapacity": capacity[1]},
        new_monthly_cost=after.unrounded_monthly,
        evidence={
            "maximumReadUnitsASecond": figure(rate(reads)),
            "maximumWriteUnitsASecond": figure(rate(writes)),
            "provisionedMonthlyCost": as_text(after.monthly),
            "thresholdSavingPercent": str(parameters["minimumSavingPercent"]),
            **coverage_evidence(reads),
        },
        summary="Its work is steady: capacity for its busiest five minutes costs less than its requests do.",
        facts=(
            EvidenceFact("Busiest five minutes, reads", f"{figure(rate(reads), 1)} units a second"),
            EvidenceFact("Busiest five minutes, writes", f"{figure(rate(writes), 1)} units a second"),
            EvidenceFact("Capacity for that", f"{capacity[0]} read and {capacity[1]} write units"),
            window_fact(reads),
        ),
        target=f"{capacity[0]} read and {capacity[1]} write units",
        expectation="Requests above the capacity are throttled; let Application Auto Scaling follow the work.",
    )


def _not_cheaper(facts: Facts[TableFacts], parameters: Parameters) -> str:
    """Return why provisioned capacity would not cost enough less, by the finest picture there is."""
    own, least = facts.own, parameters["minimumSavingPercent"]
    reason = not_judged(facts, ON_DEMAND)
    if not reason and (own.index_names is None or own.index_names):
        reason = "it has global secondary indexes, each with work of its own"
    reason = reason or not_measured(facts, (READ_PEAKS, WRITE_PEAKS))
    reads, writes = facts.utilization.best(READ_PEAKS), facts.utilization.best(WRITE_PEAKS)
    if reason or reads is None or writes is None:
        return reason
    capacity = capacity_for(rate(reads), _TARGET), capacity_for(rate(writes), _TARGET)
    after = facts.cost_of(with_facts(facts.resource, _provisioned(own, capacity))).unrounded_monthly
    current = facts.cost.unrounded_monthly
    if current is None or after is None:
        return "what it costs is not known"
    enough = current > 0 and current - after >= current * least / 100
    return "" if enough else f"provisioned for its busiest moments it would not cost {least} % less"


def _provisioned(own: TableFacts, capacity: tuple[int, int]) -> TableFacts:
    return replace(own, billing_mode=PROVISIONED, read_capacity=capacity[0], write_capacity=capacity[1])


def _wants_fine(facts: Facts[TableFacts], parameters: Parameters) -> bool:
    return not _not_cheaper(facts, parameters)


CHECK: Final = Check(
    id=ID,
    title="Table that costs less with provisioned capacity",
    kinds=("dynamodb-table",),
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_TableCapacityMode.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumSavingPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(0),
            maximum=Decimal(90),
            description="How much less it must cost for a change to be worth it.",
        ),
    ),
    wants_fine=_wants_fine,
)
