"""What a running scan says of itself to whoever watches it: a person's terminal, or what may break it off.

The scan calls `planned` and `finished` in its own thread, `listed` and `judged` in those that read AWS, and readers
call `waits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.resource import Shard


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """What one shard brought.

    Attributes:
        resources: how many the policy selects of it.
        monthly_cost: what is known of their cost in a month; with `unpriced` resources it is at least this.
        gaps: how many things could not be seen.
        recommendations: how many are made.
    """

    shard: Shard
    resources: int
    monthly_cost: Decimal
    unpriced: int
    gaps: int
    recommendations: int


class Progress:
    """Watches one scan after the other; as it stands it notes nothing."""

    def planned(self, shards: Sequence[Shard]) -> None:
        """Note what the scan consists of; the regions of all accounts are known now."""

    def listed(self, shard: Shard, resources: int) -> None:
        """Note how many resources a shard has."""

    def judged(self, shard: Shard, resources: int) -> None:
        """Note that so many more of its resources are judged."""

    def finished(self, done: FinishedShard) -> None:
        """Note that a shard is at its end; an exception ends the scan."""

    def parts_done(self, count: int) -> None:
        """Note how many parts pods have done so far; an exception ends the scan."""

    def waits(self, bucket: str, seconds: float) -> None:
        """Note that a request waits for room in a bucket of AWS's quotas; `aws.limiter` has their names."""


UNWATCHED: Final = Progress()
"""Of scans that nobody watches."""
