"""The days of resources of which nothing is known yet: one point a day, the first and cheapest picture of a window.

Called by the measure stage before it asks for hours. A picture that misses a metric, or sees a day only in part, is
none: then the hours must say. What was answered today is kept and not asked again.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from finops.domain.resource import Resource, Shard
from finops.domain.utilization import LeastPeaks, MetricSummary, Utilization
from finops.store.utilization import UtilizationStore
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.plugins.sufficiency import ANSWERED
from finops_operator.scan.metrics.bounds import Bucket, mean_at_least, percentile_at_least
from finops_operator.scan.metrics.fetch import MetricAnswers
from finops_operator.scan.metrics.queries import Query, Window
from finops_operator.scan.metrics.summarize import NOT_APPLICABLE, Series, first_period, summarize

Points: TypeAlias = "tuple[array[float], ...]"
_SAMPLE_COUNT: Final = "SampleCount"
_PERIODS_A_DAY: Final = 288
_PERIODS_AN_HOUR: Final = 12
_HOURS_A_DAY: Final = 24
_WHOLE: Final = 0.95
"""Share of the samples of a full day from which a day counts as seen."""


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The days picture of one shard.

    Attributes:
        window: whole days that lie in the hourly and in the 5-minute window of `lookback_days`.
    """

    shard: Shard
    kind: ResourceKind[Any]
    store: UtilizationStore
    window: Window
    lookback_days: int

    @property
    def usable(self) -> bool:
        """Whether the days of every metric of the kind say enough, and there are any."""
        return self.window.points > 0 and all(
            spec.discovered or spec.samples_in_five_minutes is not None for spec in self._specs.values()
        )

    @property
    def _specs(self) -> dict[str, MetricSpec]:
        return {spec.name: spec for spec in self.kind.metrics if spec.hourly}

    def pictures(
        self,
        resources: Sequence[Resource],
        ask: Callable[[Resource, MetricSpec], Query | str],
        fetch: Callable[[Iterable[Query]], Iterator[MetricAnswers]],
    ) -> dict[str, Utilization]:
        """Return resource id → its days, for those whose every metric was answered with whole days.

        Args:
            resources: of the shard.
            ask: gives the query of a metric over `window`, or the reason why there is nothing to ask.
            fetch: sends queries.
        """
        question = f"whole-days-{self.window.start}-{self.window.end}"
        marks = {one.id: str(one.created or "") for one in resources}
        found = self.store.answers(self.shard, question, marks)
        open_ones = {one.id: one for one in resources if one.id not in found}
        unasked: dict[str, dict[str, str]] = {one: {} for one in open_ones}
        points: dict[str, dict[str, Points]] = {one: {} for one in open_ones}
        queries: list[Query] = []
        for resource in open_ones.values():
            for spec in self._specs.values():
                query = ask(resource, spec) if spec.applies(resource) else NOT_APPLICABLE
                if isinstance(query, Query):
                    queries.append(_with_samples(query, spec))
                else:
                    unasked[resource.id][spec.name] = query
        for answers in fetch(queries):
            for query, series in answers.points.items():
                points[query.resource_id][query.name] = series
            for query in answers.failed:
                open_ones.pop(query.resource_id, None)
        made = {
            one.id: picture
            for one in open_ones.values()
            if (picture := self._picture(one, points[one.id], unasked[one.id])) is not None
        }
        kept = {one: picture for one, picture in made.items() if ANSWERED.issuperset(picture.unknown.values())}
        self.store.put_answers(self.shard, question, marks, kept)
        return found | made

    def _picture(
        self, resource: Resource, points: Mapping[str, Points], unasked: Mapping[str, str]
    ) -> Utilization | None:
        metrics: dict[str, MetricSummary] = {}
        least: dict[str, LeastPeaks] = {}
        for name, columns in points.items():
            spec = self._specs[name]
            days, samples = columns[: len(spec.statistics)], columns[len(spec.statistics) :]
            series = Series(self.window.start, self.window.period, days)
            summary = summarize(spec, series, resource.created)
            if isinstance(summary, str):
                return None
            metrics[name] = summary
            if samples:
                first = (first_period(resource.created, series.start, series.period) - series.start) // series.period
                if not _seen_whole(samples[0][first:]):
                    return None
                if not spec.counter:
                    least[name] = self._least(spec, [one[first:] for one in columns])
        asked_from = dict.fromkeys(metrics, datetime.fromtimestamp(self.window.start, tz=UTC))
        return Utilization(resource.id, metrics, unasked, asked_from=asked_from, least=least)

    def _least(self, spec: MetricSpec, columns: Sequence[array[float]]) -> LeastPeaks:
        averages, maxima = (columns[spec.statistics.index(one)] for one in ("Average", "Maximum"))
        buckets = [
            Bucket(average, maximum, samples)
            for average, maximum, samples in zip(averages, maxima, columns[-1], strict=True)
            if not math.isnan(average)
        ]
        most = spec.samples_in_five_minutes or 1
        p90, p95, p99_5 = (
            percentile_at_least(buckets, permille, self.lookback_days * _PERIODS_A_DAY, most)
            for permille in (900, 950, 995)
        )
        average = mean_at_least(buckets, self.lookback_days * _HOURS_A_DAY, most * _PERIODS_AN_HOUR)
        return LeastPeaks(p90, p95, p99_5, average)


def _with_samples(query: Query, spec: MetricSpec) -> Query:
    """Return the query with SampleCount where it says something; five statistics of a metric are billed as one."""
    if spec.discovered or not spec.samples_in_five_minutes:
        return query
    return replace(query, statistics=(*query.statistics, _SAMPLE_COUNT))


def _seen_whole(samples: Sequence[float]) -> bool:
    """Return whether each day holds as many samples as the fullest, and one for each five minutes at least."""
    known = [one for one in samples if not math.isnan(one)]
    return len(known) == len(samples) and min(known) >= _WHOLE * max(_PERIODS_A_DAY, *known)
