"""Memory of functions from the REPORT lines of their logs, as a query of CloudWatch Logs Insights answers it; pure.

No scan sends the query yet: AWS bills each GB that it reads. Lambda writes one line for each invocation, unless the
function's log format is JSON or its system log level leaves it out. So lines count only beside the invocations of the
same days, and what has fewer is not known. Source: CloudWatch Logs user guide, "Sample queries" (Lambda) and "Supported
logs and discovered fields"; CloudWatch Logs API reference, StartQuery and GetQueryResults.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

QUERY: Final = (
    'filter @type = "REPORT" | stats count(*) as lines, max(@maxMemoryUsed * 100 / @memorySize) as most, '
    "avg(@maxMemoryUsed * 100 / @memorySize) as mean by @log, bin(1d)"
)
"""A row for each log group and day; the size of the time is the line's own, so that a change of it does no harm."""
GROUPS_OF_A_QUERY: Final = 50
ROWS: Final = 10_000
"""As many rows as an answer can have: one that has them all may lack others."""
_COMPLETE: Final = "Complete"
_DAY: Final = "bin(1d)"
_PERCENT: Final = 100


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
    if status != _COMPLETE or len(rows) >= ROWS:
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


def highest_percent(
    days: Iterable[ReportedDay], invocations: Mapping[date, float], least_percent: float
) -> float | str:
    """Return the largest share of its memory that a function used, or why that is not known.

    Args:
        days: of its log group.
        invocations: day → how many there were, of every day that counts.
        least_percent: of these that must have written a line, on each day.
    """
    lines = {one.day: one for one in days}
    for day, count in sorted(invocations.items()):
        written = lines[day].lines if day in lines else 0
        if written * _PERCENT < count * least_percent:
            return f"its logs have {written} REPORT lines of {count:.0f} invocations on {day}"
    known = [one.most for day, one in lines.items() if day in invocations]
    return max(known) if known else "it has no REPORT lines"


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
