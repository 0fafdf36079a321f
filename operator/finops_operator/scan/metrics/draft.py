"""A Utilization in the making: what the measure stage's pictures put together of one resource."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from finops.domain.resource import Resource
from finops.domain.utilization import HourPoints, HoursRan, LeastPeaks, MetricSummary, MonthlyUse, Utilization
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.summarize import Series, monthly_use, summarize


@dataclass(slots=True)
class Draft:
    """The parts of a Utilization, by our names of metrics."""

    metrics: dict[str, MetricSummary] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    fine: dict[str, MetricSummary] = field(default_factory=dict)
    asked_from: dict[str, datetime] = field(default_factory=dict)
    month: dict[str, MonthlyUse] = field(default_factory=dict)
    least: dict[str, LeastPeaks] = field(default_factory=dict)
    hours: dict[str, HourPoints] = field(default_factory=dict)
    ran: HoursRan | None = None

    def done(self, resource_id: str) -> Utilization:
        return Utilization(
            resource_id,
            self.metrics,
            self.unknown,
            self.fine,
            self.asked_from,
            self.month,
            self.least,
            self.hours,
            self.ran,
        )

    def by_day(self, names: Collection[str]) -> Utilization:
        """Return what is here of the metrics that are read by the day."""
        return Utilization(
            "",
            {name: one for name, one in self.metrics.items() if name in names},
            {name: why for name, why in self.unknown.items() if name in names},
            asked_from={name: since for name, since in self.asked_from.items() if name in names},
            month=self.month,
        )

    def take(self, days: Utilization) -> None:
        """Take over the picture of days, or of hours, which decided."""
        self.metrics.update(days.metrics)
        self.unknown.update(days.unknown)
        self.asked_from = {**days.asked_from, **self.asked_from}
        self.least.update(days.least)
        self.fine.update(days.fine)

    def put(self, name: str, found: MetricSummary | str, *, fine: bool = False) -> None:
        if isinstance(found, str):
            self.unknown[name] = found
        elif fine:
            self.fine[name] = found
        else:
            self.metrics[name] = found

    def put_days(self, spec: MetricSpec, series: Series, resource: Resource) -> None:
        """Take what the days of a metric say: of the whole window, and of the last 30 for the bill."""
        launch = resource.created
        self.asked_from[spec.name] = datetime.fromtimestamp(series.start, tz=UTC)
        self.put(spec.name, summarize(spec, series, launch))
        use = monthly_use(spec, series, launch, stands=spec.stands(resource))
        if use is not None:
            self.month[spec.name] = use

    def take_days(self, spec: MetricSpec, before: Utilization) -> bool:
        """Take over what another scan of today was answered about a metric; False when it was not answered."""
        found = before.metrics.get(spec.name) or before.unknown.get(spec.name)
        if found is None:
            return False
        self.asked_from[spec.name] = before.asked_from[spec.name]
        self.put(spec.name, found)
        if spec.name in before.month:
            self.month[spec.name] = before.month[spec.name]
        return True
