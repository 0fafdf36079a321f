"""How full the store is: its memory in use against the most it takes, beyond which it refuses every write.

Called by gate and scans before they begin, by housekeeping for metrics and Events, by /readyz and `finops doctor`.
An act that began must be able to write its end, so nothing begins in the last tenth. A server without a limit says
nothing of its room: that is unknown, never plenty. The disk under its append-only file is not seen by any command.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from finops.errors import StoreUnavailable
from finops.store.connection import Store, store_errors

FILLING_PERCENT: Final = 70
NEARLY_FULL_PERCENT: Final = 90
NEARLY_FULL: Final = "StoreNearlyFull"
"""Code of what is held back, and reason of the condition."""
_HINT: Final = "raise valkey.maxMemory and its memory limit, or maxmemory of an own server; see docs/operations.md"
_MEBIBYTE: Final = 1_048_576


class Fill(StrEnum):
    """What the figures mean."""

    ROOM = "Room"
    FILLING = "Filling"
    NEARLY_FULL = "NearlyFull"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes in use as the server counts them against its limit, and that limit; None where it does not say one."""

    used: int | None
    limit: int | None

    @property
    def percent(self) -> int | None:
        """Return the part in use in whole percent, rounded down; None when it is not known."""
        if self.used is None or self.limit is None:
            return None
        return self.used * 100 // self.limit

    @property
    def fill(self) -> Fill:
        percent = self.percent
        if percent is None:
            return Fill.UNKNOWN
        if percent >= NEARLY_FULL_PERCENT:
            return Fill.NEARLY_FULL
        return Fill.FILLING if percent >= FILLING_PERCENT else Fill.ROOM

    @property
    def hint(self) -> str:
        """Return what to do, empty when there is room."""
        if self.fill is Fill.UNKNOWN:
            return "set maxmemory (with maxmemory-policy noeviction) below the memory that the server really has"
        return "" if self.fill is Fill.ROOM else _HINT

    def __str__(self) -> str:
        if self.used is None:
            return "the store does not say how much memory it uses"
        if self.limit is None:
            return f"the store uses {_mebibytes(self.used)} and names no limit, so it is not known how full it is"
        return f"the store is {self.percent} % full: {_mebibytes(self.used)} of {_mebibytes(self.limit)}"


def space_of(info: dict[str, Any]) -> Space:
    """Return what the section `memory` of INFO says.

    Buffers of replicas and of the append-only file do not count against the limit (`mem_not_counted_for_evict`). A
    limit of 0 is none.
    """
    used, limit = _number(info.get("used_memory")), _number(info.get("maxmemory"))
    aside = _number(info.get("mem_not_counted_for_evict")) or 0
    return Space(None if used is None else max(used - aside, 0), limit or None)


def measure(store: Store) -> Space:
    """Ask the server. Raises StoreUnavailable, StoreRefused."""
    with store_errors():
        info: Any = store.client.info("memory")
    return space_of(info)


def too_full(space: Space) -> str:
    """Return why nothing new may begin, empty when it may; what is not known is shown elsewhere and holds nothing."""
    if space.fill is not Fill.NEARLY_FULL:
        return ""
    return f"{space}; from {NEARLY_FULL_PERCENT} % on nothing new begins, so that acts under way can record their end"


def require_space(store: Store) -> None:
    """Raise StoreUnavailable where the store is too full to begin anything, or does not answer."""
    why = too_full(measure(store))
    if why:
        raise StoreUnavailable(why, code=NEARLY_FULL, hint=_HINT)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _mebibytes(count: int) -> str:
    return f"{count / _MEBIBYTE:,.1f} MiB"
