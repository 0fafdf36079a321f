"""AWS's request quotas of the canned endpoint: token buckets, throttling by chance, and counters of what was asked.

EC2's buckets, EC2 developer guide "Request throttling": non-mutating calls 100 and 20 a second each; an unfiltered and
unpaginated listing 50 and 10. CloudWatch, user guide "Service quotas": GetMetricData 500 a second and 396,000
datapoints a second of windows that begin more than three hours ago, counted by period and range whatever there is of
points; GetMetricStatistics 400, ListMetrics 25, DescribeAlarms 9 a second. STS 600.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

DATAPOINTS: Final = "cloudwatch:datapoints"
UNPAGINATED: Final = "unpaginated"
_QUOTAS: Final = {
    DATAPOINTS: (396_000.0, 396_000.0),
    "cloudwatch:GetMetricData": (500.0, 500.0),
    "cloudwatch:GetMetricStatistics": (400.0, 400.0),
    "cloudwatch:ListMetrics": (25.0, 25.0),
    "cloudwatch:DescribeAlarms": (9.0, 9.0),
    "sts": (600.0, 600.0),
    UNPAGINATED: (50.0, 10.0),
}
_ANY_OTHER: Final = (100.0, 20.0)


@dataclass(slots=True)
class _Bucket:
    capacity: float
    refill: float
    level: float
    at: float

    def take(self, tokens: float, now: float) -> bool:
        """Take tokens; a refused request takes none."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.refill)
        self.at = now
        if self.level < tokens:
            return False
        self.level -= tokens
        return True


@dataclass(slots=True)
class Limits:
    """What is refused.

    Attributes:
        enforced: whether AWS's quotas hold.
        throttled_share: share of the requests of `throttled_services` that is refused by chance; always the same ones.
    """

    enforced: bool = False
    throttled_share: float = 0.0
    throttled_services: frozenset[str] = frozenset({"cloudwatch", "ec2"})
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(20_240_229))

    def refuses(self, operation: str, *, paginated: bool = True, datapoints: int = 0) -> bool:
        """Return whether a request (`service:Operation`) is throttled."""
        service = operation.partition(":")[0]
        if service in self.throttled_services and self._chance.random() < self.throttled_share:
            return True
        if not self.enforced:
            return False
        now = time.monotonic()
        name = operation if operation in _QUOTAS else service if service in _QUOTAS else operation
        if not paginated:
            name = f"{UNPAGINATED}:{operation}"
        if not self._bucket(name, now).take(1, now):
            return True
        return bool(datapoints) and not self._bucket(DATAPOINTS, now).take(datapoints, now)

    def _bucket(self, name: str, now: float) -> _Bucket:
        if name not in self._buckets:
            known = _QUOTAS.get(UNPAGINATED if name.startswith(UNPAGINATED) else name, _ANY_OTHER)
            self._buckets[name] = _Bucket(*known, level=known[0], at=now)
        return self._buckets[name]


@dataclass(slots=True)
class Counters:
    """What was asked since the start: requests, those that were throttled, points asked for and answered, bytes."""

    calls: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    datapoints_asked: int = 0
    datapoints_answered: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0

    def document(self) -> dict[str, object]:
        """Return them by the names of the control interface."""
        return {
            "calls": dict(sorted(self.calls.items())),
            "throttled": dict(sorted(self.throttled.items())),
            "datapointsAsked": self.datapoints_asked,
            "datapointsAnswered": self.datapoints_answered,
            "bytesReceived": self.bytes_received,
            "bytesSent": self.bytes_sent,
        }
