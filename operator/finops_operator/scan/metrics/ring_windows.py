"""Rings in the measure stage: which of those that are kept hold what is asked, and how answers join them. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from finops.domain.rings import Ring
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.between import SAMPLE_COUNT
from finops_operator.scan.metrics.queries import HOUR, Window
from finops_operator.scan.metrics.ran import OwnTime


def hourly_statistics(spec: MetricSpec, own: OwnTime, start: int, ring: Ring | None = None) -> tuple[str, ...]:
    """Return what the hours of a metric are asked for: the samples too, where they say whether a gap was a stop.

    Args:
        spec: the metric.
        own: what counts for the resource.
        start: of the hours, in seconds since the epoch; a resource that has run since then did not stop in them.
        ring: what is kept of it, which goes on with the statistics that it has.
    """
    with_samples = (*spec.statistics, SAMPLE_COUNT)
    if spec.name != own.metric:
        return spec.statistics
    if ring is not None:
        return with_samples[: len(ring.values)]
    return with_samples if own.started is not None and own.started.timestamp() > start else spec.statistics


def of_these_statistics(
    kept: Mapping[tuple[str, str], Ring], specs: Sequence[MetricSpec], own: Mapping[str, OwnTime], start: int
) -> dict[tuple[str, str], Ring]:
    """Return the rings that hold what is asked: a version that asked for other statistics left others.

    `own` is by resource id; `start` as for `hourly_statistics`.
    """
    by_name = {spec.name: spec for spec in specs}

    def holds(key: tuple[str, str], ring: Ring) -> bool:
        spec = by_name[key[1]]
        least = len(hourly_statistics(spec, own[key[0]], start))
        return least <= len(ring.values) <= len(spec.statistics) + (spec.name == own[key[0]].metric)

    return {key: ring for key, ring in kept.items() if holds(key, ring)}


def joined(ring: Ring | None, window: Window, points: tuple[array[float], ...], needed: int) -> Ring:
    """Return the ring continued by what was asked, at either end, or replaced by a whole window.

    `needed` hours are then held; those that CloudWatch keeps no longer are missing.
    """
    start_hour, end_hour = window.start // HOUR, window.end // HOUR
    if ring is not None and len(ring.values) == len(points):
        if ring.start_hour <= start_hour <= ring.end_hour < end_hour:
            return ring.extended(end_hour, points, max(needed, ring.hours))
        if end_hour == ring.start_hour:
            return ring.preceded(start_hour, points).padded(needed)
    return Ring(end_hour, points).padded(needed)
