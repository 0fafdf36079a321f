"""Request rates shared by everything that calls AWS: the operator never uses up a customer's own quota.

Implemented by `finops.store.limits` (all processes together) and `finops_operator.aws.limiter` (one process, no store).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `capacity` tokens at most, `refill` tokens a second, both already our share of AWS's figure."""

    account: str
    region: str
    service: str
    capacity: float
    refill: float


class RateLimits(Protocol):
    """Token buckets in which a caller reserves and learns how long to wait, first come first served.

    Raises:
        StoreUnavailable: the shared buckets do not answer.
    """

    def take(self, bucket: Bucket, tokens: float = 1.0) -> float:
        """Reserve `tokens`; returns the seconds to wait before sending, 0.0 when they were there."""
        ...

    def throttled(self, bucket: Bucket) -> None:
        """Note that AWS throttled a request: the bucket slows down for a while."""
        ...
