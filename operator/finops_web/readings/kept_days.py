"""The days of the history that were read already, kept in little memory: a visit reads what was written since.

A day that is over is not written any more, but for the scans that began on it. How often each day was written is one
answer for all days; days of which that is another number than when they were read are read again, and the latest two
always: they are still written, also by an operator of a release that does not count.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, TypeAlias

from finops.domain.analytics.series import Part
from finops.domain.resource import Shard
from finops.domain.selected import Asked
from finops.domain.shard_days import ShardDays, parts_of_rows
from finops.ports.clock import Clock
from finops.store.cost_history import KEPT_DAYS, days_between
from finops.store.selected_costs import CountedDays

_LASTS_SECONDS: Final = 60.0
MOST_ROWS: Final = 2_000
"""Shards, each with what is asked of it, of 400 days: 15 MB."""
_Key: TypeAlias = tuple[Shard, Asked]


class KeptDays:
    """What was counted of shards in the last 400 days, read once a minute at most and shared by all requests.

    A row is what is asked of one shard, so that visitors whose policies differ share what they have in common. Rows
    that were asked for last stay, `most_rows` or as many as one visitor asks for. Thread-safe.
    """

    def __init__(self, store: CountedDays, clock: Clock, most_rows: int = MOST_ROWS) -> None:
        self._store = store
        self._clock = clock
        self._most_rows = most_rows
        self._rows: dict[_Key, ShardDays] = {}
        self._writes: dict[date, tuple[int, int]] = {}
        self._until: tuple[float, date] | None = None
        self._lock = threading.Lock()

    def parts(self, asked: Mapping[Shard, Asked]) -> list[Part]:
        """Return the days of these shards, but of those of which nothing was kept. Raises StoreUnavailable."""
        with self._lock:
            today = self._clock.now().date()
            first = today - timedelta(days=KEPT_DAYS - 1)
            if self._until is None or self._until[0] <= self._clock.monotonic() or self._until[1] != today:
                self._read_written(first, today)
                self._until = (self._clock.monotonic() + _LASTS_SECONDS, today)
            keys = list(asked.items())
            missing = {key: ShardDays(first, KEPT_DAYS) for key in keys if key not in self._rows}
            self._read(list(days_between(first, today)), missing)
            found = {key: missing.get(key) or self._rows.pop(key) for key in keys}
            # What was asked for last stands last.
            self._rows |= found
            for key in list(self._rows)[: -max(self._most_rows, len(found)) or None]:
                del self._rows[key]
            return parts_of_rows({shard: row for (shard, _), row in found.items()})

    def _read_written(self, first: date, today: date) -> None:
        """Read again, of the rows that are kept, the days that were written since they were read."""
        writes = self._store.writes(first, today)
        changed = [day for day, count in writes.items() if self._writes.get(day) != count]
        self._read(changed, self._rows)
        for row in self._rows.values():
            row.drop_before(first)
        # Days that are still written are never taken for read.
        self._writes = {day: count for day, count in writes.items() if day < today - timedelta(days=1)}

    def _read(self, days: Collection[date], rows: Mapping[_Key, ShardDays]) -> None:
        for day, found in self._store.read(days, list(rows)):
            for row, one in zip(rows.values(), found, strict=True):
                row.put(day, one)
