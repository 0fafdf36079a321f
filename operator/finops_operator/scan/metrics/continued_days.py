"""Days that go on: what was answered about days that had ended stays, and only the later ones are asked for. Pure.

A question costs the same however long its window is, but its points count against the account's quota: two days in
place of fifteen.
"""

from __future__ import annotations

import math

from finops.domain.days import DayPoints
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.queries import Window
from finops_operator.scan.metrics.windows import DAY, SETTLE_SECONDS


def open_days(points: DayPoints | None, spec: MetricSpec, window: Window) -> Window:
    """Return the days of `window` that must be asked for: those that had not ended, or all where one is not known.

    A metric that is found by its dimensions, or measured part by part, may have been another one: it is asked as a
    whole.

    Args:
        points: what was answered before about the same launch.
        spec: the metric.
        window: whole days, today among them.
    """
    if points is None or spec.discovered or spec.dimensions is not None or spec.parts is not None:
        return window
    first, ended = window.start // DAY, (points.asked - SETTLE_SECONDS) // DAY
    held = points.since(first)
    days = ended - first
    if held is None or not 0 < days < window.points or any(len(one) < days for one in held):
        return window
    if any(math.isnan(value) for one in held for value in one[:days]):
        return window
    return Window(ended * DAY, window.end, DAY)


def continued(points: DayPoints | None, fresh: DayPoints, window: Window) -> DayPoints:
    """Return the days of `window` from what was known and what was answered now; `fresh` may be all of it."""
    first = window.start // DAY
    held = None if points is None else points.since(first)
    if held is None or fresh.first_day == first:
        return fresh
    days = fresh.first_day - first
    joined = tuple(before[:days] + after for before, after in zip(held, fresh.values, strict=True))
    return DayPoints(fresh.asked, first, joined)
