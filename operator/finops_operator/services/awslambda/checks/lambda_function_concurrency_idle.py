"""Provisioned concurrency that served nothing: AWS bills every instance that waits, by the second.

AWS publishes no rule; two weeks without an invocation are taken, from which weekly jobs stay apart. Concurrency that
was changed within that time is left alone. What is removed can be provisioned again in minutes; a schedule or target
tracking of Application Auto Scaling would do so by itself, and has to be changed first.
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
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen
from finops_operator.services.awslambda.function import PROVISIONED_INVOCATIONS, FunctionFacts
from finops_operator.services.awslambda.judging.judged import changed_within, not_judged

ID: Final = "lambda_function_concurrency_idle"


def _evaluate(facts: Facts[FunctionFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumIdleDays"], facts.own
    reason = not_judged(facts) or _nothing_waits(own.provisioned_instances)
    reason = (
        reason
        or days_unseen(facts, (PROVISIONED_INVOCATIONS,), least)
        or changed_within(facts, own.provisioned_since, least)
    )
    served = facts.utilization.best(PROVISIONED_INVOCATIONS)
    if not reason and served is not None and served.total:
        reason = f"it served {count(served.total)} invocations within {days(served.hours)}"
    if reason or served is None or own.provisioned_instances is None:
        return NotRecommended(ID, facts.resource.id, reason)
    after = with_facts(facts.resource, replace(own, provisioned_instances=0))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(after).unrounded_monthly,
        evidence={
            "provisionedInstances": own.provisioned_instances,
            "provisionedInvocations": "0",
            "thresholdIdleDays": str(least),
            **coverage_evidence(served),
        },
        summary=f"{own.provisioned_instances} instances wait for requests, and none came for {days(served.hours)}.",
        facts=tuple(_facts(own, served)),
    )


def _nothing_waits(instances: int | None) -> str:
    if instances is None:
        return "whether concurrency is provisioned is not known"
    return "" if instances else "no concurrency is provisioned"


def _facts(own: FunctionFacts, served: MetricSummary) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Provisioned concurrency", f"{own.provisioned_instances} instances of {own.memory_mb} MB")
    yield EvidenceFact("Invocations served by it", "none")
    yield window_fact(served)
    yield EvidenceFact("Last changed", (own.provisioned_since or "")[:10])


CHECK: Final = Check(
    id=ID,
    title="Idle provisioned concurrency",
    kinds=("lambda-function",),
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(14),
            minimum=Decimal(7),
            maximum=Decimal(63),
            description="It is idle after this many days, which must lie within `metrics.lookbackDays`.",
        ),
    ),
)
