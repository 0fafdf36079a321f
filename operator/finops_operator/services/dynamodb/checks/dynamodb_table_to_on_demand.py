"""Tables with provisioned capacity whose use costs less on demand: work that comes and goes, and fills little of it.

AWS names 35 % of mean utilization as the point below which on-demand mode costs less. Here the bill decides as well:
what the last 30 days consumed, at on-demand prices, against the capacity provisioned. Where Application Auto Scaling
changes the capacity, today's is no measure. AWS allows four changes of the mode in 24 hours.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.money import as_text
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.services.dynamodb.judging.judged import (
    mean_rate,
    not_judged,
    not_measured,
    not_scaled,
    too_many_indexes,
    used_names,
)
from finops_operator.services.dynamodb.rules.metrics import READS, WRITES
from finops_operator.services.dynamodb.table import ON_DEMAND, PROVISIONED, TableFacts

ID: Final = "dynamodb_table_to_on_demand"
_ACTION: Final = "dynamodb_table_set_mode"


def _evaluate(facts: Facts[TableFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, own = parameters["maximumMeanUtilizationPercent"], facts.own
    reason = not_judged(facts, PROVISIONED) or not_scaled(own) or too_many_indexes(own)
    reason = reason or not_measured(facts, used_names(own))
    reads, writes = facts.utilization.best(READS), facts.utilization.best(WRITES)
    if not reason and (not own.read_capacity or not own.write_capacity):
        reason = "its capacity is not known"
    if reason or reads is None or writes is None:
        return NotRecommended(ID, facts.resource.id, reason)
    shares = (100 * mean_rate(reads) / (own.read_capacity or 1), 100 * mean_rate(writes) / (own.write_capacity or 1))
    after = facts.cost_of(with_facts(facts.resource, replace(own, billing_mode=ON_DEMAND)))
    reason = _not_cheaper(facts, after.unrounded_monthly, parameters["minimumSavingPercent"])
    if max(shares) >= float(limit):
        reason = f"it used {percent(max(shares))} of its capacity on average, the limit is {limit} %"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"billingMode": ON_DEMAND},
        new_monthly_cost=after.unrounded_monthly,
        evidence={
            "meanReadUtilizationPercent": figure(shares[0]),
            "meanWriteUtilizationPercent": figure(shares[1]),
            "thresholdMeanUtilizationPercent": str(limit),
            "onDemandMonthlyCost": as_text(after.monthly),
            **coverage_evidence(reads),
        },
        summary=f"It used {percent(shares[0])} of its read and {percent(shares[1])} of its write capacity on average; "
        "the same use costs less on demand.",
        facts=(
            EvidenceFact("Provisioned", f"{own.read_capacity} read and {own.write_capacity} write units"),
            EvidenceFact("Reads, mean share of capacity", percent(shares[0])),
            EvidenceFact("Writes, mean share of capacity", percent(shares[1])),
            window_fact(reads),
        ),
        target=ON_DEMAND,
    )


def _not_cheaper(facts: Facts[TableFacts], after: Decimal | None, least_percent: Decimal) -> str:
    current = facts.cost.unrounded_monthly
    if current is None or after is None:
        return ""
    enough = current > 0 and current - after >= current * least_percent / 100
    return "" if enough else f"on demand it would not cost {least_percent} % less"


CHECK: Final = Check(
    id=ID,
    title="Table that costs less on demand",
    kinds=("dynamodb-table",),
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_TableCapacityMode.html",
    action=_ACTION,
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="maximumMeanUtilizationPercent",
            unit="percent",
            default=Decimal(35),
            minimum=Decimal(1),
            maximum=Decimal(100),
            description="A table that used this share of its capacity on average keeps it.",
        ),
        ParameterSpec(
            name="minimumSavingPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(0),
            maximum=Decimal(90),
            description="How much less it must cost for a change to be worth it.",
        ),
    ),
)
