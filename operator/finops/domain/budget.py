"""How a month stands against a budget. Pure: daily costs in, a judgement out.

What is not known is never taken for zero: a day that was not scanned whole, and a resource without a price, leave the
cost of the month unknown. What is known of it is then a lower bound, which may pass a threshold by itself; so may its
forecast where days are known and prices lack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from finops.domain.analytics.comparing import trainable
from finops.domain.analytics.forecast import LEAST_DAYS, forecast
from finops.domain.analytics.series import Part, added, lacking_prices, priceless
from finops.domain.analytics.unpriced_parts import split_by_price
from finops.domain.money import DAY_OF_MONTH, to_cents
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay, Counted
from finops.domain.shard_days import ShardDays, parts_of_rows

_LARGEST_SHARE: Final = 2_000_000_000


class Basis(StrEnum):
    """What a threshold is compared with: the cost of the month so far, or that forecast for the whole month."""

    ACTUAL = "Actual"
    FORECAST = "Forecast"


class BudgetState(StrEnum):
    """How the month stands."""

    WITHIN_BUDGET = "WithinBudget"
    ALERT_REACHED = "AlertReached"
    EXCEEDED = "Exceeded"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which shards a budget is for; an empty set narrows nothing."""

    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def takes(self, shard: Shard) -> bool:
        """Return whether a shard belongs to it."""
        return self.takes_place(shard.account, shard.region) and (not self.kinds or shard.kind in self.kinds)

    def takes_place(self, account: str, region: str) -> bool:
        """Return whether something of that account and region may belong to it; an empty region is all of them."""
        return (not self.accounts or account in self.accounts) and (
            not self.regions or not region or region in self.regions
        )


@dataclass(frozen=True, slots=True)
class MonthSoFar:
    """What is known of the month.

    Attributes:
        known: cost of the days and shards that are known, exact.
        through: the last day that counts; None when no day of the month was scanned.
        missing_days: days until then of which a shard, or what one of the policies selects of it, is missing.
        unpriced: resources without a price on the worst of these days.
    """

    known: Decimal
    through: date | None
    missing_days: int
    unpriced: int

    @property
    def is_whole(self) -> bool:
        return self.through is not None and not self.missing_days and not self.unpriced


@dataclass(frozen=True, slots=True)
class Reached:
    """A threshold that the month has reached, and the cost or forecast that did."""

    basis: Basis
    percent: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a month stands; money in cents, None where it is not known.

    Attributes:
        forecast: of the whole month; where the actual cost is not known it is a lower bound.
    """

    state: BudgetState
    known: Decimal
    actual: Decimal | None
    forecast: Decimal | None
    reached: tuple[Reached, ...]

    @property
    def forecast_at_least(self) -> bool:
        return self.forecast is not None and self.actual is None


def month_so_far(costs: Iterable[CostOfDay], expected: Collection[Shard], today: date) -> MonthSoFar:
    """Return what is known of the month of `today`.

    Today counts once every expected shard was scanned; until then the month goes through yesterday.

    Args:
        costs: of any shards and days; only the expected shards and the month's days are counted. A day that was kept
            of the whole shard alone is missing.
        expected: the shards that have to be known each day.
        today: in UTC.
    """
    by_day: dict[date, dict[Shard, ShardCost]] = {}
    whole: dict[date, set[Shard]] = {}
    wanted = frozenset(expected)
    for one in costs:
        if one.shard in wanted and one.cost is not None and today.replace(day=1) <= one.day <= today:
            by_day.setdefault(one.day, {})[one.shard] = one.cost
            if one.is_whole:
                whole.setdefault(one.day, set()).add(one.shard)
    through = today if wanted and whole.get(today, set()) >= wanted else today - timedelta(days=1)
    if not by_day or through.month != today.month:
        return MonthSoFar(Decimal(0), None, 0, 0)
    days = [through.replace(day=number) for number in range(1, through.day + 1)]
    known = [cost for day in days for cost in by_day.get(day, {}).values()]
    return MonthSoFar(
        known=sum((cost.monthly_cost * DAY_OF_MONTH for cost in known), Decimal(0)),
        through=through,
        missing_days=sum(whole.get(day, set()) != wanted for day in days),
        unpriced=max(sum(cost.unpriced for cost in by_day.get(day, {}).values()) for day in days),
    )


def drivers(
    costs: Iterable[CostOfDay], expected: Collection[Shard], month: MonthSoFar
) -> tuple[tuple[Shard, Decimal], ...]:
    """Return what each shard is known to have cost in the month so far, the dearest first; together `month.known`."""
    if month.through is None:
        return ()
    wanted, sums = frozenset(expected), dict[Shard, Decimal]()
    for one in costs:
        of_month = month.through.replace(day=1) <= one.day <= month.through
        if one.shard in wanted and one.cost is not None and of_month:
            sums[one.shard] = sums.get(one.shard, Decimal(0)) + one.cost.monthly_cost * DAY_OF_MONTH
    return tuple(sorted(sums.items(), key=lambda item: (-item[1], str(item[0]))))


def month_forecast(costs: Iterable[CostOfDay], expected: Collection[Shard], month: MonthSoFar) -> Decimal | None:
    """Return the cost of the whole month: so far, and the forecast of the days left.

    What has no price leaves it a lower bound. None when a day so far is not known, a shard has a price on some days of
    the month and none on others, all has a price now and some of it had none on days that the forecast has learnt most
    from, or the history is too short for one: nothing is guessed.
    """
    if month.through is None or month.missing_days:
        return None
    split = split_by_price(parts_of(costs, frozenset(expected), month.through), month.through)
    if not split.priced or any(day >= month.through.replace(day=1) for one in split.priced for day in priceless(one)):
        return None
    left = _days_left(month.through)
    if not left:
        return month.known
    learnt = month.through - timedelta(days=LEAST_DAYS - 1)
    if month.is_whole and any(day >= learnt for day in lacking_prices(split.priced)):
        return None
    found = trainable(split.priced, month.through)
    series = added(found.parts, month.through)
    if series is None or series.last != month.through:
        return None
    ahead = forecast(series.values, left, first=series.first)
    return None if ahead is None else month.known + Decimal(str(round(ahead.total, 6)))


def judge(
    amount: Decimal,
    month: MonthSoFar,
    expected_cost: Decimal | None,
    actual_percents: Iterable[int],
    forecast_percents: Iterable[int],
    *,
    unseen: int = 0,
) -> Judgement:
    """Return how the month stands.

    Args:
        amount: of the budget, above zero.
        month: what is known.
        expected_cost: that of the whole month, None when it is not known; a lower bound where resources have no price.
        actual_percents: thresholds of the cost so far.
        forecast_percents: thresholds of the forecast.
        unseen: how many things the last scans could not list; with any the cost is unknown.
    """
    is_known = month.is_whole and not unseen
    ahead = expected_cost if month.through is not None and not month.missing_days and not unseen else None
    reached = [
        Reached(Basis.ACTUAL, one, to_cents(month.known)) for one in _passed(amount, month.known, actual_percents)
    ]
    if ahead is not None:
        passed = _passed(amount, ahead, forecast_percents)
        reached += [Reached(Basis.FORECAST, one, to_cents(ahead)) for one in passed]
    if month.known >= amount:
        state = BudgetState.EXCEEDED
    elif not is_known:
        state = BudgetState.UNKNOWN
    else:
        state = BudgetState.ALERT_REACHED if reached else BudgetState.WITHIN_BUDGET
    return Judgement(
        state=state,
        known=to_cents(month.known),
        actual=to_cents(month.known) if is_known else None,
        forecast=None if ahead is None else to_cents(ahead),
        reached=tuple(reached),
    )


def share_of(amount: Decimal, cost: Decimal | None) -> int | None:
    """Return the share of an amount in whole percent, rounded down; None for an unknown cost."""
    return None if cost is None else min(int(100 * cost / amount), _LARGEST_SHARE)


def _passed(amount: Decimal, cost: Decimal, percents: Iterable[int]) -> list[int]:
    return [one for one in sorted(percents) if 100 * cost >= one * amount]


def _days_left(day: date) -> int:
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return (following - day).days - 1


def parts_of(costs: Iterable[CostOfDay], wanted: frozenset[Shard], through: date) -> list[Part]:
    """Return the series of the wanted shards until a day; a day without any price has no cost, and is named."""
    rows: dict[Shard, ShardDays] = {}
    for one in costs:
        if one.shard in wanted and one.day <= through:
            rows.setdefault(one.shard, ShardDays()).put(
                one.day, Counted(one.cost, one.is_whole, one.is_split, one.is_empty)
            )
    return parts_of_rows(rows)
