"""Whether a resource was watched for long enough to call it idle. Pure; used by the checks of every service.

A resource younger than the window, a metric that is missing and a window with holes prove nothing: the answer is the
reason in words, and an empty one when all of the window was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts, ParameterSpec
from finops_operator.plugins.sufficiency import day_lost, figure, insufficient, metric_words

LONGEST_DAYS: Final = Decimal(63)
"""What AWS uses at most for any of its idle rules, WorkSpaces'."""
_NEVER: Final = "NotPublished"
"""CloudWatch answered, and holds no point of the whole window."""


def too_young(facts: Facts[Any], least: Decimal) -> str:
    """Return why its age forbids a verdict, empty when it is old enough; `least` is in days."""
    created = facts.resource.created
    if created is None:
        return "its age is not known"
    young = created > facts.now - timedelta(days=float(least))
    return f"it is younger than {least} days" if young else ""


def not_measured(facts: Facts[Any], names: Iterable[str], least: Decimal) -> str:
    """Return why one of the metrics does not show the last `least` days, empty when all of them do."""
    for name in names:
        summary = facts.utilization.best(name)
        reason = insufficient(facts.utilization, name, facts.settings)
        if reason or summary is None:
            return reason or f"{metric_words(name)} is unknown"
        if summary.days < float(least):
            return f"only {figure(summary.days)} days of {metric_words(name)} were read, {least} are needed"
    return ""


def days_unseen(facts: Facts[Any], names: Iterable[str], least: Decimal) -> str:
    """Return why one of the metrics does not show each of the last `least` days, empty when all do.

    What is called idle asks this: a day that is not known may have been the one with the work, whatever coverage a
    policy asks for.
    """
    wanted = tuple(names)
    lost = (why for name in wanted if (why := day_lost(facts.utilization, name)))
    return not_measured(facts, wanted, least) or next(lost, "")


def summaries(facts: Facts[Any], names: Iterable[str]) -> tuple[MetricSummary, ...]:
    """Return the summaries of metrics that are there, in order; after `not_measured` said nothing, all of them."""
    found = (facts.utilization.best(name) for name in names)
    return tuple(summary for summary in found if summary is not None)


def counted(facts: Facts[Any], name: str, least: Decimal) -> float | str:
    """Return a counter's sum over the window, of which no day may be missing, or why it is not known.

    Where AWS holds not a single point of at least `least` days, nothing happened in them.
    """
    asked_from = facts.utilization.asked_from.get(name)
    if facts.utilization.unknown.get(name) == _NEVER and asked_from is not None:
        whole = asked_from <= facts.now - timedelta(days=float(least)) + timedelta(hours=1)
        return 0.0 if whole else f"less than {least} days of {metric_words(name)} were asked for"
    reason = days_unseen(facts, (name,), least)
    summary = facts.utilization.best(name)
    return reason if reason or summary is None else (summary.total or 0.0)


_IN_LOOKBACK: Final = ", which must lie within `metrics.lookbackDays`"


def idle_days(noun: str, default: int = 14, *, by_day: bool = False) -> ParameterSpec:
    """Return the parameter of an idle rule: how many days nothing may have happened; `noun` begins its sentence.

    `by_day`: of daily metrics, which are read for as long as the check needs, whatever a policy's lookback.
    """
    return ParameterSpec(
        name="minimumIdleDays",
        unit="days",
        default=Decimal(default),
        minimum=Decimal(7),
        maximum=LONGEST_DAYS,
        description=f"{noun} is idle after this many days{'' if by_day else _IN_LOOKBACK}.",
    )


def measured_days(what: str, default: int = 14, *, by_day: bool = False) -> ParameterSpec:
    """Return the parameter of a rule that must see some days of `what`, busy or not; `by_day` as for `idle_days`."""
    return ParameterSpec(
        name="minimumMeasuredDays",
        unit="days",
        default=Decimal(default),
        minimum=Decimal(7),
        maximum=LONGEST_DAYS,
        description=f"Days of {what} that must have been read{'' if by_day else _IN_LOOKBACK}.",
    )
