"""Measure a page of resources: days first, hourly rings where a check is open, 5-minute points for candidates.

Called by the pipeline with pages of one shard. Days are also all that is asked of the billed by use and the inactive.
What has hourly rings keeps them: a day more costs them no more than the days would. Hours are shared by all policies
through the rings in the store, days, 5-minute pictures and inactivity by those with the same window, so a second policy
asks CloudWatch for nothing. What cannot be read becomes `unknown` with its reason, never zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.domain.lookback import FINE_DAYS, WHOLE_DAYS
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.rings import Ring, blank
from finops.domain.utilization import MetricSummary, Utilization
from finops.ports.aws_read import PageReader
from finops.store.utilization import Discovered, UtilizationStore
from finops_operator.plugins.kind import DimensionSet, MetricSpec, ResourceKind
from finops_operator.scan.metrics.agent import OPERATION as LIST_METRICS
from finops_operator.scan.metrics.agent import Agents
from finops_operator.scan.metrics.draft import Draft
from finops_operator.scan.metrics.failures import Failures
from finops_operator.scan.metrics.fetch import OPERATION as GET_METRIC_DATA
from finops_operator.scan.metrics.fetch import MetricAnswers, fetch
from finops_operator.scan.metrics.fine_pictures import cut_within, out_of_reach, peaks, show, with_mean_of
from finops_operator.scan.metrics.first_days import FirstDays, Judge
from finops_operator.scan.metrics.parts import query_of_parts
from finops_operator.scan.metrics.queries import HOUR, Batch, Query, Window, batches
from finops_operator.scan.metrics.ran import OwnTime, hours_ran
from finops_operator.scan.metrics.ring_windows import hourly_statistics, joined, of_these_statistics
from finops_operator.scan.metrics.summarize import (
    MONTH_DAYS,
    NOT_APPLICABLE,
    NOT_PUBLISHED,
    NOT_SINCE_LAUNCH,
    TOO_NEW,
    WHOLE_UNKNOWN,
    Series,
    hour_points,
    summarize,
)
from finops_operator.scan.metrics.windows import (
    DAY,
    daily_window,
    fine_window,
    inactivity_window,
    last_hour,
    missing_hours,
)

_ANSWERED: Final = frozenset({NOT_PUBLISHED, NOT_SINCE_LAUNCH, TOO_NEW, NOT_APPLICABLE})
_FINE_FOR: Final = timedelta(hours=24)
_GIVE_UP_AFTER: Final = 2
REQUESTS_AHEAD: Final = 3
"""Requests of one shard that wait for CloudWatch at a time: at a second each they use up our share of its budget."""
Judged = Callable[[Resource, Utilization], bool]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the checks say about a resource and a picture of it.

    Attributes:
        fine: with its hours: whether the 5-minute picture could change a judgement.
        settled: with its days: whether nothing finer could; None: days are not asked for first.
    """

    fine: Judged
    settled: Judge | None = None


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """What the policy asks for.

    Attributes:
        now: the scan's one instant: all its windows end there.
        lookback_days: hourly and 5-minute windows.
        inactivity_days: how far back it must be proven that an inactive resource published nothing, the longest wish of
            its checks.
    """

    now: datetime
    lookback_days: int
    inactivity_days: int


class Measurer:
    """Measures the pages of one shard for one policy and remembers what failed."""

    def __init__(
        self,
        shard: Shard,
        kind: ResourceKind[Any],
        reader: PageReader,
        store: UtilizationStore,
        settings: MeasureSettings,
        wishes: Wishes,
        requests: Executor,
    ) -> None:
        """`requests` are threads for CloudWatch alone: shards wait for them, so they must not be the shards' own."""
        self.failures = Failures(shard)
        self._shard = shard
        self._kind = kind
        self._store = store
        self._settings = settings
        self._wishes = wishes
        self._requests = requests
        self._unserved = 0
        self._agents = Agents(reader, store, shard, kind.type_of, self.failures)
        self._last_code = ""

    def gaps(self) -> tuple[Gap, ...]:
        """Return what could not be measured so far, one Gap per operation and code."""
        return self.failures.gaps()

    def page(self, resources: Sequence[Resource]) -> dict[str, Utilization]:
        """Return resource id → utilization for every one of `resources`, and keep it in the store.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        drafts = {resource.id: Draft() for resource in resources}
        sets = self._dimension_sets(resources)
        for resource in resources:
            for spec in self._kind.metrics:
                if not spec.applies(resource):
                    drafts[resource.id].unknown[spec.name] = NOT_APPLICABLE
        unmeasured = self._kind.states.unmeasured
        # What is read by days whatever is asked first may decide already.
        self._daily(resources, drafts, sets)
        decided = self._hourly([one for one in resources if one.state not in unmeasured], drafts, sets)
        self._inactive([one for one in resources if one.state in unmeasured], drafts)
        self._fine([one for one in resources if one.id not in decided], drafts, sets)
        measured = {resource_id: draft.done(resource_id) for resource_id, draft in drafts.items()}
        self._store.put_summaries(self._shard, measured)
        return measured

    def _dimension_sets(self, resources: Sequence[Resource]) -> dict[str, Mapping[str, Discovered] | str]:
        found: dict[str, Mapping[str, Discovered] | str] = {}
        for spec in self._kind.metrics:
            wanted = [one for one in resources if spec.applies(one)]
            if spec.discovered and wanted:
                sets = self._agents.sets(spec, wanted)
                if isinstance(sets, str):
                    self.failures.add(LIST_METRICS.partition(":")[2], sets, [one.id for one in wanted])
                found[spec.name] = sets
        return found

    def _query(
        self,
        resource: Resource,
        spec: MetricSpec,
        window: Window,
        sets: Mapping[str, Mapping[str, Discovered] | str],
    ) -> Query | str:
        """Return what to ask, or why there is nothing to ask."""
        metric, namespace, whole = spec.metric, spec.namespace, None
        further: tuple[DimensionSet, ...] = ()
        dimensions: tuple[tuple[str, str], ...] = (
            (spec.dimension, resource.id),
            *spec.also,
            *spec.also_of(resource),
        )
        if spec.dimensions is not None:
            dimensions = spec.dimensions(resource)
        if spec.parts is not None:
            return query_of_parts(resource, spec, window, spec.parts(resource))
        if spec.discovered:
            known = sets.get(spec.name, {})
            if isinstance(known, str):
                return known
            one = known.get(resource.id)
            if one is None:
                return NOT_PUBLISHED
            metric, dimensions, namespace = one.metric, one.dimensions, one.namespace or namespace
            whole = spec.whole(resource) if one.left else None
            if one.left and not whole:
                return WHOLE_UNKNOWN
            if spec.each is not None:
                # Of a set that is of no device nobody knows which devices are in it.
                dimensions, *others = spec.each(resource, dimensions) or ((),)
                further = tuple(others)
            if not dimensions:
                return NOT_PUBLISHED
        asked = resource.id, spec.name, namespace, metric, dimensions, spec.statistics, window
        return Query(*asked, further=further, whole=whole)

    def _fetch(self, queries: Iterable[Query], *, first: bool = False) -> Iterator[MetricAnswers]:
        """Yield the answers of one request at a time, in order: 5-minute points of a whole page would be 50 MB.

        `first`: what first days leave open is asked for again by hours, so that only then its failure counts.
        """
        for batch, future in self._under_way(batches(queries)):
            if future is None:
                answers = MetricAnswers(failed=dict.fromkeys(batch.queries, self._last_code))
            else:
                answers = future.result()
                self._watch(answers)
                self.failures.asked.add(batch.series, batch.window)
            if first:
                yield answers
                continue
            by_code: dict[str, list[str]] = {}
            for query, code in answers.failed.items():
                by_code.setdefault(code, []).append(query.resource_id)
            for code, ids in by_code.items():
                self.failures.add(GET_METRIC_DATA.partition(":")[2], code, ids)
            yield answers

    def _under_way(self, todo: Iterator[Batch]) -> Iterator[tuple[Batch, Future[MetricAnswers] | None]]:
        """Yield each batch with its request, a few of which are out at a time; none when CloudWatch was given up."""
        waiting: deque[tuple[Batch, Future[MetricAnswers] | None]] = deque()
        for batch in todo:
            given_up = self._unserved >= _GIVE_UP_AFTER
            waiting.append((batch, None if given_up else self._requests.submit(fetch, self._agents.reader, batch)))
            if len(waiting) >= REQUESTS_AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _watch(self, answers: MetricAnswers) -> None:
        """Stop asking when CloudWatch refused two requests in a row after all patience: the rest would wait as long."""
        self._unserved = self._unserved + 1 if answers.errors else 0
        for error in answers.errors:
            self._last_code = error.code
            self.failures.explain(error)

    # -- hourly ------------------------------------------------------------------------------------------------------

    def _hourly(
        self,
        resources: Sequence[Resource],
        drafts: Mapping[str, Draft],
        sets: Mapping[str, Mapping[str, Discovered] | str],
    ) -> frozenset[str]:
        """Bring the rings up to date of all but those that days decide, and return these."""
        specs = [spec for spec in self._kind.metrics if spec.hourly]
        needed = self._settings.lookback_days * 24
        end_hour = last_hour(self._settings.now)
        kept = self._store.rings(self._shard, [spec.name for spec in specs], [one.id for one in resources])
        own = {one.id: OwnTime.of(self._kind, one) for one in resources}
        start = (end_hour - needed) * HOUR
        rings = of_these_statistics(kept, specs, own, start)
        ringed = {resource_id for resource_id, _ in rings}
        days = self._first_days(drafts, sets)
        decided, known = days.decided([one for one in resources if one.id not in ringed])
        resources = [one for one in resources if one.id not in decided]
        queries: list[Query] = []
        for resource in resources:
            for spec in specs:
                window = missing_hours(rings.get((resource.id, spec.name)), end_hour, needed)
                if not spec.applies(resource) or window is None:
                    continue
                query = self._query(resource, spec, window, sets)
                if isinstance(query, str):
                    drafts[resource.id].unknown[spec.name] = query
                    continue
                ring = rings.get((resource.id, spec.name))
                asked = hourly_statistics(spec, own[resource.id], start, ring)
                queries.append(replace(query, statistics=asked))
        failed = self._bring_up(rings, queries, needed)
        for resource in resources:
            draft = drafts[resource.id]
            keys = {spec.name: (resource.id, spec.name) for spec in specs if spec.name not in draft.unknown}
            found = {name: failed.get(key) or rings[key] for name, key in keys.items()}
            _put_hours(draft, [spec for spec in specs if spec.name in found], own[resource.id], found, needed)
        # Those that have hours from before need their days only in place of 5 minutes.
        old = [one for one in resources if one.id in ringed and self._wishes.fine(one, drafts[one.id].done(one.id))]
        known |= days.known(old)
        hours = {one: drafts[one].done(one) for one in known}
        decided |= days.decided_by_hours(resources, known, hours, rings)
        for resource_id, picture in decided.items():
            drafts[resource_id].take(picture)
        return frozenset(decided)

    def _bring_up(
        self, rings: dict[tuple[str, str], Ring], queries: Sequence[Query], needed: int
    ) -> dict[tuple[str, str], str]:
        """Ask for the hours that lack, join them to the rings and keep these; return the code of each that failed."""
        failed: dict[tuple[str, str], str] = {}
        for answers in self._fetch(queries):
            changed = {
                query.key: joined(rings.get(query.key), query.window, points, needed)
                for query, points in answers.points.items()
            }
            self._store.put_rings(self._shard, changed)
            rings.update(changed)
            failed.update({query.key: code for query, code in answers.failed.items()})
        return failed

    def _first_days(self, drafts: Mapping[str, Draft], sets: Mapping[str, Mapping[str, Discovered] | str]) -> FirstDays:
        daily = frozenset(spec.name for spec in self._kind.metrics if spec.daily)
        # Days that begin before what CloudWatch keeps prove nothing of the hours in them.
        settled = self._wishes.settled if self._settings.lookback_days <= WHOLE_DAYS else None
        return FirstDays(
            self._shard,
            self._kind,
            self._store,
            self._settings.now,
            self._settings.lookback_days,
            ask=lambda resource, spec, window: self._query(resource, spec, window, sets),
            fetch=lambda queries: self._fetch(queries, first=True),
            judge=settled
            if settled is None or not daily
            else lambda resource, picture: settled(resource, picture.beside(drafts[resource.id].by_day(daily))),
        )

    # -- inactivity --------------------------------------------------------------------------------------------------

    def _inactive(self, resources: Sequence[Resource], drafts: Mapping[str, Draft]) -> None:
        """Ask for one point a day; what was answered today is not asked again."""
        window = inactivity_window(self._settings.now, self._settings.inactivity_days)
        question = f"inactivity-{window.start}-{window.end}"
        memory = self._kind.memory
        marks = {one.id: memory.mark(one) if memory is not None else "" for one in resources}
        previous = self._store.answers(self._shard, question, marks)
        answered: dict[str, Draft] = {}
        queries: list[Query] = []
        specs = {spec.name: spec for spec in self._kind.metrics if spec.hourly and not spec.discovered}
        for resource in resources:
            for spec in specs.values():
                if not spec.applies(resource):
                    continue
                known = _stored_answer(previous.get(resource.id), spec.name)
                if known is not None:
                    draft = drafts[resource.id]
                    draft.put(spec.name, known)
                    draft.asked_from[spec.name] = window.start_time
                    continue
                query = self._query(resource, spec, window, {})
                if isinstance(query, str):
                    drafts[resource.id].unknown[spec.name] = query
                else:
                    queries.append(query)
        for answers in self._fetch(queries):
            for query, points in answers.points.items():
                series = Series(window.start, window.period, points)
                # Of an inactive resource the whole window counts: its creation is not a restart.
                summary = summarize(specs[query.name], series, None)
                for draft in (drafts[query.resource_id], answered.setdefault(query.resource_id, Draft())):
                    draft.asked_from[query.name] = window.start_time
                    draft.put(query.name, summary)
            for query, code in answers.failed.items():
                drafts[query.resource_id].unknown[query.name] = code
        self._store.put_answers(self._shard, question, marks, {one: draft.done(one) for one, draft in answered.items()})

    # -- days --------------------------------------------------------------------------------------------------------

    def _daily(
        self,
        resources: Sequence[Resource],
        drafts: Mapping[str, Draft],
        sets: Mapping[str, Mapping[str, Discovered] | str],
    ) -> None:
        """Ask for one point a day of what is read by days; what was answered today is not asked again."""
        specs = {spec.name: spec for spec in self._kind.metrics if spec.daily}
        if not specs:
            return
        now, days = self._settings.now, max(MONTH_DAYS, self._settings.inactivity_days)
        windows = {name: daily_window(now, spec.only_days or days, spec.lag_days) for name, spec in specs.items()}
        question = f"days-{days}-{daily_window(now, days, 0).end}"
        marks = {one.id: str(self._kind.since(one) or "") for one in resources}
        kept = self._store.answers(self._shard, question, marks)
        known = {one.id: one for one in resources}
        fresh: dict[str, Draft] = {}
        queries: list[Query] = []
        for resource in resources:
            draft, before = drafts[resource.id], kept.get(resource.id)
            for spec in specs.values():
                if not spec.applies(resource) or (before is not None and draft.take_days(spec, before)):
                    continue
                window = windows[spec.name]
                query = self._query(resource, spec, window, sets)
                if isinstance(query, Query):
                    queries.append(query)
                elif query == NOT_PUBLISHED:
                    nothing = tuple(blank(window.points) for _ in spec.statistics)
                    draft.put_days(spec, Series(window.start, window.period, nothing), resource)
                else:
                    draft.unknown[spec.name] = query
        for answers in self._fetch(queries):
            for query, points in answers.points.items():
                series = Series(query.window.start, query.window.period, points)
                for draft in (drafts[query.resource_id], fresh.setdefault(query.resource_id, Draft())):
                    draft.put_days(specs[query.name], series, known[query.resource_id])
            for query, code in answers.failed.items():
                drafts[query.resource_id].unknown[query.name] = code
        self._store.put_answers(self._shard, question, marks, {one: draft.done(one) for one, draft in fresh.items()})

    # -- 5 minutes ---------------------------------------------------------------------------------------------------

    def _fine(
        self,
        resources: Sequence[Resource],
        drafts: Mapping[str, Draft],
        sets: Mapping[str, Mapping[str, Discovered] | str],
    ) -> None:
        specs = {spec.name: spec for spec in self._kind.metrics if spec.fine}
        wanted = [one for one in resources if specs and self._wishes.fine(one, drafts[one.id].done(one.id))]
        if self._settings.lookback_days > FINE_DAYS:
            # A shorter picture would stand before the hours and hide what was before it.
            out_of_reach(wanted, drafts, specs.values())
            return
        window = fine_window(self._settings.now, self._settings.lookback_days)
        own = {one.id: OwnTime.of(self._kind, one) for one in wanted}
        for resource in wanted:
            for name, hours in drafts[resource.id].hours.items():
                own[resource.id].saw(name, hours.end_hour - len(hours.peaks), hours.peaks)
        marks = {one.id: cut_within(window, own[one.id].since) for one in wanted}
        today = window.end // DAY
        kept = self._store.answers(self._shard, _fine_question(self._settings, today - 1), marks)
        kept |= self._store.answers(self._shard, _fine_question(self._settings, today), marks)
        pictures: dict[str, Draft] = {}
        queries: list[Query] = []
        for resource in wanted:
            draft, picture = drafts[resource.id], kept.get(resource.id)
            if picture is not None and self._still_fine(picture, draft, specs):
                show(draft, picture, specs)
                continue
            fresh = pictures[resource.id] = Draft()
            for spec in specs.values():
                query = self._query(resource, peaks(spec), window, sets) if spec.applies(resource) else NOT_APPLICABLE
                if isinstance(query, Query):
                    queries.append(query)
                else:
                    fresh.unknown[spec.name] = query
        for answers in self._fetch(queries):
            for query, points in answers.points.items():
                spec, one = specs[query.name], query.resource_id
                series = Series(query.window.start, query.window.period, points)
                own[one].learn(spec, series.start, series.period, points[-1])
                summary = summarize(peaks(spec), series, own[one].since, own[one].ran_for(spec))
                pictures[one].put(query.name, with_mean_of(drafts[one], spec, summary), fine=True)
            for query, code in answers.failed.items():
                pictures[query.resource_id].unknown[query.name] = code
        made = {one: picture.done(one) for one, picture in pictures.items()}
        for one, picture in made.items():
            show(drafts[one], picture, specs)
        self._store.put_answers(self._shard, _fine_question(self._settings, today), marks, made)

    def _still_fine(self, picture: Utilization, draft: Draft, specs: Mapping[str, MetricSpec]) -> bool:
        """Return whether a kept 5-minute picture still holds: a day old at most, and as complete as the hours are."""
        for name, spec in specs.items():
            summary = picture.fine.get(name)
            if summary is not None:
                if self._settings.now - summary.end >= _FINE_FOR:
                    return False
            elif picture.unknown.get(name, "") not in _ANSWERED and not (spec.hourly and name in draft.unknown):
                return False
        return bool(picture.fine)


def _put_hours(
    draft: Draft, specs: Sequence[MetricSpec], own: OwnTime, found: Mapping[str, Ring | str], needed: int
) -> None:
    for spec in specs:
        if isinstance(ring := found[spec.name], Ring):
            own.saw(spec.name, start := ring.end_hour - needed, ring.slice_from(start)[len(spec.statistics) - 1])
    for spec in specs:
        _put_hourly(draft, spec, own, found[spec.name], needed)
    draft.ran = hours_ran(own.ran, own.created)


def _fine_question(settings: MeasureSettings, day: int) -> str:
    """Return the name of the pictures of this lookback that end on `day` (since the epoch)."""
    return f"fine-{settings.lookback_days}-{day}"


def _put_hourly(draft: Draft, spec: MetricSpec, own: OwnTime, ring: Ring | str, needed: int) -> None:
    if isinstance(ring, str):
        draft.unknown[spec.name] = ring
        return
    start = ring.end_hour - needed
    series = Series(start * HOUR, HOUR, ring.slice_from(start))
    draft.asked_from[spec.name] = datetime.fromtimestamp(series.start, tz=UTC)
    peaks_at = len(spec.statistics) - 1
    samples = series.values[-1] if len(series.values) > len(spec.statistics) else None
    own.learn(spec, series.start, HOUR, series.values[peaks_at], samples)
    draft.put(spec.name, summarize(spec, series, own.since, own.ran_for(spec)))
    if spec.by_the_clock:
        draft.hours[spec.name] = hour_points(spec, ring, needed, own.since)


def _stored_answer(before: Utilization | None, name: str) -> MetricSummary | str | None:
    """Return what a question about inactivity was answered with, None when it was not asked about or not answered."""
    if before is None:
        return None
    return before.metrics.get(name) or (NOT_PUBLISHED if before.unknown.get(name) == NOT_PUBLISHED else None)
