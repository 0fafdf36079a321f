"""The cost history as the visitor may see it, read once a minute and shared by all requests."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.analytics.forecast import Forecast, forecast
from finops.domain.analytics.series import Part, Series, added
from finops.domain.resource import Shard
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.cost_history import KEPT_DAYS, CostHistoryStore, DailyCost
from finops.store.tag_costs import TagCostStore
from finops_web.readings.policies import ScannedPolicy
from finops_web.readings.resources import HOURS

DAY_OF_MONTH: Final = Decimal(24) / HOURS
"""The history keeps what 730 hours cost as things stood that day; this share of it is the day's cost."""
_LASTS_SECONDS: Final = 60.0


class History:
    """Reads the history; thread-safe. Raises StoreUnavailable."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = CostHistoryStore(store)
        self._tags = TagCostStore(store)
        self._clock = clock
        self._kept: tuple[float, date, tuple[DailyCost, ...]] | None = None
        self._lock = threading.Lock()

    def parts(self, policies: Collection[ScannedPolicy]) -> tuple[Part, ...]:
        """Return the parts that the policies cover, each with its days; a day without any price is left out."""
        covered = {shard for one in policies for shard, _ in one.head.shards}
        costs: dict[Shard, dict[date, float]] = {}
        counts: dict[Shard, dict[date, int]] = {}
        for one in self._days():
            shard = Shard(one.account, one.region, one.kind)
            known = one.cost.known_cost
            if shard in covered and known is not None:
                costs.setdefault(shard, {})[one.day] = float(known * DAY_OF_MONTH)
                counts.setdefault(shard, {})[one.day] = one.cost.resources
        return tuple(Part(one.account, one.region, one.kind, costs[one], counts[one]) for one in sorted(costs, key=str))

    def by_tag(self, policies: Collection[ScannedPolicy], key: str, first: date) -> dict[str, Series]:
        """Return value of a tag → its days since `first`, of the values that budgets name: others are not kept."""
        covered = {shard for one in policies for shard, _ in one.head.shards}
        costs: dict[str, dict[Shard, dict[date, float]]] = {}
        for day, shard, value, cost in self._tags.of_key(first, self.today(), key):
            known = cost.known_cost
            if shard in covered and known is not None:
                costs.setdefault(value, {}).setdefault(shard, {})[day] = float(known * DAY_OF_MONTH)
        made = {
            value: added([Part(one.account, one.region, one.kind, days, {}) for one, days in of.items()], self.today())
            for value, of in sorted(costs.items())
        }
        return {value: series for value, series in made.items() if series is not None}

    def today(self) -> date:
        return self._clock.now().date()

    def _days(self) -> tuple[DailyCost, ...]:
        now, today = self._clock.monotonic(), self.today()
        with self._lock:
            if self._kept is None or self._kept[0] <= now or self._kept[1] != today:
                found = tuple(self._store.between(today - timedelta(days=KEPT_DAYS - 1), today))
                self._kept = (now + _LASTS_SECONDS, today, found)
            return self._kept[2]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a month or three cost at their end.

    Attributes:
        to_date: cost of the days of this month that are known.
        known_days: how many of them are, today included.
        month: forecast of the days that are left of it, None when the history is too short, or no day is left.
        month_end: to date and forecast together, with its range; None without a forecast.
        quarter: forecast of the next three months, None when the history is too short.
    """

    series: Series | None
    to_date: float
    known_days: int
    left_days: int
    month: Forecast | None
    quarter: Forecast | None

    @property
    def month_end(self) -> tuple[float, float, float] | None:
        """Return (expected, low, high) of the whole month, None where it is not known."""
        if self.month is None:
            return None
        return self.to_date + self.month.total, self.to_date + self.month.low, self.to_date + self.month.high


def outlook(parts: Collection[Part], today: date) -> Outlook:
    """Return what this month and the next three will cost, from what is known until today."""
    series = added(parts, today)
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    left = (following - today).days - 1
    if series is None or series.last < today - timedelta(days=1):
        # What is known ends too long ago: nothing is said of the days since.
        return Outlook(series, 0.0, 0, left, None, None)
    ahead = (following - series.last).days - 1
    of_month = [value for day, value in zip(series.days, series.values, strict=True) if day >= today.replace(day=1)]
    return Outlook(
        series,
        sum(of_month),
        len(of_month),
        left,
        forecast(series.values, ahead, first=series.first) if ahead else None,
        forecast(series.values, 91, first=series.first),
    )
