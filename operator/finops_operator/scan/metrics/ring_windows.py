"""Rings in the measure stage: which of those that are kept hold what is asked, and how answers join them. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from finops.domain.rings import Ring
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.queries import HOUR, Window


def of_these_statistics(
    kept: Mapping[tuple[str, str], Ring], specs: Sequence[MetricSpec]
) -> dict[tuple[str, str], Ring]:
    """Return the rings that hold what is asked: a version that asked for other statistics left others."""
    columns = {spec.name: len(spec.statistics) for spec in specs}
    return {key: ring for key, ring in kept.items() if len(ring.values) == columns[key[1]]}


def joined(ring: Ring | None, window: Window, points: tuple[array[float], ...], needed: int) -> Ring:
    """Return the ring continued by what was asked, at either end, or replaced by a whole window.

    `needed` hours are then held; those that CloudWatch keeps no longer are missing.
    """
    start_hour, end_hour = window.start // HOUR, window.end // HOUR
    if ring is not None and len(ring.values) == len(points):
        if start_hour == ring.end_hour:
            return ring.extended(end_hour, points, max(needed, ring.hours))
        if end_hour == ring.start_hour:
            return ring.preceded(start_hour, points).padded(needed)
    return Ring(end_hour, points).padded(needed)
