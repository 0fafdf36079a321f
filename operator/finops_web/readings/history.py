"""The cost history as the visitor may see it, and what the coming days will cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from finops.domain.analytics.forecast import LEAST_DAYS, Forecast, forecast
from finops.domain.analytics.series import LONGEST_GAP_DAYS, Part, Series, added, lacking_prices, late
from finops.domain.quantity import counted as counted_words
from finops.domain.resource import Gap, Shard
from finops.domain.selected import Counted, Selecting, asked_by_shard
from finops.domain.shard_days import ShardDays, parts_of_rows
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.selected_costs import CountedDays, selecting_of, tagged_days_counted
from finops_web.readings.kept_days import KeptDays
from finops_web.readings.policies import ScannedPolicy


class History:
    """Reads the history; thread-safe. Raises StoreUnavailable."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept = KeptDays(CountedDays(store), clock)

    def parts(self, policies: Collection[ScannedPolicy]) -> tuple[Part, ...]:
        """Return what the policies select, by shard, each with its days; a day without any price is left out.

        A day is unknown where one of the policies was not there, or selected otherwise.
        """
        return tuple(self._kept.parts(asked_by_shard(_selecting(policies))))

    def by_tag(self, policies: Collection[ScannedPolicy], key: str, first: date) -> dict[str, list[Part]]:
        """Return value of a tag → its parts since `first`, of the values that budgets name: others are not kept.

        A value of which the policies select no resource on any of these days is left out.
        """
        rows: dict[str, dict[Shard, ShardDays]] = {}
        with_resources: set[str] = set()
        for value, one in tagged_days_counted(self._store, first, self.today(), key, tuple(_selecting(policies))):
            found = Counted(one.cost, one.is_whole, one.is_split)
            rows.setdefault(value, {}).setdefault(one.shard, ShardDays()).put(one.day, found)
            if one.cost is not None and one.cost.resources:
                with_resources.add(value)
        return {value: parts_of_rows(rows[value]) for value in sorted(with_resources)}

    def today(self) -> date:
        return self._clock.now().date()


def gaps_of(parts: Iterable[Part]) -> tuple[Gap, ...]:
    """Return a gap for each account of which days are left out, since policies selected otherwise then."""
    unknown: dict[str, set[date]] = {}
    for one in parts:
        if one.unknown:
            unknown.setdefault(one.account, set()).update(one.unknown)
    return tuple(_left_out(account, days) for account, days in sorted(unknown.items()))


def _left_out(account: str, days: Collection[date]) -> Gap:
    message = (
        f"{counted_words(len(days), 'day')} until {max(days)} were kept before your policies selected what they select "
        "now: the cost of all resources is known of them, that of what your policies select is not. They are left out."
    )
    return Gap(account, "", "store", "ReadHistory", "KeptWhole", message)


def _selecting(policies: Iterable[ScannedPolicy]) -> Iterator[Selecting]:
    return (selecting_of(one.key, one.head) for one in policies)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a month or three cost at their end.

    Attributes:
        to_date: cost of the days of this month that are known; None where none is, or nothing has a price.
        known_days: how many of them are, today included.
        ahead_days: days of this month after the last known one.
        month: forecast of the days that are left of it, None when the history is too short, or no day is left.
        month_end: to date and forecast together, with its range; None without a forecast.
        quarter: forecast of the next three months, None when the history is too short.
        ended: why nothing is said of today: what is known of all parts of the cost ended too long ago; mostly empty.
    """

    series: Series | None
    to_date: float | None
    known_days: int
    ahead_days: int
    month: Forecast | None
    quarter: Forecast | None
    ended: str = ""

    @property
    def month_end(self) -> tuple[float, float, float] | None:
        """Return (expected, low, high) of the whole month, None where it is not known (`reason`)."""
        if self.reason:
            return None
        to_date = self.to_date or 0.0
        if self.month is None:
            return to_date, to_date, to_date
        return to_date + self.month.total, to_date + self.month.low, to_date + self.month.high

    @property
    def reason(self) -> str:
        """Return why the cost of the whole month is not known, empty where it is."""
        if self.series is None or (self.month is None and self.ahead_days):
            return self.lacking(LEAST_DAYS)
        if self.known_days and self.to_date is None:
            return "nothing of this month has a price"
        if self.series.first > self.series.last.replace(day=1) and self.known_days:
            return f"not all days known: those of this month before {self.series.first} are not"
        return ""

    def lacking(self, least: int) -> str:
        """Return why there is no forecast that needs so many days: fewer are known, or none of the last ones."""
        known = len(self.series.values) if self.series else 0
        if self.ended:
            return self.ended
        return f"not enough history: {known} of {least} days"


def left_out_of(parts: Collection[Part], today: date) -> tuple[str, ...]:
    """Return a sentence for the parts of the cost of which nothing is known since each day that is too long ago."""
    return tuple(
        f"nothing is known of the days after {last}: {_names(found)} {'was' if len(found) == 1 else 'were'} "
        "not listed whole since"
        for last, found in late(parts, today).items()
    )


def _ended(parts: Collection[Part], series: Series | None, today: date) -> str:
    """Return why nothing is said of today; empty where all parts of the cost are known until a day that is recent."""
    if series is not None and series.last >= today - timedelta(days=LONGEST_GAP_DAYS):
        return ""
    unknown = f"no day after {series.last} is known of all parts of the cost" if series is not None else ""
    return next(iter(left_out_of(parts, today)), unknown)


def _names(parts: Sequence[Part]) -> str:
    one, more = parts[0], len(parts) - 1
    name = f"{one.kind} in {one.region or 'all regions'} of account {one.account}"
    return f"{name} and {counted_words(more, 'more part')}" if more else name


def outlook(parts: Collection[Part], today: date) -> Outlook:
    """Return what this month and the next three will cost, from what is known until today."""
    series = added(parts, today)
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    ended = _ended(parts, series, today)
    if series is None or ended:
        # What is known of all parts ends too long ago: nothing is said of the days since.
        return Outlook(series, None, 0, (following - today).days, None, None, ended)
    ahead = (following - series.last).days - 1
    of_month = [value for day, value in zip(series.days, series.values, strict=True) if day >= today.replace(day=1)]
    has_no_price = not sum(of_month) and any(day >= today.replace(day=1) for day in lacking_prices(parts))
    return Outlook(
        series,
        None if has_no_price or not of_month else sum(of_month),
        len(of_month),
        ahead,
        forecast(series.values, ahead, first=series.first) if ahead else None,
        forecast(series.values, 91, first=series.first),
    )
