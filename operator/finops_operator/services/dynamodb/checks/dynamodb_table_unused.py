"""Tables that nobody read or wrote for a month, AWS's own rule: storage and provisioned capacity are billed the same.

The reads of its global secondary indexes count as well. A replicated table is left alone: what one region does not use
may be there for the day the other fails. Export it or make a backup before it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen
from finops_operator.services.dynamodb.judging.judged import not_judged, too_many_indexes, used_names
from finops_operator.services.dynamodb.rules.metrics import READS
from finops_operator.services.dynamodb.table import TableFacts

ID: Final = "dynamodb_table_unused"


def _evaluate(facts: Facts[TableFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    names = used_names(facts.own)
    reason = not_judged(facts) or too_many_indexes(facts.own) or _too_young(facts, least)
    reason = reason or days_unseen(facts, names, least)
    reads = facts.utilization.best(READS)
    if reason or reads is None:
        return NotRecommended(ID, facts.resource.id, reason)
    used = sum(summary.total or 0 for name in names if (summary := facts.utilization.best(name)) is not None)
    if used:
        reason = f"it consumed {count(used)} units within {days(reads.hours)}"
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "consumedUnits": "0",
            "items": facts.own.item_count,
            "thresholdIdleDays": str(least),
            **coverage_evidence(reads),
        },
        summary=f"Nobody read or wrote it for {days(reads.hours)}.",
        facts=(EvidenceFact("Reads and writes", "none"), window_fact(reads), *_facts(facts.own)),
    )


def _too_young(facts: Facts[TableFacts], least: Decimal) -> str:
    created = facts.resource.created
    if created is None:
        return "its age is not known"
    young = created > facts.now - timedelta(days=float(least))
    return f"it is younger than {least} days" if young else ""


def _facts(own: TableFacts) -> Iterator[EvidenceFact]:
    if own.item_count is not None:
        yield EvidenceFact("Items", count(own.item_count))
    if own.index_names:
        yield EvidenceFact("Global secondary indexes", f"{len(own.index_names)}, not used either")
    if own.deletion_protection:
        yield EvidenceFact("Deletion protection", "on")


CHECK: Final = Check(
    id=ID,
    title="Table that nobody uses",
    kinds=("dynamodb-table",),
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_UnusedResources.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(30),
            maximum=Decimal(400),
            description="A table is unused after this many days without a read or a write.",
        ),
    ),
    window_parameter="minimumIdleDays",
)
