"""How fast we may call which service: by default half of AWS's published figures; the rest stays the customer's.

The reader takes from these buckets before every request. Without a store (`finops doctor`, tests) `LocalRateLimits`
keeps them in the process.
Figures: EC2 API throttling page (non-mutating 100 tokens, 20 a second); CloudWatch limits page (GetMetricData 500 a
second and 396,000 datapoints a second when the window starts more than three hours ago, ListMetrics 25 a second).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.ports.limits import Bucket


@dataclass(frozen=True, slots=True)
class Quota:
    """Burst and tokens per second."""

    burst: float
    per_second: float


PUBLISHED: Final[Mapping[str, Quota]] = {
    "ec2": Quota(100, 20),
    "cloudwatch:GetMetricData": Quota(500, 500),
    "cloudwatch:ListMetrics": Quota(25, 25),
    "cloudwatch:datapoints": Quota(396_000, 396_000),
}
"""AWS's own figures by `service:Operation`, else by service. What is not here is not limited (STS, once a session)."""


def share_of_published(percent: int) -> Mapping[str, Quota]:
    """Return `percent` of each published quota."""
    return {
        name: Quota(quota.burst * percent / 100, quota.per_second * percent / 100) for name, quota in PUBLISHED.items()
    }


OURS: Final[Mapping[str, Quota]] = share_of_published(50)
"""What scans use unless told otherwise."""


def bucket_for(account: str, region: str, operation: str, quotas: Mapping[str, Quota] = OURS) -> Bucket | None:
    """Return the bucket that `operation` (`service:Operation`) draws from, None when there is none."""
    service = operation.partition(":")[0]
    name = operation if operation in quotas else service
    quota = quotas.get(name)
    if quota is None:
        return None
    return Bucket(account, region, name, quota.burst, quota.per_second)


@dataclass(slots=True)
class _Level:
    level: float
    at: float
    factor: float = 1.0


class LocalRateLimits:
    """RateLimits of one process; the same arithmetic as the shared ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, str, str], _Level] = {}

    def take(self, bucket: Bucket, tokens: float = 1.0) -> float:
        with self._lock:
            row = self._refilled(bucket)
            row.factor = min(1.0, row.factor + 0.02)
            row.level -= tokens
            return 0.0 if row.level >= 0 else -row.level / (bucket.refill * row.factor)

    def throttled(self, bucket: Bucket) -> None:
        with self._lock:
            row = self._refilled(bucket)
            row.factor = max(0.25, row.factor / 2)
            row.level = min(row.level, 0.0)

    def _refilled(self, bucket: Bucket) -> _Level:
        now = time.monotonic()
        key = (bucket.account, bucket.region, bucket.service)
        row = self._levels.setdefault(key, _Level(bucket.capacity, now))
        row.level = min(bucket.capacity, row.level + (now - row.at) * bucket.refill * row.factor)
        row.at = now
        return row
