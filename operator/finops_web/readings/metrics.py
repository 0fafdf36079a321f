"""The hourly values behind a resource's summaries, or the daily ones, as lines of a chart and as a table by day."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from finops.domain.days import DayPoints
from finops.domain.rings import Ring
from finops.domain.utilization import MetricSummary
from finops.store.connection import Store
from finops.store.utilization import UtilizationStore
from finops_web.formats import read_every
from finops_web.readings.limits import Limit
from finops_web.readings.resources import ResourceRow

SHOWN_HOURS: Final = 14 * 24
_PERCENT: Final = 100.0
_SMALL_PERCENT: Final = 10.0
_STEPS: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)
_LEVEL_STATISTICS: Final = 2
"""A level is kept as hourly means and hourly peaks, of some with how many samples, a counter as hourly sums alone."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a metric: its highest hour, its mean, and how many of its hours have a value.

    Where days were read and no hours: its highest value or its sum, its mean, and no number of hours.
    """

    day: date
    highest: float
    mean: float
    hours: int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """One metric over time. Coordinates are percent of the picture; an hour without a value interrupts the line.

    Attributes:
        what: what a point is: the highest value of an hour, or its sum; of a day where `by_day`.
        top: the highest point.
        scale: the figure at the top of the picture; at its foot is 0.
        lines: points of each uninterrupted line, as an SVG polyline takes them.
        mark: height of the value below which 99.5 % of the time lies, None when it is not known.
        below: that value, and `below_of` what it is of in words, since it may be of shorter times than the points.
        of_sums: whether points and days are sums of a counter, not values of a level.
        limits: what checks compare the metric with, with the height of each.
    """

    name: str
    what: str
    start: datetime
    end: datetime
    top: float
    scale: float
    lines: tuple[str, ...]
    mark: float | None
    below: float | None
    days: tuple[Day, ...]
    by_day: bool = False
    limits: tuple[tuple[float, Limit], ...] = ()
    below_of: str = ""
    of_sums: bool = False


def charts_of(store: Store, row: ResourceRow, limits: Iterable[Limit] = ()) -> tuple[Chart, ...]:
    """Return a chart for each metric whose hours or days are kept, with its limits. Raises StoreUnavailable."""
    if row.utilization is None:
        return ()
    names, kept, place = sorted(row.utilization.metrics), UtilizationStore(store), row.resource
    rings = kept.rings(place.shard, names, [place.id])
    without = [name for name in names if (place.id, name) not in rings]
    days = kept.days.read(place.shard, without, [place.id])
    charts: list[Chart | None] = []
    own: dict[str, list[Limit]] = {}
    for one in limits:
        own.setdefault(one.metric, []).append(one)
    for name in names:
        drawn = own.get(name, [])
        ring, points = rings.get((place.id, name)), days.get((place.id, name))
        if ring is not None and ring.hours:
            charts.append(_chart(name, ring, row, drawn))
        elif points is not None and points.values:
            level = row.utilization.metrics[name].total is None
            charts.append(_chart_of_days(name, points, drawn, level=level))
    return tuple(chart for chart in charts if chart is not None)


def _chart_of_days(name: str, points: DayPoints, limits: Sequence[Limit], *, level: bool) -> Chart | None:
    """Return the chart of a metric whose days decided: of a level means come first and then maxima, else sums."""
    means, values = points.values[0], points.values[1 if level else 0]
    known = [one for one in values if not math.isnan(one)]
    if not known:
        return None
    top, scale = max(known), scale_of(name, max(known), limits)
    days = tuple(
        Day(_at(24 * (points.first_day + number)).date(), value, mean, None)
        for number, (value, mean) in enumerate(zip(values, means, strict=True))
        if not math.isnan(value)
    )
    return Chart(
        name,
        f"{'highest value' if level else 'sum'} of each day; hours were not needed",
        _at(24 * points.first_day),
        datetime.fromtimestamp(points.asked, tz=UTC),
        top,
        scale,
        tuple(_lines(list(values), scale)),
        None,
        None,
        days,
        by_day=True,
        limits=_drawn(limits, scale),
        of_sums=not level,
    )


def _chart(name: str, ring: Ring, row: ResourceRow, limits: Sequence[Limit]) -> Chart | None:
    first = max(ring.start_hour, ring.end_hour - SHOWN_HOURS)
    level = len(ring.values) >= _LEVEL_STATISTICS
    values = list(ring.slice_from(first)[1 if level else 0])
    known = [one for one in values if not math.isnan(one)]
    if not known:
        return None
    top, scale = max(known), scale_of(name, max(known), limits)
    summary = row.utilization.best(name) if row.utilization is not None else None
    below = summary.p99_5 if level and summary is not None and summary.p99_5 <= top else None
    return Chart(
        name,
        "highest value of each hour" if level else "sum of each hour",
        _at(first),
        _at(ring.end_hour),
        top,
        scale,
        tuple(_lines(values, scale)),
        None if below is None else _height(below, scale),
        below,
        _days(first, values),
        limits=_drawn(limits, scale),
        below_of="" if below is None or summary is None else _period_of(summary),
        of_sums=not level,
    )


def _period_of(summary: MetricSummary) -> str:
    """Return what a percentile is of, in words; where longer points were read it is the most that it can be."""
    bound = ", at most" if summary.read_seconds else ""
    return f"highest values of each {read_every(summary.period_seconds)}{bound}"


def scale_of(name: str, top: float, limits: Iterable[Limit]) -> float:
    """Return the figure at the top of an axis: 100 of a percentage, else a round one above all that is drawn.

    Of a percentage that is compared with a small limit, and stays as small, it is 10: on 100 nobody could see which of
    the two is higher.
    """
    marks = [float(one.value) for one in limits]
    most = max(top, 0.0, *marks)
    if name.endswith("Percent") and most <= _PERCENT:
        return _SMALL_PERCENT if marks and most <= _SMALL_PERCENT else _PERCENT
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in _STEPS if most <= step * power)


def _drawn(limits: Iterable[Limit], scale: float) -> tuple[tuple[float, Limit], ...]:
    return tuple((_height(float(one.value), scale), one) for one in limits)


def _height(value: float, scale: float) -> float:
    return 100 - 100 * value / scale


def _lines(values: Sequence[float], top: float) -> list[str]:
    width = max(1, len(values) - 1)
    lines: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if math.isnan(value):
            lines.append([])
        else:
            lines[-1].append(f"{100 * number / width:.2f},{_height(value, top):.2f}")
    return [" ".join(one) for one in lines if one]


def _days(first: int, values: Sequence[float]) -> tuple[Day, ...]:
    by_day: dict[date, list[float]] = {}
    for number, value in enumerate(values):
        if not math.isnan(value):
            by_day.setdefault(_at(first + number).date(), []).append(value)
    return tuple(Day(day, max(found), sum(found) / len(found), len(found)) for day, found in sorted(by_day.items()))


def _at(hour: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
