"""How many machines of a group are enough for the CPU that its busiest machine used. Pure; used by kinds of groups.

CloudWatch gives the highest member of a group and not how many there were. The work is therefore taken as if every
machine had been as busy as the busiest, which bounds it from above while the group has as many as now.
"""

from __future__ import annotations

import math
from typing import Final

ROOM_PERCENT: Final = 80
"""CPU that machines may reach: AWS Compute Optimizer keeps 20 % free by default."""
FEWEST: Final = 2
"""So that the loss of one machine or one zone leaves another."""


def enough_machines(count: int, busiest_percent: float) -> int:
    """Return the machines that hold the work of `count`, at least two, never more than there are."""
    return min(count, max(FEWEST, math.ceil(count * busiest_percent / ROOM_PERCENT)))


def busy_after(count: int, fewer: int, busiest_percent: float) -> float:
    """Return the CPU in percent that `fewer` machines reach with the work of `count`."""
    return count * busiest_percent / fewer
