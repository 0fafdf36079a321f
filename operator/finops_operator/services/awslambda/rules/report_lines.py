"""Memory of functions from the REPORT lines of their logs, as a query of CloudWatch Logs Insights answers it; pure.

Lambda writes one line for each invocation, unless the function's log format is JSON or its system log level leaves it
out. So lines count only beside the invocations of the same days, and what has fewer is not known; neither is what has
more, because others write to the same log group. Source: CloudWatch Logs user guide, "Sample queries" (Lambda) and
"Supported logs and discovered fields"; CloudWatch Logs API reference, StartQuery and GetQueryResults.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from finops.domain.logged import Logged
from finops.domain.utilization import MetricSummary

QUERY: Final = (
    'filter @type = "REPORT" | stats count(*) as lines, max(@maxMemoryUsed * 100 / @memorySize) as most, '
    "avg(@maxMemoryUsed * 100 / @memorySize) as mean by @log, bin(1d)"
)
"""A row for each log group and day; the size of the time is the line's own, so that a change of it does no harm."""
GROUPS_OF_A_QUERY: Final = 50
ROWS: Final = 10_000
"""As many rows as an answer can have: one that has them all may lack others."""
DAYS: Final = 14
"""Whole days in UTC that are read, today not among them."""
COMPLETE: Final = "Complete"
_DAY: Final = "bin(1d)"
_PERCENT: Final = 100
_AT_MOST: Final = 1.05
"""Lines for an invocation, as AWS's own counts of a day may differ by some."""
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class ReportedDay:
    """What the lines of one log group say of one day, in UTC; shares in percent of the memory that was given.

    Attributes:
        lines: how many invocations wrote one.
        most, mean: of the memory that an invocation used at most.
    """

    day: date
    lines: int
    most: float
    mean: float


def window_of(now: datetime) -> tuple[datetime, datetime]:
    """Return the days that are read: from the first, to the end of the last, which is no part of them."""
    end = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return end - timedelta(days=DAYS), end


def queries_of(groups: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the log groups of each query that is needed, each group once."""
    named = sorted(set(groups))
    return tuple(tuple(named[at : at + GROUPS_OF_A_QUERY]) for at in range(0, len(named), GROUPS_OF_A_QUERY))


def reported(
    status: str, rows: Sequence[Iterable[Mapping[str, str]]]
) -> Mapping[str, tuple[ReportedDay, ...] | None] | None:
    """Return name of a log group → its days in order, None for one of which a row cannot be read.

    Args:
        status: of GetQueryResults; while a query runs its rows are a part of them.
        rows: `results` of GetQueryResults.

    Returns:
        None where the answer is not whole, so that nothing is known.
    """
    if status != COMPLETE or len(rows) >= ROWS:
        return None
    found: dict[str, list[ReportedDay] | None] = {}
    for row in rows:
        fields = {one.get("field", ""): one.get("value", "") for one in row}
        group, day = fields.get("@log", "").partition(":")[2], _day_of(fields)
        days = found.setdefault(group, [])
        if day is None:
            found[group] = None
        elif days is not None:
            days.append(day)
    if "" in found:
        return None
    return {name: None if days is None else tuple(sorted(days, key=_by_day)) for name, days in found.items()}


def logged_of(days: Iterable[ReportedDay], invocations: Mapping[date, float], start: datetime) -> Logged:
    """Return what the lines of a function's log group say of its memory, with how many of its invocations they cover.

    Args:
        days: of its log group.
        invocations: day → how many there were, of every day from `start` on that counts.
        start: of the first day, aware.
    """
    lines = {one.day: one for one in days if one.day in invocations}
    invoked, written = sum(invocations.values()), sum(one.lines for one in lines.values())
    if not invoked or not lines:
        return Logged(reason="it has no REPORT lines" if invoked else "it was not invoked")
    matched = tuple(matched_days({day: one.lines for day, one in lines.items()}, invocations))
    first = min(invocations)
    # What the first of several days has beyond its invocations may be of the day before, which is not read.
    before = max(0.0, written_on(lines, first) - invocations[first]) if len(invocations) > 1 else 0.0
    if written - before > invoked * _AT_MOST:
        return Logged(
            reason=f"its log group has {written} REPORT lines of {invoked:.0f} invocations: others write to it"
        )
    covered, reason = min(_coverage(matched))
    most = sorted(one.most for one in lines.values())
    end = start + timedelta(days=len(invocations))
    summary = MetricSummary(
        maximum=most[-1],
        p99_5=_ranked(most, 0.995),
        p99=_ranked(most, 0.99),
        p95=_ranked(most, 0.95),
        p90=_ranked(most, 0.9),
        average=sum(one.mean * one.lines for one in lines.values()) / written,
        total=None,
        # A day without an invocation used no memory, and that is known.
        points=len(invocations),
        expected=len(invocations),
        period_seconds=_DAY_SECONDS,
        start=start,
        end=end,
        lowest=min(one.mean for one in lines.values()),
        missing_at_end=0,
    )
    return Logged(summary, covered, reason)


def written_on(lines: Mapping[date, ReportedDay], day: date) -> int:
    """Return how many lines a day has, zero where it has none."""
    return lines[day].lines if day in lines else 0


def matched_days(lines: Mapping[date, int], invocations: Mapping[date, float]) -> Iterator[tuple[date, float, float]]:
    """Yield each day with an invocation, how many it had, and how many of them have a line, at most all.

    AWS counts an invocation when it begins, and Lambda writes its line when it ends, up to 15 minutes later: that of
    the end of a day stands in the next. So what a day has beyond its own invocations counts for the day before, as far
    as that one lacks lines. Source: Lambda developer guide, "Types of metrics for Lambda functions".
    """
    ordered = sorted(invocations)
    for day, following in zip(ordered, (*ordered[1:], None), strict=True):
        count = invocations[day]
        beyond = 0.0 if following is None else max(0.0, lines.get(following, 0) - invocations[following])
        if count:
            yield day, count, min(count, lines.get(day, 0) + beyond)


def _coverage(matched: Iterable[tuple[date, float, float]]) -> Iterator[tuple[float, str]]:
    for day, count, written in matched:
        words = f"its logs have {written:.0f} REPORT lines of {count:.0f} invocations on {day}"
        yield min(100.0, written * _PERCENT / count), words


def _ranked(ascending: Sequence[float], share: float) -> float:
    return ascending[math.ceil(share * len(ascending)) - 1]


def _by_day(one: ReportedDay) -> date:
    return one.day


def _day_of(fields: Mapping[str, str]) -> ReportedDay | None:
    try:
        day, lines = date.fromisoformat(fields[_DAY][:10]), int(fields["lines"])
        most, mean = float(fields["most"]), float(fields["mean"])
    except (KeyError, ValueError):
        return None
    whole = lines > 0 and math.isfinite(most) and 0 <= mean <= most
    return ReportedDay(day, lines, most, mean) if whole else None
