"""Generated metric series: pure functions of (series, statistic, period, time), consistent among periods.

Nothing is stored. A series is a shape with a variant, a scale and the intervals in which its resource reports. Whole
buckets come from a template that all series of the same shape and variant share, so that ten thousand instances over
fourteen days cost one multiplication a point; buckets that a launch, a stop or the present cuts are summed from slots.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from finops_sandbox.aws.shapes import SHAPES, SLOT_SECONDS, SLOTS_PER_DAY, Sample

STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
# EC2 and EBS report five one-minute samples in a five-minute point.
_SAMPLES_PER_SLOT = 5
_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one resource. ``active`` holds half-open slot ranges in which it reports, in order."""

    shape: str
    variant: int
    scale: float
    active: tuple[tuple[int, int], ...]
    # The shape whose missing points this series shares: an agent that is down reports none of its metrics.
    presence: str = ""


def make_series(
    identity: str, shape: str, active: Sequence[tuple[int, int]], *, factor: float = 1.0, presence: str = ""
) -> Series:
    """A series whose noise depends on its identity (account, region, resource, metric) alone."""
    mark = zlib.crc32(identity.encode())
    # A constant shape means what it says; the others differ a little from resource to resource, never upwards.
    steady = shape.endswith(("_full", "_idle")) or shape in {
        "zero",
        "one",
        "seldom",
        "seldom_published",
        "full_percent",
    }
    scale = 1.0 if steady else 0.85 + 0.15 * ((mark >> 8) & 0xFF) / 255
    return Series(shape, mark % _VARIANTS, scale * factor, tuple(active), presence)


@lru_cache(maxsize=512)
def _day(shape: str, variant: int, presence: str, day: int) -> tuple[Sample | None, ...]:
    function = SHAPES[shape]
    mask = SHAPES[presence] if presence else function
    first = day * SLOTS_PER_DAY
    return tuple(
        function(slot, variant) if mask(slot, variant) is not None else None
        for slot in range(first, first + SLOTS_PER_DAY)
    )


def _samples(series: Series, slots: Iterable[int]) -> list[Sample]:
    found = []
    for slot in slots:
        sample = _day(series.shape, series.variant, series.presence, slot // SLOTS_PER_DAY)[slot % SLOTS_PER_DAY]
        if sample is not None:
            found.append(sample)
    return found


def _statistic(name: str, samples: list[Sample]) -> float | None:
    """One statistic over whole slots; nothing when none of them reports."""
    if not samples:
        return None
    if name == "Maximum":
        return max(sample[2] for sample in samples)
    if name == "Minimum":
        return min(sample[1] for sample in samples)
    if name == "SampleCount":
        return float(_SAMPLES_PER_SLOT * len(samples))
    total = sum(sample[0] for sample in samples)
    return total / len(samples) if name == "Average" else total * _SAMPLES_PER_SLOT


@lru_cache(maxsize=65_536)
def _bucket(shape: str, variant: int, presence: str, name: str, first_slot: int, slots: int) -> float | None:
    template = Series(shape, variant, 1.0, (), presence)
    return _statistic(name, _samples(template, range(first_slot, first_slot + slots)))


@lru_cache(maxsize=1024)
def _window(
    shape: str, variant: int, presence: str, name: str, period: int, first: int, count: int
) -> tuple[float | None, ...]:
    slots = period // SLOT_SECONDS
    return tuple(
        _bucket(shape, variant, presence, name, (first + number * period) // SLOT_SECONDS, slots)
        for number in range(count)
    )


@lru_cache(maxsize=256)
def _times(first: int, period: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count * period, period))


def points(series: Series, name: str, period: int, start: int, end: int) -> tuple[tuple[int, ...], list[float]]:
    """Timestamps (epoch seconds, ascending) and values of [start, end).

    Args:
        series: what to report.
        name: one of :data:`STATISTICS`.
        period: seconds; less than 300 gives the five-minute points that basic monitoring has.
        start: epoch seconds; buckets are aligned to the period.
        end: epoch seconds, exclusive.
    """
    period = max(period, SLOT_SECONDS)
    first = start // period * period
    count = max(0, -(-(end - first) // period))
    if count == 0 or not series.active:
        return (), []
    scale = 1.0 if name == "SampleCount" else series.scale
    template = _window(series.shape, series.variant, series.presence, name, period, first, count)
    low, high = series.active[0][0] * SLOT_SECONDS, series.active[0][1] * SLOT_SECONDS
    if len(series.active) == 1 and low <= first and first + count * period <= high and None not in template:
        return _times(first, period, count), [value * scale for value in template if value is not None]
    times: list[int] = []
    values: list[float] = []
    for number, whole in enumerate(template):
        moment = first + number * period
        value = _clipped(series, name, moment // SLOT_SECONDS, period // SLOT_SECONDS, whole)
        if value is not None:
            times.append(moment)
            values.append(value * scale)
    return tuple(times), values


def _clipped(series: Series, name: str, first_slot: int, slots: int, whole: float | None) -> float | None:
    """The bucket's value, counting only the slots in which the resource reports."""
    last_slot = first_slot + slots
    overlaps = [
        (max(low, first_slot), min(high, last_slot))
        for low, high in series.active
        if low < last_slot and high > first_slot
    ]
    if overlaps == [(first_slot, last_slot)]:
        return whole
    if len(overlaps) == 1:
        ((low, high),) = overlaps
        # Today ends at the same slot for a whole fleet.
        return _bucket(series.shape, series.variant, series.presence, name, low, high - low)
    return _statistic(name, _samples(series, (slot for low, high in overlaps for slot in range(low, high))))
