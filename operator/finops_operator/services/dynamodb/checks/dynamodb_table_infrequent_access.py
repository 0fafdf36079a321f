"""Tables on demand that mostly store: AWS has a class whose storage costs less and whose requests cost more.

AWS advises the class Standard-Infrequent Access where storage is more than half of what throughput costs. The bill of
the last 30 days decides as well. For tables with provisioned capacity the price tables hold no prices of that class.
AWS allows two changes of the class in 30 days.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.money import as_text
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.dynamodb.judging.judged import not_judged, not_measured, too_many_indexes, used_names
from finops_operator.services.dynamodb.table import INFREQUENT, ON_DEMAND, STANDARD, TableFacts

ID: Final = "dynamodb_table_infrequent_access"
_STORAGE: Final = "storage_gb_month"


def _evaluate(facts: Facts[TableFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, own = parameters["minimumStoragePercent"], facts.own
    reason = not_judged(facts, ON_DEMAND) or too_many_indexes(own)
    if not reason and own.table_class != STANDARD:
        reason = f"its class is {own.table_class or 'not known'}"
    reason = reason or not_measured(facts, used_names(own))
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    storage = sum((one.monthly for one in facts.cost.components if one.dimension == _STORAGE), Decimal(0))
    requests = sum((one.monthly for one in facts.cost.components if one.by_use), Decimal(0))
    after = facts.cost_of(with_facts(facts.resource, replace(own, table_class=INFREQUENT))).unrounded_monthly
    current = facts.cost.unrounded_monthly
    if current is None or after is None:
        reason = "what it costs is not known"
    elif storage < parameters["minimumStorageCost"]:
        reason = f"its storage costs {as_text(storage)} USD a month, {parameters['minimumStorageCost']} USD count"
    elif storage < requests * limit / 100:
        reason = f"its storage costs less than {limit} % of its requests"
    elif after >= current:
        reason = "its requests would cost more than its storage saves"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={"tableClass": INFREQUENT},
        new_monthly_cost=after,
        evidence={
            "storageMonthlyCost": figure(storage),
            "requestsMonthlyCost": figure(requests),
            "thresholdStoragePercent": str(limit),
        },
        summary="It mostly stores: in the class for infrequent access it costs less as it is used.",
        facts=(
            EvidenceFact("Storage", f"{storage:,.2f} USD a month"),
            EvidenceFact("Requests", f"{requests:,.2f} USD a month"),
        ),
        target=INFREQUENT,
    )


CHECK: Final = Check(
    id=ID,
    title="Table that mostly stores",
    kinds=("dynamodb-table",),
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_TableClass.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumStoragePercent",
            unit="percent",
            default=Decimal(50),
            minimum=Decimal(10),
            maximum=Decimal(1000),
            description="The class is advised where storage costs this share of what requests cost.",
        ),
        ParameterSpec(
            name="minimumStorageCost",
            unit="USD",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(10_000),
            description="A table whose storage costs less a month is left alone.",
        ),
    ),
)
