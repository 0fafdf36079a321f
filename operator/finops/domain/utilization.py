"""What a resource did over a window, with how much of the window we really saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of one resource over one window.

    Attributes:
        maximum: highest of the period maxima.
        p99_5, p99, p95, p90: percentiles of the period maxima, computed here from the points (nearest rank).
        average: mean of the period averages.
        total: sum over the window (of period sums), None for metrics where a sum means nothing.
        points: periods that carried data.
        expected: periods in which data was due, since the later of the window's start and the first moment that counts;
            never zero in a built summary.
        period_seconds: length of one period.
        start, end: the window, aware.
        lowest: lowest of the period averages, of the period minima where the metric asks for them; where days
            were read in place of hours, of those that had ended.
        busiest_day: of a counter, the largest sum of any 24 hours in a row, in a shorter window its total; None else.
        near_maximum: how many periods came within a tenth of the maximum, at least 1; None in summaries that were
            stored without it.
        missing_at_end: periods without data at the end of the window; None in summaries that were stored without it.
        read_seconds: length of the points that were read, where they are longer than a period: the figures are then the
            most that the periods can have been; None: the periods themselves were read.
        not_running: periods of the window in which the resource was stopped, neither expected nor missing; None: none.
    """

    maximum: float
    p99_5: float
    p99: float
    p95: float
    p90: float
    average: float
    total: float | None
    points: int
    expected: int
    period_seconds: int
    start: datetime
    end: datetime
    lowest: float
    busiest_day: float | None = None
    near_maximum: int | None = None
    missing_at_end: int | None = None
    read_seconds: int | None = None
    not_running: int | None = None

    @property
    def coverage_percent(self) -> float:
        """Points present as a percentage of points expected, 0 to 100."""
        return min(100.0, 100.0 * self.points / self.expected) if self.expected else 0.0

    @property
    def hours(self) -> float:
        """Hours of data actually seen."""
        return self.points * self.period_seconds / 3600

    @property
    def hours_missing_at_end(self) -> float:
        """Hours at the end of the window about which nothing is known; 0 where that was not stored."""
        return (self.missing_at_end or 0) * self.period_seconds / 3600

    @property
    def days(self) -> float:
        """Length of the window, in days: what counts of it, whether the resource ran or was stopped."""
        return (self.expected + (self.not_running or 0)) * self.period_seconds / 86400

    @property
    def running_share(self) -> float:
        """How much of the window the resource ran, 0 to 1."""
        return self.expected / (self.expected + (self.not_running or 0))


@dataclass(frozen=True, slots=True)
class MonthlyUse:
    """How much of a metric the last 30 days brought, as a bill by use needs it.

    Attributes:
        amount: of a counter the sum over `hours`, and so of the hours of a level's units; of another level what the
            newest day holds.
        hours: the hours that `amount` is the sum of, 720 at most; None for a level.
    """

    amount: float
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class HoursRan:
    """How much of a window a resource ran that is stopped again and again, whatever it was meanwhile.

    Attributes:
        share: of its hours, above 0 and below 1.
        days: how long the window is.
    """

    share: float
    days: float


@dataclass(frozen=True, slots=True)
class LeastPeaks:
    """What a level reached at least, as whole days prove it without any finer point.

    Attributes:
        p90, p95, p99_5: the percentiles of the 5-minute maxima over the whole window are no lower than these.
        average: neither is the mean of the hourly averages.
    """

    p90: float
    p95: float
    p99_5: float
    average: float


@dataclass(frozen=True, slots=True)
class HourPoints:
    """The hours of one metric one by one, the oldest first: for what depends on the time of the day.

    Attributes:
        end_hour: first hour (since the epoch, UTC) that is not among them.
        peaks: maximum of each hour, of a counter its sum; None: nothing is known of that hour.
    """

    end_hour: int
    peaks: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Utilization:
    """All summaries of one resource by our metric name; a metric that is not there is unknown, not zero.

    Metric names: `cpuPercent`, `gpuPercent`, `networkInBytes`, `networkOutBytes`, `networkPacketsIn`,
    `networkPacketsOut`, `cpuCreditBalance`, `memoryPercent`, `ebsReadOps`, `ebsWriteOps`, `ebsReadBytes`,
    `ebsWriteBytes`, `volumeReadOps`, `volumeWriteOps`, `volumeReadBytes`, `volumeWriteBytes`, `volumeIdleSeconds`.
    `unknown` maps a metric name to the reason why there is no summary (`NotPublished`, `Throttled`, …).
    `NotPublished` says that the query succeeded and AWS holds no point at all in the window; only that reason may be
    read as evidence, and only together with `asked_from`.
    `fine` holds the 5-minute picture of candidates under the same names, where it was fetched.
    `asked_from` maps a metric name to the start of the window that was asked for, also where nothing was published.
    `month` holds what the last 30 days brought of metrics that are read by the day, whatever a policy's lookback.
    `least` holds lower bounds of levels where `metrics` are summaries of days, because days decided every check.
    `ran` says how much of the window it ran, where hours showed that it is stopped again and again; else None.
    `hours` holds the hours of metrics that a kind hands to its checks one by one, where they were read.
    """

    resource_id: str
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    fine: Mapping[str, MetricSummary] = field(default_factory=dict)
    asked_from: Mapping[str, datetime] = field(default_factory=dict)
    month: Mapping[str, MonthlyUse] = field(default_factory=dict)
    least: Mapping[str, LeastPeaks] = field(default_factory=dict)
    hours: Mapping[str, HourPoints] = field(default_factory=dict)
    ran: HoursRan | None = None

    def best(self, name: str) -> MetricSummary | None:
        """Return the finest summary there is of `name`, or None when it is unknown."""
        return self.fine.get(name) or self.metrics.get(name)
