"""The cost history as the visitor may see it, and what the coming days will cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from finops.domain.analytics.comparing import compared, cut_by, trainable
from finops.domain.analytics.forecast import LEAST_DAYS, LEAST_DAYS_FOR_MONTHS, Forecast, forecast
from finops.domain.analytics.series import (
    LONGEST_GAP_DAYS,
    Part,
    Series,
    added,
    first_cost,
    late,
    priceless,
)
from finops.domain.analytics.unpriced_parts import days_at_least, split_by_price
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
        """Return what the policies select, by shard, each with its days; where nothing has a price a day has no cost.

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
            found = Counted(one.cost, one.is_whole, one.is_split, one.is_empty)
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


class Lacking(NamedTuple):
    """What no figure has.

    Attributes:
        unpriced: the parts without any price.
        unlisted: whether the last scans could not list something.
    """

    unpriced: tuple[Part, ...] = ()
    unlisted: bool = False


_NOTHING_LACKS: Final = Lacking()


class Training(NamedTuple):
    """What a forecast leans on.

    Attributes:
        days: how many.
        cut: which parts were not known before them, as the end of a sentence.
    """

    days: int = 0
    cut: str = ""


_NO_TRAINING: Final = Training()


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a month or three cost at their end, of all that has a price.

    Attributes:
        series: the days that are known of all parts, without those of `unpriced`.
        to_date: cost of the days of this month that are known; None where none is, or nothing has a price.
        known_days: how many of them are, today included.
        ahead_days: days of this month after the last known one.
        month: forecast of the days that are left of it, None when the history is too short, or no day is left.
        quarter: forecast of the next three months, None when the history is too short.
        training: what a forecast leans on.
        lacking_prices: days of the series on which something has no price.
        problem: why no month end is said whatever the history: what is known of all parts of the cost ended too long
            ago, or nothing of one has a price on some of its days; mostly empty.
        lacking: what is in no figure: each figure is then at least that.
    """

    series: Series | None
    to_date: float | None
    known_days: int
    ahead_days: int
    month: Forecast | None
    quarter: Forecast | None
    training: Training = _NO_TRAINING
    lacking_prices: frozenset[date] = frozenset()
    problem: str = ""
    lacking: Lacking = _NOTHING_LACKS

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the kinds of which a part is in no figure, since nothing of it has a price."""
        return tuple(sorted({one.kind for one in self.lacking.unpriced}))

    @property
    def to_date_at_least(self) -> bool:
        """Return whether more is paid than the month to date says.

        Something had no price on a day of the month, has none at all, or could not be listed.
        """
        return any(self.lacking) or self._lacks_prices(max(self.known_days, 1))

    @property
    def at_least(self) -> bool:
        """Return whether more will be paid than is forecast: so far, or on the days that it has learnt most from."""
        return self.to_date_at_least or self._lacks_prices(LEAST_DAYS)

    def _lacks_prices(self, last_days: int) -> bool:
        days = self.series.days[-last_days:] if self.series is not None else ()
        return any(day in self.lacking_prices for day in days)

    @property
    def month_end(self) -> tuple[float, float, float] | None:
        """Return (expected, low, high): to date and forecast together; None where that is not known (`reason`)."""
        if self.reason:
            return None
        to_date = self.to_date or 0.0
        if self.month is None:
            return to_date, to_date, to_date
        return to_date + self.month.total, to_date + self.month.low, to_date + self.month.high

    @property
    def month_end_from(self) -> date | None:
        """Return the day on which there can be a month end if each day until then is scanned.

        None where there is one, or where something else than days lacks.
        """
        known = self._known_days_from(LEAST_DAYS)
        if known is None or self.series is None or not self.reason:
            return None
        # A month has an end only where all of its days are known.
        return known if self.series.first <= known.replace(day=1) else _following_month(known)

    @property
    def quarter_from(self) -> date | None:
        """Return the same for the forecast of three months."""
        return self._known_days_from(LEAST_DAYS_FOR_MONTHS) if self.quarter is None else None

    def _known_days_from(self, least: int) -> date | None:
        """Return the day on which a forecast leans on so many days, today at the earliest."""
        if self.problem or self.series is None or not self.training.days:
            return None
        return self.series.last + timedelta(days=max(0, least - self.training.days))

    @property
    def reason(self) -> str:
        """Return why the cost of the whole month is not known, empty where it is."""
        if self.series is None or self.problem or (self.month is None and self.ahead_days):
            return self.too_short_for(LEAST_DAYS)
        if self.series.first > self.series.last.replace(day=1) and self.known_days:
            return f"not all days known: those of this month before {self.series.first} are not{self.training.cut}"
        return ""

    def too_short_for(self, least: int) -> str:
        """Return why there is no forecast that needs so many days: fewer are known, or none of the last ones."""
        return self.problem or f"not enough history: {self.training.days} of {least} days{self.training.cut}"


def left_out_of(parts: Collection[Part], today: date) -> tuple[str, ...]:
    """Return a sentence for the parts of the cost that anomalies leave out, as `compared` does, and why."""
    found = compared(parts, today)
    has = "has" if len(found.priceless) == 1 else "have"
    return (
        *(_not_listed(of_day, last) for last, of_day in found.late.items()),
        *((f"{_names(found.priceless)} {has} no price on {found.last}",) if found.priceless else ()),
        *(_not_known(of_day, last) for last, of_day in found.holed.items()),
    )


def _not_known(parts: Sequence[Part], last: date) -> str:
    were = "was" if len(parts) == 1 else "were"
    return f"{_names(parts)} {were} not known, or had no price, for more than {LONGEST_GAP_DAYS} days until {last}"


def _new_in(parts: Collection[Part], first: date) -> str:
    """Return which parts began on the first of the days, where others are known from days before on."""
    firsts = [(one, first_cost(one)) for one in parts]
    begun = [one for one, day in firsts if day == first]
    others = any(day is not None and day < first for _, day in firsts)
    is_known = "is known" if len(begun) == 1 else "are known"
    return f", since {_names(begun)} {is_known} from {first} on" if begun and others else ""


def _not_listed(parts: Sequence[Part], last: date) -> str:
    were = "was" if len(parts) == 1 else "were"
    return f"nothing is known of the days after {last}: {_names(parts)} {were} not listed whole since"


def _ended(parts: Collection[Part], series: Series | None, today: date) -> str:
    """Return why nothing is said of today; empty where all parts of the cost are known until a day that is recent."""
    least = max(today - timedelta(days=LONGEST_GAP_DAYS), today.replace(day=1) - timedelta(days=1))
    if series is not None and series.last >= least:
        return ""
    unknown = f"no day after {series.last} is known of all parts of the cost" if series is not None else ""
    return next((_not_listed(found, last) for last, found in late(parts, today).items()), unknown)


def _priceless(parts: Iterable[Part], days: Sequence[date]) -> str:
    """Return which parts have no price at all on some of these days, empty where each has some."""
    found = {id(one): (one, priceless(one) & frozenset(days)) for one in parts if one.unpriced}
    without = [one for one, lacking in found.values() if lacking]
    if not without:
        return ""
    count = len(frozenset[date]().union(*(lacking for _, lacking in found.values())))
    has = "has" if len(without) == 1 else "have"
    when = f"{counted_words(count, 'day')} of this month" if len(days) > 1 else str(*days)
    return f"{_names(without)} {has} no price on {when}"


def _names(parts: Sequence[Part]) -> str:
    one, more = parts[0], len(parts) - 1
    place = f" in {one.region}" if one.region else ""
    name = f"{one.kind}{place} of account {one.account}"
    return f"{name} and {counted_words(more, 'more part')}" if more else name


def outlook(parts: Collection[Part], today: date, *, lacks_some: bool = False) -> Outlook:
    """Return what this month and the next three will cost, from what is known until today.

    What has no price is left out and named: what is said of all else is then a lower bound. So it is where the last
    scans could not list something (`lacks_some`), which no day of the history may ever have had.
    """
    split = split_by_price(parts, today)
    members = split.priced or split.unpriced
    series = added(members, today)
    following = _following_month(today)
    lacking = days_at_least(split, series.days) if series is not None else frozenset[date]()
    missing, ended = Lacking(tuple(split.unpriced), lacks_some), _ended(members, series, today)
    if series is None or ended:
        # What is known of all parts ends too long ago: nothing is said of the days since.
        ahead = (following - today).days
        return Outlook(series, None, 0, ahead, None, None, lacking_prices=lacking, problem=ended, lacking=missing)
    ahead = (following - series.last).days - 1
    of_month = {day: cost for day, cost in zip(series.days, series.values, strict=True) if day >= today.replace(day=1)}
    judged = list(of_month) or [series.last]
    has_no_price = not sum(series.values[-len(judged) :]) and not lacking.isdisjoint(judged)
    nothing = f"nothing of {'this month' if of_month else series.last} has a price" if has_no_price else ""
    problem = _priceless(members, judged) or nothing
    trained, training = _trained(members, series.last)
    return Outlook(
        series,
        None if has_no_price or not of_month else sum(of_month.values()),
        len(of_month),
        ahead,
        forecast(trained.values, ahead, first=trained.first) if trained and not problem and ahead else None,
        forecast(trained.values, 91, first=trained.first) if trained and not problem else None,
        training,
        lacking,
        problem,
        missing,
    )


def _following_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _trained(parts: Collection[Part], until: date) -> tuple[Series | None, Training]:
    """Return the days that a forecast of those after `until` leans on, None where that day is not among them."""
    members = trainable(parts, until).parts
    series = added(members, until)
    if series is None:
        return None, Training()
    cut = cut_by(members, series.first, until)
    words = f", since {_not_known(cut, series.first - timedelta(days=1))}" if cut else _new_in(members, series.first)
    return series if series.last == until else None, Training(len(series.values), words)
