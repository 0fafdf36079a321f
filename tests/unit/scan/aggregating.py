"""A CloudWatch that holds 5-minute points and makes of them what it says of hours and of days."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tests.unit.scan.measuring import NOW, CloudWatch

DAY = 86_400
STATISTICS = {"Average": 0, "Maximum": 1, "Sum": 2, "SampleCount": 3, "Minimum": 4}


def _chances(place: str) -> list[float]:
    """Return five numbers from 0 to 1, by chance and always the same for a place; a tenth of what seeding one takes."""
    return [number / 2**64 for number in struct.unpack("5Q", blake2b(place.encode(), digest_size=40).digest())]


@dataclass
class Aggregating(CloudWatch):
    """A CloudWatch of 5-minute points (mean, maximum) by metric; what it says of longer periods is made of them."""

    points: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """metric → (usual level, share of busy 5 minutes, level when busy)."""
    seed: int = 0
    spike: float = 100.0
    gaps: float = 0.0
    until: datetime = NOW
    """Nothing is known of five minutes that have not passed."""
    off: Callable[[int], bool] = lambda _slot: False
    """Five minutes (since the epoch) of which nothing at all is published."""
    only_traffic: bool = False
    """Whether nothing is published where nothing happened."""

    def point(self, metric: str, slot: int) -> tuple[float, float] | None:
        usual, share, high = self.points.get(metric, (1.0, 0.0, 1.0))
        if self.off(slot):
            return None
        gap, busy, level, burst, height = _chances(f"{self.seed}{metric}{slot}")
        if gap < self.gaps:
            return None
        mean = (high if busy < share else usual) * (0.8 + 0.4 * level)
        if self.only_traffic and not mean:
            return None
        highest = mean * (1 + 0.3 * height) if burst > 0.001 else mean * 3
        return (min(mean, self.spike), min(highest, self.spike)) if metric == "CPUUtilization" else (mean, highest)

    def _series(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        asked = query["MetricStat"]
        metric, period, number = asked["Metric"]["MetricName"], asked["Period"], STATISTICS[asked["Stat"]]
        found = {at: self._aggregate(metric, at, period) for at in range(start, end, period)}
        kept = {at: value[number] for at, value in found.items() if value is not None}
        stamps, values = [float(at) for at in kept], list(kept.values())
        return {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": stamps, "Values": values}

    def _aggregate(self, metric: str, at: int, period: int) -> tuple[float, float, float, float, float] | None:
        slots = range(at // 300, min(at + period, int(self.until.timestamp())) // 300)
        known = [point for slot in slots if (point := _cached(self, metric, slot)) is not None]
        if not known:
            return None
        total = math.fsum(mean for mean, _ in known)
        return (
            total / len(known),
            max(high for _, high in known),
            total * 5,
            5.0 * len(known),
            0.8 * min(mean for mean, _ in known),
        )

    def __hash__(self) -> int:
        return id(self)


@lru_cache(maxsize=300_000)
def _cached(cloud: Aggregating, metric: str, slot: int) -> tuple[float, float] | None:
    return cloud.point(metric, slot)
