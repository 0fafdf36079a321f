"""What shows in the hours after a volume got another type: requests that wait, and reads or writes at its new limits.

Reads and writes are compared with the promised figures each for itself: both together may reach a limit before one of
them does, so what is not worse here may still be slow, which its queue shows. Source: Amazon EBS user guide, "Amazon
CloudWatch metrics for Amazon EBS" (a volume that is attached to no running instance has no metrics).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import QUEUE_GREW, Load, Missing, WatchShape, above
from finops_operator.plugins.watched import PERIOD, Measured, unknown

_AT_LIMIT: Final = 0.95
"""Share of a promised figure from which a whole period on average is at the limit."""
_MIB: Final = 2**20
_STATE: Final = "volume"
_IN_USE: Final = "in-use"
_QUEUE: Final = Load(
    "queue",
    "VolumeQueueLength",
    "Average",
    "More than {limit:.1f} requests waited",
    "No more requests wait than before.",
    Missing.GAP,
    QUEUE_GREW,
)


def volume_watch(observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch, which reads the volume as its action does."""
    return WatchShape(
        noun="volume",
        observe=observe,
        left=_left,
        state=_state,
        before=lambda now: {_STATE: now.text("state")},
        reads=("its state", "length of its queue against before", "IOPS and throughput against what was promised"),
        measured=Measured("AWS/EBS", lambda volume: {"VolumeId": volume}),
        loads=_loads,
    ).watch


def _loads(act: WatchedAct) -> tuple[Load, ...]:
    if act.before.get(_STATE) != _IN_USE:
        # Nothing uses it, and CloudWatch has nothing of it.
        return ()
    seconds = PERIOD.total_seconds() * _AT_LIMIT
    limits = (("IOPS", "iops", "Ops", seconds), ("throughput", "throughput", "Bytes", seconds * _MIB))
    return (_QUEUE, *(load for limit in limits for load in _at_limit(act, *limit)))


def _at_limit(act: WatchedAct, name: str, parameter: str, unit: str, factor: float) -> Iterator[Load]:
    promised = act.parameters.get(parameter)
    if not isinstance(promised, int):
        # An undo gives it the figures of its size, which nobody promised.
        return
    of = partial(Load, statistic="Sum", missing=Missing.GAP, limit=above(promised * factor))
    for word, what in (("Read", "reads"), ("Write", "writes")):
        yield of(
            name=f"{name} of {what}",
            metric=f"Volume{word}{unit}",
            beyond=f"Its {what} were at its limit of {promised} {'IOPS' if unit == 'Ops' else 'MiB/s'}",
            well=f"Its {what} stay below the promised {name}.",
        )


def _left(act: WatchedAct, now: Observation) -> str:
    for name, fact in (("volumeType", "volumeType"), ("iops", "iops"), ("throughput", "throughput")):
        wanted = act.parameters.get(name)
        if wanted is not None and now.text(fact) != str(wanted):
            return "Its settings are no longer those that the act gave it."
    return ""


def _state(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    state, before = now.text("state"), act.before.get(_STATE, "")
    if state in {"in-use", "available"} and state == before:
        yield Sign(_STATE, Health.WELL, f"It is {state}.")
    else:
        yield unknown(_STATE, f"It is {state or 'in an unknown state'} now; before the act: {before or 'not known'}.")
