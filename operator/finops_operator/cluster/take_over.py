"""How long a take-over of the ledger may stand still: a sink that hangs in a read never comes back to say so.

Used by `finops_operator.cluster.lease`. Reading a long ledger takes its time, and each record read shows that it goes
on; only without any is it standing still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SAID_SECONDS: Final = 30.0
GIVEN_UP_SECONDS: Final = 300.0
STANDS_STILL: Final = "taking over the ledger stands still: the store, a volume or a bucket does not answer"


@dataclass(slots=True)
class TakeOver:
    """One try to take the ledger over. `moved_at` is the monotonic instant of its last sign of life, in seconds."""

    moved_at: float

    def stands_still(self, now: float) -> str:
        """Return why nothing may be written, once it has stood still long enough to be said; else an empty text."""
        if now - self.moved_at < SAID_SECONDS:
            return ""
        return STANDS_STILL

    def is_given_up(self, now: float) -> bool:
        """Return whether it has stood still so long that another process should have the lease."""
        return now - self.moved_at >= GIVEN_UP_SECONDS
