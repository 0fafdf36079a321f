"""What is asked of CloudWatch: one metric of one resource over one aligned window, and how many fit into a request.

Pure; used by the measure stage. Limits: 500 queries and 100,800 datapoints a GetMetricData request (API reference).
All statistics of a metric go into one request, where up to five of them are billed as one metric.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MAXIMUM_QUERIES: Final = 500
MAXIMUM_POINTS: Final = 100_800
HOUR: Final = 3600
FIVE_MINUTES: Final = 300


_OPPOSITE: Final = {"Maximum": "Minimum", "Minimum": "Maximum"}
_ALL: Final = 100.0


def _used(left: float, whole: float) -> float:
    return min(_ALL, max(0.0, _ALL * (1 - left / whole)))


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """`[start, end)` in seconds since the epoch, aligned to `period` seconds."""

    start: int
    end: int
    period: int

    @property
    def points(self) -> int:
        return (self.end - self.start) // self.period

    @property
    def start_time(self) -> datetime:
        return datetime.fromtimestamp(self.start, tz=UTC)

    @property
    def end_time(self) -> datetime:
        return datetime.fromtimestamp(self.end, tz=UTC)


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of one resource with the statistics that are wanted of it.

    Attributes:
        resource_id: whose metric it is.
        name: our name of the metric.
        namespace, metric, dimensions: CloudWatch's, complete: a partial dimension set finds nothing.
        statistics: `Average`, `Maximum`, `Sum`, …
        whole: of what is left of something, what it is left of in the same unit: it is asked for by the opposite
            extreme and answered as the percent that are used. None: the figure itself.
        further: dimension sets of the other parts of the resource, where it is measured part by part.
        missing_adds_zero: whether a part without a point adds nothing to a sum where another one has its point.
    """

    resource_id: str
    name: str
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistics: tuple[str, ...]
    window: Window
    further: tuple[tuple[tuple[str, str], ...], ...] = ()
    whole: float | None = None
    missing_adds_zero: bool = False

    def asked(self, statistic: str) -> str:
        """Return what to ask CloudWatch for a statistic: most is used when least is left."""
        return statistic if self.whole is None else _OPPOSITE.get(statistic, statistic)

    def answered(self, points: array[float]) -> array[float]:
        """Return points as the metric has them: of what is left, the percent that are used."""
        whole = self.whole
        if whole is None:
            return points
        return array("f", (value if math.isnan(value) else _used(value, whole) for value in points))

    @property
    def parts(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """All dimension sets that are asked about, at least one."""
        return (self.dimensions, *self.further)

    @property
    def series(self) -> int:
        """How many series it asks for."""
        return len(self.parts) * len(self.statistics)

    @property
    def key(self) -> tuple[str, str]:
        """Resource id and our metric name: what is asked once, whoever wants it."""
        return self.resource_id, self.name


@dataclass(frozen=True, slots=True)
class Batch:
    """Queries of one request: one window, within both limits."""

    window: Window
    queries: tuple[Query, ...]

    @property
    def series(self) -> int:
        return sum(query.series for query in self.queries)


def series_per_request(points: int) -> int:
    """Return how many series of `points` points one request may ask for without paging."""
    return max(1, min(MAXIMUM_QUERIES, MAXIMUM_POINTS // max(1, points)))


def batches(queries: Iterable[Query]) -> Iterator[Batch]:
    """Yield requests for `queries`: duplicates asked once, one window each, no metric's statistics torn apart."""
    by_window: dict[Window, dict[tuple[str, str], Query]] = {}
    for query in queries:
        by_window.setdefault(query.window, {})[query.key] = query
    for window, wanted in sorted(by_window.items()):
        room = series_per_request(window.points)
        chosen: list[Query] = []
        used = 0
        for query in wanted.values():
            if chosen and used + query.series > room:
                yield Batch(window, tuple(chosen))
                chosen, used = [], 0
            chosen.append(query)
            used += query.series
        if chosen:
            yield Batch(window, tuple(chosen))
