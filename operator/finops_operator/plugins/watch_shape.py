"""The shape of a watch on what one call has changed: what is there now, loads against those before the act, an alarm.

An action declares how its resource is read, which states of it are signs, and which metrics. A load is worse only when
more periods of 5 minutes lie beyond its limit than in as long a time before the act and 1 % of the whole watch, so that
it stays worse whatever follows. What was bad before was not made worse; what was not known before is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Parameters, Target, Watch, WatchedAct, at_once
from finops_operator.plugins.watched import (
    GET_METRICS,
    LIST_ALARMS,
    Measured,
    Reading,
    alarm_signs,
    bad_now,
    has_periods,
    periods,
    read_alarm,
    read_all,
    too_few,
    too_often,
    unknown,
)

PERMISSIONS: Final = (GET_METRICS, LIST_ALARMS)
"""What every watch of this shape reads with, beside what its action reads."""
_ALARM: Final = "the alarm that the policy names"
_KNOWN: Final = "known"


class Missing(StrEnum):
    """What a period without a reading means."""

    ZERO = "nothing happened that would be counted"
    IDLE = "it was not in use"
    GAP = "nobody knows"


def _fixed(_act: WatchedAct, _before: Sequence[float]) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """A metric whose periods beyond a limit are counted.

    Attributes:
        name: of the sign.
        metric: its name in CloudWatch.
        statistic: which of it.
        beyond: what is so in a period beyond the limit, with `{limit:.0f}` where it is said.
        well: the sentence that it is well.
        missing: what no reading means.
        limit: (act, values before it) → above which a period is beyond; None: not known.
    """

    name: str
    metric: str
    statistic: str
    beyond: str
    well: str
    missing: Missing
    limit: Callable[[WatchedAct, Sequence[float]], float | None] = _fixed


def above(limit: float) -> Callable[[WatchedAct, Sequence[float]], float]:
    """Return a limit that does not depend on the act."""
    return lambda _act, _before: limit


def above_highest(factor: float, floor: float = 0.0) -> Callable[[WatchedAct, Sequence[float]], float | None]:
    """Return a limit so many times the highest value before the act, and `floor` at least."""
    return lambda _act, before: max(floor, factor * max(before)) if before else None


HAS_NO_ROOM: Final = above(90.0)
"""Of a share in use, in percent: no room is left for a peak. Our own figure; AWS names none."""
QUEUE_GREW: Final = above_highest(1.5, 1.0)
"""Of requests that wait: half as many again as the most before the act, and one alone is no queue. Our own figure."""


def load_sign(act: WatchedAct, load: Load, after: Sequence[float], before: Sequence[float]) -> Sign:
    """Return what a metric says."""
    limit = load.limit(act, before)
    if limit is None:
        return unknown(load.name, f"CloudWatch has no reading of {load.metric} from before the act.")
    bad, had = sum(value > limit for value in after), sum(value > limit for value in before)
    if too_often(act, bad - had):
        what = f"{load.beyond.format(limit=limit)} in {bad} periods of 5 minutes, in {had} before the act."
        known = _KNOWN if before or load.missing is Missing.ZERO else ""
        return bad_now(load.name, what, known, good={_KNOWN}, bad=())
    not_known = {Missing.ZERO: False, Missing.IDLE: not after, Missing.GAP: too_few(act, len(after))}
    if not_known[load.missing]:
        return unknown(load.name, f"CloudWatch has {len(after)} of {periods(act)} readings of {load.metric}.")
    return Sign(load.name, Health.WELL, load.well)


def count_sign(name: str, noun: str, working: object, wanted: int, before: str) -> Sign:
    """Return whether as many work as are wanted.

    Args:
        name: of the sign.
        noun: of what, in the plural.
        working: how many work now; anything but a number is not known.
        wanted: how many the act left.
        before: `ok` where as many worked as were wanted before the act, `few` where they did not, else empty.
    """
    if not isinstance(working, int):
        return unknown(name, f"How many {noun} work is not known.")
    if working >= wanted:
        return Sign(name, Health.WELL, f"{working} of {wanted} wanted {noun} work.")
    return bad_now(name, f"Only {working} of {wanted} wanted {noun} work.", before, good={OK}, bad={FEW})


OK: Final = "ok"
FEW: Final = "few"


def enough(working: object, wanted: object) -> dict[str, str]:
    """Return what is kept of how many work before an act; nothing where it is not known."""
    if not isinstance(working, int) or not isinstance(wanted, int):
        return {}
    return {COUNT: OK if working >= wanted else FEW}


COUNT: Final = "count"
"""Under which name it is kept."""


@dataclass(frozen=True, slots=True)
class WatchShape:
    """What an action declares of its watch.

    Attributes:
        noun: what the resource is, for people.
        observe: as the action's.
        left: (act, resource now) → why it is not as the act left it, in a sentence; empty while it is.
        state: (act, resource now) → the signs of what is there.
        before: what of the resource before the act is kept for them.
        reads: all that is read, in a few words each.
        measured: where its metrics are; None: it has none.
        loads: (act) → its metrics.
        begins, effective: as the watch's.
    """

    noun: str
    observe: Callable[[Reader, Target], Observation]
    left: Callable[[WatchedAct, Observation], str]
    state: Callable[[WatchedAct, Observation], Iterator[Sign]]
    before: Callable[[Observation], Mapping[str, str]]
    reads: tuple[str, ...]
    measured: Measured | None
    loads: Callable[[WatchedAct], tuple[Load, ...]]
    begins: Callable[[Parameters, Mapping[str, str], datetime], datetime] = at_once
    effective: Callable[[Parameters, Mapping[str, str], datetime], datetime] = at_once

    @property
    def watch(self) -> Watch:
        """The watch."""
        return Watch((*self.reads, _ALARM), partial(_signs, self), self.before, self.begins, self.effective)


def _signs(shape: WatchShape, reader: Reader, act: WatchedAct) -> tuple[Sign, ...]:
    now = shape.observe(reader, Target(act.resource, act.parameters, full=False, now=act.now))
    if not now.exists:
        return (unknown(shape.noun, f"The {shape.noun} is gone: nothing shows how it does."),)
    changed = shape.left(act, now)
    if changed:
        return (unknown(shape.noun, changed),)
    loads = shape.loads(act)
    found, unread = read_all(_readings(shape, loads, reader, act))
    return (
        *shape.state(act, now),
        *_load_signs(act, loads, found),
        *alarm_signs(act, found.get("alarm")),
        *(unknown(name, why) for name, why in unread.items()),
    )


def _readings(shape: WatchShape, loads: Sequence[Load], reader: Reader, act: WatchedAct) -> Iterator[Reading]:
    if shape.measured is not None and loads and has_periods(act):
        yield "load", GET_METRICS, partial(_metrics, shape.measured, loads, reader, act)
    if act.alarm:
        yield "alarm", LIST_ALARMS, partial(read_alarm, reader, act.alarm)


def _metrics(measured: Measured, loads: Sequence[Load], reader: Reader, act: WatchedAct) -> dict[str, Any]:
    asked = {f"m{place}": (load.metric, load.statistic) for place, load in enumerate(loads)}
    return {"after": measured.since(reader, act, asked), "before": measured.before(reader, act, asked)}


def _load_signs(act: WatchedAct, loads: Sequence[Load], found: Mapping[str, Any]) -> Iterator[Sign]:
    if "after" not in found:
        return
    for place, load in enumerate(loads):
        yield load_sign(act, load, found["after"][f"m{place}"], found["before"][f"m{place}"])
