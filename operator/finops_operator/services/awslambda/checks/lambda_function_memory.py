"""Functions with more memory than they use, as Lambda Insights measures it or the REPORT lines of their logs say.

The lines are read where a policy wants it (`metrics.lambdaReportLines`), because AWS bills that: of functions without
Insights that write text to a log group of their own, for the last 14 whole days in UTC. They count where each day has
as many as the function was invoked, `minimumCoveragePercent` of it at least; else the memory is unknown. As AWS Compute
Optimizer does, only functions up to 1,792 MB with 50 invocations in two weeks are judged: above, memory buys further
processors. Less memory also means a smaller share of a processor, so a function that computes runs longer and may cost
the same; the saving holds for one that waits, and is the most that is to be expected. A function whose longest
invocation would come near its timeout if it ran longer by the same share keeps its memory. So does one with published
versions: they cannot be changed, and what was measured is theirs as well. Change it in steps and compare the billed
duration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from math import ceil
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended, PerformanceRisk
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.logged import FROM_LOGS
from finops_operator.plugins.measured import about_percent, count, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import not_measured
from finops_operator.services.awslambda.function import INVOCATIONS, LONGEST, FunctionFacts
from finops_operator.services.awslambda.judging.judged import changed_within, not_judged
from finops_operator.services.awslambda.rules.report_queries import LARGEST_MB, SMALLEST_MB
from finops_operator.services.awslambda.rules.versions import MEMORY, why_not_one

ID: Final = "lambda_function_memory"
_ACTION: Final = "lambda_function_set_memory"
_STEP_MB: Final = 64
_HEADROOM: Final = 1.2
"""What AWS keeps free of memory by default when it proposes a size."""
_WINDOW: Final = Decimal(14)
_TIMEOUT_SHARE: Final = 0.8
"""Of the timeout: what the longest invocation may come to with a smaller share of a processor. Ours."""
_MS_PER_SECOND: Final = 1000


def _evaluate(facts: Facts[FunctionFacts], parameters: Parameters) -> Finding | NotRecommended:
    limit, own = parameters["maximumMemoryPercent"], facts.own
    reason = not_judged(facts) or _not_comparable(own)
    reason = reason or not_measured(facts, (INVOCATIONS, MEMORY, LONGEST), _WINDOW)
    reason = reason or changed_within(facts, own.last_modified, _WINDOW)
    invocations, memory, longest = (facts.utilization.best(name) for name in (INVOCATIONS, MEMORY, LONGEST))
    if reason or invocations is None or memory is None or longest is None or own.memory_mb is None:
        return NotRecommended(ID, facts.resource.id, reason)
    needed = _needed_mb(own.memory_mb, memory.maximum)
    least = parameters["minimumInvocations"]
    if (invocations.total or 0) < float(least):
        reason = f"it was invoked {count(invocations.total or 0)} times, {least} are needed"
    elif memory.maximum >= float(limit):
        reason = f"it used up to {percent(memory.maximum)} of its memory, the limit is {limit} %"
    elif needed >= own.memory_mb:
        reason = "no smaller size has room for what it used"
    else:
        reason = _too_slow(own, longest, needed) or why_not_one(facts.resource.id, facts.answers)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    smaller = facts.cost_of(with_facts(facts.resource, replace(own, memory_mb=needed)))
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"memoryMb": needed},
        new_monthly_cost=smaller.unrounded_monthly,
        evidence={
            "currentMemoryMb": own.memory_mb,
            "targetMemoryMb": needed,
            "maximumMemoryPercent": figure(memory.maximum),
            "thresholdMemoryPercent": str(limit),
            "longestMilliseconds": figure(longest.maximum),
            "timeoutSeconds": own.function_timeout_seconds,
            **coverage_evidence(memory),
            **({"memorySource": "reportLines"} if _is_from_logs(facts) else {}),
        },
        summary=f"It used {percent(memory.maximum)} of its {own.memory_mb} MB at most; {needed} MB have room for that.",
        facts=(*_facts(own, invocations, memory, longest), *_source(facts)),
        target=f"{needed} MB",
        expectation=f"Expected memory about {about_percent(memory.maximum * own.memory_mb / needed)}. "
        "The saving is the most that it can be: a function that computes runs longer.",
        performance_risk=PerformanceRisk.MEDIUM,
    )


def _not_comparable(own: FunctionFacts) -> str:
    if own.memory_mb is None:
        return "its memory is not known"
    large = own.memory_mb > LARGEST_MB
    return f"above {LARGEST_MB} MB more memory also brings more processors" if large else ""


def _too_slow(own: FunctionFacts, longest: MetricSummary, needed: int) -> str:
    """Return why it may come near its timeout, empty when it cannot: its share of a processor follows its memory."""
    if not own.function_timeout_seconds or own.memory_mb is None:
        return "its timeout is not known"
    seconds = longest.maximum * own.memory_mb / needed / _MS_PER_SECOND
    if seconds <= _TIMEOUT_SHARE * own.function_timeout_seconds:
        return ""
    return f"with {needed} MB its longest invocation may take {seconds:.1f} s of {own.function_timeout_seconds} s"


def _needed_mb(memory_mb: int, maximum_percent: float) -> int:
    used = memory_mb * maximum_percent / 100
    return max(SMALLEST_MB, ceil(used * _HEADROOM / _STEP_MB) * _STEP_MB)


def _facts(
    own: FunctionFacts, invocations: MetricSummary, memory: MetricSummary, longest: MetricSummary
) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Memory", f"{own.memory_mb} MB")
    yield EvidenceFact("Memory used, at most", percent(memory.maximum))
    yield EvidenceFact("Memory used, mean", percent(memory.average))
    yield EvidenceFact("Invocations", count(invocations.total or 0))
    took = f"{longest.maximum / _MS_PER_SECOND:.1f} s"
    yield EvidenceFact("Longest invocation", f"{took}, its timeout is {own.function_timeout_seconds} s")
    yield window_fact(memory)


def _is_from_logs(facts: Facts[FunctionFacts]) -> bool:
    return MEMORY in facts.answers.get(FROM_LOGS, ())


def _source(facts: Facts[FunctionFacts]) -> Iterator[EvidenceFact]:
    if _is_from_logs(facts):
        yield EvidenceFact("Memory from", "REPORT lines of its logs, whole days in UTC")


CHECK: Final = Check(
    id=ID,
    title="Function with more memory than it uses",
    kinds=("lambda-function",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/requirements.html",
    action=_ACTION,
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="maximumMemoryPercent",
            unit="percent",
            default=Decimal(50),
            minimum=Decimal(10),
            maximum=Decimal(80),
            description="A function that once used this share of its memory keeps it.",
            metrics=("memoryPercent",),
        ),
        ParameterSpec(
            name="minimumInvocations",
            unit="invocations",
            default=Decimal(50),
            minimum=Decimal(1),
            maximum=Decimal(1_000_000),
            description="With fewer invocations in the measured days nothing is said.",
        ),
    ),
)
