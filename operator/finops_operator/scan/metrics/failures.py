"""Counts what could not be measured in one shard, as gaps: one per error code, never one per resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from finops.domain.quantity import counted
from finops.domain.resource import Gap, Shard
from finops.errors import AwsError
from finops_operator.scan.metrics.queries import FIVE_MINUTES, Window
from finops_operator.scan.metrics.windows import DAY


@dataclass(slots=True)
class Asked:
    """How much of CloudWatch was asked for in one shard: days, hours and 5 minutes apart."""

    hourly_series: int = 0
    hourly_requests: int = 0
    fine_series: int = 0
    fine_requests: int = 0
    day_series: int = 0
    day_requests: int = 0
    points: int = 0

    def add(self, series: int, window: Window) -> None:
        """Count one request of `series` series over `window`."""
        self.points += series * window.points
        if window.period == DAY:
            self.day_series += series
            self.day_requests += 1
        elif window.period == FIVE_MINUTES:
            self.fine_series += series
            self.fine_requests += 1
        else:
            self.hourly_series += series
            self.hourly_requests += 1


@dataclass(slots=True)
class Failures:
    """Failed metrics of one shard, and how much was asked for."""

    shard: Shard
    metrics: Counter[tuple[str, str]] = field(default_factory=Counter)
    resources: Counter[tuple[str, str]] = field(default_factory=Counter)
    messages: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)

    def add(self, operation: str, code: str, failed: Iterable[str]) -> None:
        """Count failed metrics, one resource id per metric."""
        ids = list(failed)
        self.metrics[operation, code] += len(ids)
        self.resources[operation, code] += len(set(ids))

    def forget(self) -> None:
        """Count anew: what failed is asked for once more. How much was asked for stays."""
        self.metrics.clear()
        self.resources.clear()

    def explain(self, error: AwsError) -> None:
        """Keep the first message of each code, for people."""
        self.messages.setdefault((error.operation.partition(":")[2], error.code), str(error))

    def gaps(self) -> tuple[Gap, ...]:
        """Return one Gap per operation and code, with the number of resources concerned."""
        return tuple(
            Gap(
                self.shard.account,
                self.shard.region,
                "cloudwatch",
                operation,
                code,
                self._sentence(operation, code, count),
                self.resources[operation, code],
            )
            for (operation, code), count in sorted(self.metrics.items())
        )

    def _sentence(self, operation: str, code: str, count: int) -> str:
        unknown = f"unknown: {counted(count, 'metric')} of {self.shard.kind}"
        why = self.messages.get((operation, code), "")
        return f"{unknown}: {why}" if why else unknown
