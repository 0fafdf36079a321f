"""Functions and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat, summarize
from tests.support.judging import Bench, used

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.awslambda.function import KIND
from finops_operator.services.awslambda.rules.versions import PUBLISHED, READ

DAY: Final = 86_400
FUNCTIONS: Final = Bench(KIND, answers={PUBLISHED: frozenset({READ})})
"""Of functions without published versions."""


def ago(days: float) -> str:
    """Return a time as Lambda writes it."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def function(region: str = "eu-west-1", /, **attributes: Json) -> Resource:
    """Return a function of 1 GB on x86 that was last deployed a year ago, changed as asked; None: not known."""
    facts: dict[str, Json] = {
        "runtime": "python3.13",
        "architecture": "x86_64",
        "package_type": "Zip",
        "memory_mb": 1024,
        "function_timeout_seconds": 30,
        "ephemeral_storage_mb": 512,
        "last_modified": ago(365),
        "snap_start": False,
        "on_own_capacity": False,
        "provisioned_instances": 0,
        "provisioned_since": "",
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="lambda-function",
        id="resize-images",
        arn=f"arn:aws:lambda:{region}:111122223333:function:resize-images",
        name="resize-images",
        account="111122223333",
        region=region,
        state="active",
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def invoked(
    a_day: float,
    *,
    milliseconds: float = 100,
    days: int = 90,
    memory: MetricSummary | None = None,
    served_a_day: float = 0,
    **more: MetricSummary,
) -> Utilization:
    """Return so many invocations on each day, each of so many milliseconds."""
    series = {
        "invocations": summarize([a_day] * days, period=DAY),
        "durationMilliseconds": summarize([a_day * milliseconds] * days, period=DAY),
        "longestMilliseconds": summarize([milliseconds] * 14, period=DAY),
        **({"memoryPercent": memory} if memory is not None else {}),
        **more,
    }
    month = {"invocations": 30 * a_day, "durationMilliseconds": 30 * a_day * milliseconds}
    month["provisionedInvocationsByDay"] = 30 * served_a_day
    return used("resize-images", month=month, **series)


def served(number: float = 0, *, days: int = 14) -> MetricSummary:
    """Return what provisioned concurrency served, all of it in one hour."""
    hours = days * 24
    return summarize([0.0] * (hours - 1) + [number])


def memory(percent: float, *, peak: float = 0) -> MetricSummary:
    """Return the share of memory used over two weeks, once higher."""
    return summarize([percent] * 13 + [max(percent, peak)], period=DAY) if peak else flat(percent, period=DAY)
