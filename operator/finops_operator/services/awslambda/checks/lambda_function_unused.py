"""Functions that nobody invoked for months. They cost nothing by themselves, but what waits for them may.

AWS publishes no rule; three months are taken, for there are quarterly jobs. All it saves is provisioned concurrency.
What starts a function (schedules, queues, gateways) outlives it, so it goes first. A function that was deployed within
that time is left alone: AWS does not say when one was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen
from finops_operator.services.awslambda.function import INVOCATIONS, FunctionFacts
from finops_operator.services.awslambda.judging.judged import EDGE_REGION, changed_within, not_judged

ID: Final = "lambda_function_unused"


def _evaluate(facts: Facts[FunctionFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = (
        not_judged(facts)
        or days_unseen(facts, (INVOCATIONS,), least)
        or changed_within(facts, facts.own.last_modified, least)
    )
    invocations = facts.utilization.best(INVOCATIONS)
    if not reason and invocations is not None and invocations.total:
        reason = f"it was invoked {count(invocations.total)} times within {days(invocations.hours)}"
    if reason or invocations is None:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"invocations": "0", "thresholdIdleDays": str(least), **coverage_evidence(invocations)},
        summary=f"Nobody invoked it for {days(invocations.hours)}.",
        facts=tuple(_facts(facts, invocations)),
    )


def _facts(facts: Facts[FunctionFacts], invocations: MetricSummary) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Invocations", "none")
    yield window_fact(invocations)
    if facts.own.last_modified:
        yield EvidenceFact("Last deployed", facts.own.last_modified[:10])
    if facts.resource.region == EDGE_REGION:
        yield EvidenceFact("Not counted", "invocations by CloudFront at the edge, which other regions count")


CHECK: Final = Check(
    id=ID,
    title="Function that nobody invokes",
    kinds=("lambda-function",),
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
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
            description="A function is unused after this many days without an invocation.",
        ),
    ),
    window_parameter="minimumIdleDays",
)
