"""The days of resources of which no hours are known: one point a day, the first and cheapest picture of a window.

Called by the measure stage before it asks for hours. A picture that misses a metric, or saw too little of a day, is
none: then the hours must say. What only 5 minutes hold otherwise is asked for by days when all else has decided. What
was answered is kept for the charts of readers, and not asked again for a day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final, TypeAlias

from finops.domain.days import DayPoints
from finops.domain.resource import Resource, Shard
from finops.domain.rings import Ring
from finops.domain.utilization import LeastPeaks, MetricSummary, Utilization
from finops.store.utilization import UtilizationStore
from finops_operator.plugins.check import Settled
from finops_operator.plugins.kind import STOPPED_AT_MOST, MetricSpec, ResourceKind
from finops_operator.scan.metrics.between import (
    MOST_MISSING,
    SAMPLE_COUNT,
    Between,
    Span,
    between,
    everything_between,
    narrowed,
    nothing_between,
    span_of,
)
from finops_operator.scan.metrics.continued_days import continued, open_days
from finops_operator.scan.metrics.fetch import MetricAnswers
from finops_operator.scan.metrics.queries import HOUR, Query, Window
from finops_operator.scan.metrics.summarize import NOT_APPLICABLE, NOT_PUBLISHED
from finops_operator.scan.metrics.week_of_hours import (
    STATISTICS,
    all_raised,
    at_best,
    least_peaks,
    says_more,
    week_window,
)
from finops_operator.scan.metrics.windows import DAY, touched_days

_KEPT_FOR: Final = DAY
Answered: TypeAlias = "Between | str"
"""What days prove about a metric, or why there is nothing of it."""


@dataclass(frozen=True, slots=True)
class DaysPicture:
    """One resource by its days, with the least and the most that its finer points can say."""

    days: Utilization
    least: Utilization
    most: Utilization

    def beside(self, known: Utilization) -> DaysPicture:
        """Return the same together with what finer points will not change."""
        return DaysPicture(
            *(
                replace(
                    one,
                    metrics={**known.metrics, **one.metrics},
                    unknown={**known.unknown, **one.unknown},
                    asked_from={**known.asked_from, **one.asked_from},
                    month=known.month,
                )
                for one in (self.days, self.least, self.most)
            )
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What days, and later hours, prove about one resource, by metric."""

    span: Span
    metrics: Mapping[str, Answered] = field(default_factory=dict)

    def with_hours(self, hours: Utilization, rings: Mapping[str, Ring]) -> Known | None:
        """Return the same with the hours of its levels in place of their days; None where an hour failed.

        `hours` are their summaries, `rings` the points behind them.
        """
        metrics: dict[str, Answered] = {}
        for name, one in self.metrics.items():
            summary = hours.metrics.get(name)
            if not isinstance(one, Between) or one.hourly is None:
                metrics[name] = one
            elif summary is None:
                return None
            elif one.fine is not None and summary.total is None:
                window = self.span.hours
                held = [values[: window.points] for values in rings[name].slice_from(window.start // HOUR)][:2]
                if rings[name].end_hour != window.end // HOUR or len(held[0]) != window.points:
                    return None
                metrics[name] = narrowed(one, summary, held, self.span)
            else:
                metrics[name] = replace(one, shown=summary, hourly=(summary, summary))
        return replace(self, metrics=metrics)


Judge: TypeAlias = Callable[[Resource, DaysPicture], Settled]


@dataclass(frozen=True, slots=True)
class FirstDays:
    """The days picture of one shard.

    Attributes:
        ask: gives the query of a metric over a window, or the reason why there is nothing to ask.
        fetch: sends queries.
        judge: says what a picture decides; None: days are not asked for.
    """

    shard: Shard
    kind: ResourceKind[Any]
    store: UtilizationStore
    now: datetime
    lookback_days: int
    ask: Callable[[Resource, MetricSpec, Window], Query | str]
    fetch: Callable[[Iterable[Query]], Iterator[MetricAnswers]]
    judge: Judge | None

    def decided(self, resources: Sequence[Resource]) -> tuple[dict[str, Utilization], dict[str, Known]]:
        """Return resource id → its days, of those that need nothing finer, and what is known of the others.

        Where a judgement rests on what 5 minutes are at most, that is there as `Utilization.fine`.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        known = self.known(resources)
        if self.judge is None:
            return {}, known
        found, left = self._settled(resources, known, self.judge)
        closer = self._with_week(left, known, self.judge)
        found |= self._settled(left, closer, self.judge)[0]
        return found, {one: proven for one, proven in known.items() if one not in found}

    def known(self, resources: Sequence[Resource]) -> dict[str, Known]:
        """Return resource id → what its days prove, of those that have all of them.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        hourly = [spec for spec in self.kind.metrics if spec.hourly]
        unsaid = any(not spec.discovered and spec.samples_in_five_minutes is None for spec in hourly)
        return {} if self.judge is None or unsaid or not hourly else self._known(resources, hourly, _statistics)

    def decided_by_hours(
        self,
        resources: Sequence[Resource],
        known: Mapping[str, Known],
        hours: Mapping[str, Utilization],
        rings: Mapping[tuple[str, str], Ring],
    ) -> dict[str, Utilization]:
        """Return resource id → its hours, of those left open by what is `known` of days that need no 5 minutes now."""
        if self.judge is None:
            return {}
        closer: dict[str, Known] = {}
        for one in (resource for resource in resources if resource.id in known):
            own = {name: ring for name in known[one.id].metrics if (ring := rings.get((one.id, name))) is not None}
            found = known[one.id].with_hours(hours[one.id], own)
            if found is not None:
                closer[one.id] = found
        return self._settled(resources, closer, self.judge)[0]

    def _settled(
        self, resources: Sequence[Resource], known: Mapping[str, Known], judge: Judge
    ) -> tuple[dict[str, Utilization], list[Resource]]:
        """Return resource id → its picture, of those that what is known decides, and the resources that stay open.

        What only 5 minutes hold is taken for nothing at first, and asked for where it may decide: what is open even so,
        it would not settle. Of the open ones those are not returned that it alone keeps open.
        """
        further = [spec for spec in self.kind.metrics if spec.fine and not spec.hourly]
        found: dict[str, Utilization] = {}
        promising: list[Resource] = []
        left: list[Resource] = []
        for resource in (one for one in resources if one.id in known):
            picture = _picture(resource, known[resource.id], [one for one in further if one.applies(resource)])
            settled = judge(resource, picture)
            if settled is Settled.BY_DAYS:
                found[resource.id] = picture.days
            else:
                (promising if settled is Settled.BY_BOUNDS else left).append(resource)
        found |= self._by_further(promising, known, further, judge)
        return found, left

    def _by_further(
        self, resources: Sequence[Resource], known: Mapping[str, Known], further: Sequence[MetricSpec], judge: Judge
    ) -> dict[str, Utilization]:
        """Return resource id → its picture, of those that days of the metrics which only 5 minutes hold decide.

        What is asked last is asked for where it may decide: neither where its least and its most lead to the same, nor
        where even nothing of it leaves all open.
        """
        last = [spec for spec in further if spec.asked_last]
        first = [spec for spec in further if not spec.asked_last]
        found, left = self._closed(resources, known, (first, _bounds_alone), last, judge)
        if last:
            hanging = [one for one, at_best in left if at_best is not Settled.OPEN]
            made, still = self._closed(hanging, known, (further, _bounds_alone), (), judge)
            found |= made
            left = [*still, *((one, at_best) for one, at_best in left if at_best is Settled.OPEN)]
        # What the bounds of peaks leave open, sums may close.
        return found | self._closed([one for one, _ in left], known, (further, _statistics), (), judge)[0]

    def _closed(
        self,
        resources: Sequence[Resource],
        known: Mapping[str, Known],
        asked: tuple[Sequence[MetricSpec], Callable[[MetricSpec], tuple[str, ...]]],
        unasked: Sequence[MetricSpec],
        judge: Judge,
    ) -> tuple[dict[str, Utilization], list[tuple[Resource, Settled]]]:
        """Return what days of metrics decide, and what stays open with what it were if `unasked` were nothing."""
        found: dict[str, Utilization] = {}
        left: list[tuple[Resource, Settled]] = []
        rest = self._known(resources, *asked)
        for resource in (one for one in resources if one.id in rest):
            closer = replace(known[resource.id], metrics={**known[resource.id].metrics, **rest[resource.id].metrics})
            open_ones = [spec for spec in unasked if spec.applies(resource)]
            picture = _picture(resource, closer, (), open_ones)
            settled = judge(resource, picture)
            if settled is Settled.BY_BOUNDS:
                fine = {name: one for name, one in picture.most.fine.items() if name in closer.metrics}
                found[resource.id] = replace(picture.days, fine=fine)
            elif settled is Settled.BY_DAYS:
                found[resource.id] = picture.days
            else:
                at_best = judge(resource, _picture(resource, closer, open_ones)) if open_ones else settled
                left.append((resource, at_best))
        return found, left

    def _with_week(self, resources: Sequence[Resource], known: Mapping[str, Known], judge: Judge) -> dict[str, Known]:
        """Return what is known of those that a week of hours of their levels may decide, with these.

        What was answered today is not asked again.
        """
        specs = {spec.name: spec for spec in self.kind.metrics if says_more(spec)}
        window = week_window(touched_days(self.now, self.lookback_days), self.lookback_days)
        if not specs or window is None:
            return {}
        further = [spec for spec in self.kind.metrics if spec.fine and not spec.hourly]
        promising = {
            one.id: one
            for one in resources
            if judge(one, _picture(one, self._at_best(known[one.id], specs), [f for f in further if f.applies(one)]))
            is not Settled.OPEN
        }
        question = f"week-{self.lookback_days}-{window.end // DAY}"
        marks = {one.id: str(self.kind.since(one) or "") for one in promising.values()}
        proven = {one: kept.least for one, kept in self.store.answers(self.shard, question, marks).items()}
        fresh: dict[str, dict[str, LeastPeaks]] = {}
        for answers in self.fetch(self._queries(promising.values(), proven, specs.values(), window)):
            for query, (maxima,) in answers.points.items():
                one = least_peaks(maxima, window, known[query.resource_id].span, self.lookback_days)
                fresh.setdefault(query.resource_id, {})[query.name] = one
        made = {one: Utilization(one, least=least) for one, least in fresh.items()}
        self.store.put_answers(self.shard, question, marks, made)
        return {
            one: replace(known[one], metrics=all_raised(known[one].metrics, least))
            for one, least in {**proven, **fresh}.items()
        }

    def _at_best(self, known: Known, specs: Iterable[str]) -> Known:
        best = {
            name: at_best(one, self.lookback_days)
            for name in specs
            if isinstance(one := known.metrics.get(name), Between)
        }
        return replace(known, metrics={**known.metrics, **best})

    def _queries(
        self,
        resources: Iterable[Resource],
        answered: Mapping[str, object],
        specs: Iterable[MetricSpec],
        window: Window,
    ) -> Iterator[Query]:
        for resource, spec in product(resources, specs):
            query = self.ask(resource, spec, window) if spec.applies(resource) else NOT_APPLICABLE
            if isinstance(query, Query) and resource.id not in answered:
                yield replace(query, statistics=STATISTICS)

    def _known(
        self,
        resources: Sequence[Resource],
        specs: Sequence[MetricSpec],
        statistics: Callable[[MetricSpec], tuple[str, ...]],
    ) -> dict[str, Known]:
        """Return what the days of some metrics say of those resources of which they say something about each."""
        window, asked = touched_days(self.now, self.lookback_days), int(self.now.timestamp())
        kept = self.store.days.read(self.shard, [one.name for one in specs], [one.id for one in resources])
        reasons: dict[tuple[str, str], str] = {}
        older: dict[tuple[str, str], DayPoints] = {}
        queries: list[Query] = []
        for resource in resources:
            for spec in specs:
                key = resource.id, spec.name
                query = self.ask(resource, spec, window) if spec.applies(resource) else NOT_APPLICABLE
                if isinstance(query, str):
                    reasons[key] = query
                elif not self._holds(kept.get(key), len(statistics(spec)), resource):
                    before = kept.pop(key, None)
                    if before is not None and self._goes_on(before, len(statistics(spec)), resource):
                        older[key] = before
                    asked_for = _statistics(spec)[: len(older[key].values)] if key in older else statistics(spec)
                    queries.append(replace(query, statistics=asked_for, window=open_days(older.get(key), spec, window)))
        for answers in self.fetch(queries):
            fresh = {
                query.key: continued(older.get(query.key), DayPoints(asked, query.window.start // DAY, series), window)
                for query, series in answers.points.items()
            }
            self.store.days.put(self.shard, fresh)
            kept.update(fresh)
        found = {}
        for resource in resources:
            metrics = {
                spec.name: reasons.get((resource.id, spec.name))
                or self._answered(spec, kept.get((resource.id, spec.name)), resource)
                for spec in specs
            }
            spans = [one for one in metrics.values() if one is not None]
            span = self._span(self.now, resource)
            if len(spans) == len(specs) and span is not None:
                found[resource.id] = Known(span, {name: one for name, one in metrics.items() if one is not None})
        return found

    def _holds(self, points: DayPoints | None, statistics: int, resource: Resource) -> bool:
        """Return whether what was answered is less than a day old and about the same window, metric and launch."""
        if points is None or not 0 <= int(self.now.timestamp()) - points.asked < _KEPT_FOR:
            return False
        then = datetime.fromtimestamp(points.asked, tz=UTC)
        start = touched_days(then, self.lookback_days).start // DAY
        return points.first_day <= start and self._goes_on(points, statistics, resource)

    def _goes_on(self, points: DayPoints, statistics: int, resource: Resource) -> bool:
        """Return whether what was answered once is about the same metric and launch, however old it is."""
        then = datetime.fromtimestamp(points.asked, tz=UTC)
        since = self.kind.since(resource)
        return len(points.values) >= statistics and (since is None or since <= then)

    def _answered(self, spec: MetricSpec, points: DayPoints | None, resource: Resource) -> Answered | None:
        """Return what an answer proves, as of when it was given; None when hours must say."""
        if points is None:
            return None
        then = datetime.fromtimestamp(points.asked, tz=UTC)
        span = self._span(then, resource)
        columns = points.since(touched_days(then, self.lookback_days).start // DAY)
        if span is None or columns is None:
            return None
        if not spec.hourly and all(math.isnan(value) for column in columns for value in column):
            return NOT_PUBLISHED
        return between(spec, _statistics(spec)[: len(columns)], columns, span, self._most_missing(span, resource))

    def _most_missing(self, span: Span, resource: Resource) -> float:
        """Return the share of a window that days may lack: where it may be a stop, hours must say how long it was."""
        pauses = self.kind.pauses
        started = None if pauses is None else pauses.started(resource)
        return STOPPED_AT_MOST if started is not None and started > span.fine.start_time else MOST_MISSING

    def _span(self, moment: datetime, resource: Resource) -> Span | None:
        return span_of(moment, self.lookback_days, self.kind.since(resource))


def _picture(
    resource: Resource, known: Known, nothing: Iterable[MetricSpec], anything: Iterable[MetricSpec] = ()
) -> DaysPicture:
    """Return the picture of what is known, as if the metrics `nothing` were always zero; `anything` may be any much."""
    proven = {name: one for name, one in known.metrics.items() if isinstance(one, Between)}
    unknown = {name: one for name, one in known.metrics.items() if isinstance(one, str)}
    asked_from = {name: known.span.days.start_time for name, one in proven.items() if one.shown is not None}
    least_peaks = {
        name: LeastPeaks(low.p90, low.p95, low.p99_5, low.average)
        for name, one in proven.items()
        if one.hourly is not None and (low := (one.fine or one.hourly)[0]).total is None
    }
    shown = {name: one.shown for name, one in proven.items() if one.shown is not None}
    days = Utilization(resource.id, shown, unknown, asked_from=asked_from, least=least_peaks)
    zero = dict.fromkeys((spec.name for spec in (*nothing, *anything)), nothing_between(known.span))
    boundless = {**zero, **dict.fromkeys((spec.name for spec in anything), everything_between(known.span))}
    least, most = (_end(resource, number, proven, unknown, end) for number, end in enumerate((zero, boundless)))
    return DaysPicture(days, least, most)


def _end(
    resource: Resource,
    number: int,
    proven: Mapping[str, Between],
    unknown: Mapping[str, str],
    assumed: Mapping[str, MetricSummary],
) -> Utilization:
    hourly = {name: one.hourly[number] for name, one in proven.items() if one.hourly is not None}
    fine = {name: one.fine[number] for name, one in proven.items() if one.fine is not None}
    return Utilization(resource.id, hourly, unknown, {**fine, **assumed})


def _statistics(spec: MetricSpec) -> tuple[str, ...]:
    """Return what the days of a metric are asked for; up to five statistics of a metric are billed as one."""
    if spec.hourly and not spec.discovered and spec.samples_in_five_minutes:
        return (*spec.statistics, *spec.by_day, SAMPLE_COUNT)
    # What bounds the peaks comes first: it is asked for alone where that is enough.
    return (*spec.statistics, *spec.by_day) if spec.hourly else (*spec.by_day, *spec.statistics)


def _bounds_alone(spec: MetricSpec) -> tuple[str, ...]:
    """Return what is asked first of the days of a metric that only 5 minutes hold otherwise."""
    return spec.by_day or spec.statistics
