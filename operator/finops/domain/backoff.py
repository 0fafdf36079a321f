"""Growing pauses between attempts: the one rule that reads of AWS, acts, scans, waits and the bot's connection share.

Only the arithmetic: who waits, on which clock, and which errors are worth another attempt is each caller's own (the
type of an error says that, see `finops.errors`), which is why no library's loop stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ENOUGH: Final = 64
"""Doublings after which no pause of interest grows any more; keeps the arithmetic finite."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: `first` after the first failure, twice as long after each further one, up to `longest`."""

    first: float
    longest: float

    def pause(self, failures: int) -> float:
        """Return the pause after `failures` failures in a row; none counts as one."""
        return min(self.longest, self.first * 2.0 ** (min(max(failures, 1), _ENOUGH) - 1))

    def spread(self, failures: int, chance: float) -> float:
        """Return a part of the pause, `chance` of it (0 to 1): many who failed together come back one by one."""
        return chance * self.pause(failures)
