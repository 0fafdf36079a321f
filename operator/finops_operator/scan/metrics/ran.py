"""Which periods of a window a resource was stopped in, by a metric that AWS publishes whenever it runs. Pure.

Called by the measure stage for kinds that pause. Since its last start the resource has run, so that whatever is missing
since then is missing. Before it, an hour without any point was one in which it was stopped, with the minutes beside it
in which it stopped and started again; what is missing between points of one run was not seen. So a gap is a stop only
where the hours about it are whole, and no hour in which any other metric has a point. What was stopped once, or for
long, and runs since says nothing of the hours to come: only stops that recur make a share that is billed.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from finops.domain.resource import Resource
from finops.domain.utilization import HoursRan
from finops_operator.plugins.kind import STOPPED_AT_MOST, MetricSpec, ResourceKind

_HOUR: Final = 3600
_PERIODS: Final = 12
"""Five minutes in an hour."""
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY
_FEWEST_STOPS: Final = 3
_FEWEST_WEEKS: Final = 2
_LONGEST_STOP: Final = 4 * _DAY
"""A long weekend; what is stopped for longer is stopped otherwise than again and again."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What is known of the stops of one resource in one window.

    Attributes:
        start, period: of the window, in seconds since the epoch, and of its points.
        stopped: for each period, whether the resource was stopped in it.
        lost: periods that have a point and yet were not seen, as their samples add up.
    """

    start: int
    period: int
    stopped: tuple[bool, ...]
    lost: int = 0

    def since(self, start: int, periods: int) -> tuple[bool, ...]:
        """Return the same of another window of such periods; of what lies outside of this one no stop is known."""
        first = (start - self.start) // self.period
        held = self.stopped[max(0, first) : max(0, first + periods)]
        before = min(periods, max(0, -first))
        return (*(False,) * before, *held, *(False,) * (periods - before - len(held)))


@dataclass(slots=True)
class OwnTime:
    """What counts of a window for one resource: since when, and without which hours.

    Attributes:
        since: the first moment that counts.
        metric, started: see `Pauses`.
        created: since when it is there, whatever it was then.
        awake: hours (since the epoch) in which a metric other than `metric` has a point.
        ran: its stops, as far as they are known.
    """

    since: datetime | None
    metric: str = ""
    started: datetime | None = None
    created: datetime | None = None
    awake: set[int] = field(default_factory=set)
    ran: Ran | None = None

    @classmethod
    def of(cls, kind: ResourceKind[Any], resource: Resource) -> OwnTime:
        """Return that of a resource before any of its points are known."""
        pauses = kind.pauses
        if pauses is None:
            return cls(resource.created)
        return cls(pauses.since(resource), pauses.metric, pauses.started(resource), resource.created)

    def saw(self, name: str, first_hour: int, peaks: Iterable[float | None]) -> None:
        """Take hours of a metric from `first_hour` on, before `learn`; missing ones are None or NaN."""
        # What has run since before them did not stop in them.
        began = self.started is not None and self.started.timestamp() > first_hour * _HOUR
        if began and name != self.metric:
            self.awake.update(
                hour for hour, value in enumerate(peaks, first_hour) if value is not None and not math.isnan(value)
            )

    def learn(
        self, spec: MetricSpec, start: int, period: int, points: array[float], samples: array[float] | None = None
    ) -> None:
        """Take what the points of a metric say about stops, where it is the one that says something."""
        if spec.name == self.metric:
            self.ran = ran_in(
                start, period, points, self.started, samples, spec.samples_in_five_minutes or 1, self.awake
            )

    def ran_for(self, spec: MetricSpec) -> Ran | None:
        """Return the stops as they count for a metric: samples are those of one alone."""
        return self.ran if self.ran is None or spec.name == self.metric else replace(self.ran, lost=0)


def ran_in(
    start: int,
    period: int,
    points: array[float],
    started: datetime | None,
    samples: array[float] | None = None,
    in_five_minutes: int = 1,
    awake: Collection[int] = frozenset(),
) -> Ran | None:
    """Return the stops of a window, None where none can be known.

    Args:
        start: of the window, in seconds since the epoch.
        period: its seconds, an hour at most.
        points: of that metric, one for each period.
        started: the last start.
        samples: of hours, how many samples each point is made of.
        in_five_minutes: the most of them that AWS takes in five minutes; the fewest is one.
        awake: hours (since the epoch) in which it ran, whether or not they have a point.
    """
    if started is None:
        return None
    stopped = [False] * len(points)
    before = min(len(points), max(0, -(-(int(started.timestamp()) - start) // period)))
    gone = [math.isnan(points[place]) and (start + place * period) // _HOUR not in awake for place in range(before)]
    for first, end in rows(gone):
        # A gap that holds no whole hour is none in which anybody stopped and started a machine.
        hour = -(-(start + first * period) // _HOUR) * _HOUR
        if hour + _HOUR <= start + end * period:
            stopped[first:end] = [True] * (end - first)
    lost = 0 if samples is None or not any(stopped) else _lost(samples[:before], stopped, in_five_minutes)
    return Ran(start, period, tuple(stopped), lost)


def hours_ran(ran: Ran | None, created: datetime | None) -> HoursRan | None:
    """Return how much of its time a resource ran that is stopped again and again, None where it is not, or not known.

    It was stopped three times or more, none of them for longer than four days, in two weeks or more of the window, for
    a tenth of its hours in all; and it has not run on for a day longer than ever between two stops.
    """
    if ran is None:
        return None
    skipped = 0 if created is None else max(0, -(-(int(created.timestamp()) - ran.start) // ran.period))
    stopped = ran.stopped[skipped:]
    stops = list(rows(stopped))
    weeks = {(len(stopped) - 1 - first) * ran.period // _WEEK for first, _ in stops}
    if len(stops) < _FEWEST_STOPS or len(weeks) < _FEWEST_WEEKS:
        return None
    runs = [stops[0][0], *(after[0] - before[1] for before, after in pairwise(stops))]
    goes_on = (len(stopped) - stops[-1][1] - max(runs)) * ran.period > _DAY
    too_long = any((end - first) * ran.period > _LONGEST_STOP for first, end in stops)
    share = 1 - sum(stopped) / len(stopped)
    if goes_on or too_long or share >= 1 - STOPPED_AT_MOST:
        return None
    return HoursRan(share, len(stopped) * ran.period / _DAY)


def rows(marked: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield `[first, end)` of each row of places that are marked."""
    first: int | None = None
    for place, one in enumerate(marked):
        if one:
            first = place if first is None else first
        elif first is not None:
            yield first, place
            first = None
    if first is not None:
        yield first, len(marked)


def _lost(samples: Sequence[float], stopped: Sequence[bool], in_five_minutes: int) -> int:
    """Return how many hours the samples lack in all; the hours of a stop and of a start need not be whole."""
    most = max((one for one in samples if not math.isnan(one)), default=0.0)
    whole = _PERIODS if most <= _PERIODS else _PERIODS * in_five_minutes
    inside = (
        count
        for place, count in enumerate(samples)
        if not math.isnan(count) and 0 < place < len(samples) - 1 and not any(stopped[place - 1 : place + 2])
    )
    return int(math.fsum(max(0.0, 1 - count / whole) for count in inside))
