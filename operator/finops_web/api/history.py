"""GET /api/costing/history and /api/costing/forecast: cost per day, and what the coming days will cost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from finops.domain.analytics.forecast import LEAST_DAYS, LEAST_DAYS_FOR_MONTHS, Forecast
from finops.domain.analytics.series import Part, added, grouped
from finops.domain.analytics.unpriced_parts import days_at_least, split_by_price
from finops.store.cost_history import KEPT_DAYS
from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.readings.history import Outlook, gaps_of, outlook
from finops_web.readings.policies import lacks_some, trust_in
from finops_web.readings.resources import pushed_among

ROUTER = APIRouter(tags=["costing"])


class By(StrEnum):
    """What a history is grouped by."""

    ALL = "all"
    ACCOUNT = "account"
    REGION = "region"
    SERVICE = "service"


_KEYS: Final[Mapping[By, Callable[[Part], str]]] = {
    By.ALL: lambda _: "all",
    By.ACCOUNT: lambda part: part.account,
    By.REGION: lambda part: part.region,
    By.SERVICE: lambda part: part.kind,
}


_TAG: Final = "tag:"


@ROUTER.get("/api/costing/history")
def history(
    asked: Visit,
    by: Annotated[
        str,
        Query(
            pattern=r"^(all|account|region|service|tag:.{1,128})$",
            description="What each day is split by: `all`, `account`, `region`, `service`, or `tag:KEY`.",
        ),
    ] = By.ALL.value,
    days: Annotated[int, Query(ge=1, le=KEPT_DAYS, description="How many days back.")] = 90,
) -> dict[str, Any]:
    """Return each day's cost at the inventory and list prices of that day; days that are not known are left out.

    A day is known where each account, region and service is that has begun, or was not scanned for three days at most.
    Days before one that is not known are left out too.

    A day counts what your policies select now. Days on which one that selects was not there, or selected otherwise, are
    left out: the gap `KeptWhole` counts them.

    With `atLeast` something had no price on that day; where nothing had one, `cost` is null.

    By a tag there are the values that a Budget names, from the day on which it did: of others no day is known.
    What was pushed is in no history: `pushedResources` of `/api/dashboard` says how many those are.
    """
    today, parts = asked.parts.history.today(), asked.parts.history.parts(asked.policies())
    first = today - timedelta(days=days - 1)
    if by.startswith(_TAG):
        name, found = "tag", asked.parts.history.by_tag(asked.policies(), by.removeprefix(_TAG), first)
    else:
        name, found = by, grouped(parts, _KEYS[By(by)])
    rows = [{**row, name: group} for group, members in found.items() for row in _rows(members, first, today)]
    return _success(asked, rows, parts)


@ROUTER.get("/api/costing/forecast")
def cost_forecast(asked: Visit) -> dict[str, Any]:
    """Return the forecast to month end and of three months; null, with the reason, where that is not known.

    A day counts once it is known of every account, region and service: `knownThrough` is the last one. Where something
    has no price, or the last scans could not list it, the figures are at least that (`atLeast`). What has had no price
    in an account, region and service for a month is in no figure, and `withoutPrice` names it. Where such a part had
    one on some of these days there is no month end. `possibleFrom` says on which day there can be a figure that lacks
    only days, if each day is scanned.
    What was pushed is in no forecast: `pushedResources` says how many those are.
    """
    policies = asked.policies()
    parts = asked.parts.history.parts(policies)
    found = outlook(parts, asked.parts.history.today(), lacks_some=lacks_some(policies))
    month_end = found.month_end
    data = {
        "monthToDate": None if found.to_date is None else round(found.to_date, 2),
        "monthToDateAtLeast": found.to_date is not None and found.to_date_at_least,
        "pushedResources": pushed_among(asked.resources()),
        "knownDays": found.known_days,
        "knownThrough": found.series.last.isoformat() if found.series and found.known_days else None,
        "historyDays": found.training.days,
        "monthEnd": None
        if month_end is None
        else dict(zip(("expected", "low", "high"), (round(one, 2) for one in month_end), strict=True)),
        "monthEndAtLeast": month_end is not None and found.at_least,
        "restOfMonth": _to_json(found.month, found),
        "threeMonths": _to_json(found.quarter, found),
        "needs": {"monthEnd": LEAST_DAYS, "threeMonths": LEAST_DAYS_FOR_MONTHS},
        "reason": found.reason,
        "possibleFrom": {"monthEnd": _day(found.month_end_from), "threeMonths": _day(found.quarter_from)},
        "withoutPrice": [
            {"account": one.account, "region": one.region, "service": one.kind} for one in found.lacking.unpriced
        ],
    }
    return _success(asked, data, parts)


def _rows(parts: Collection[Part], first: date, today: date) -> Iterator[dict[str, Any]]:
    split = split_by_price(parts)
    series = added(split.priced or split.unpriced, today)
    lacking = days_at_least(split, series.days) if series else frozenset[date]()
    for day, value in zip(series.days, series.values, strict=True) if series else ():
        if day >= first:
            cost = None if not value and day in lacking else round(value, 4)
            yield {"date": day.isoformat(), "cost": cost, "atLeast": cost is not None and day in lacking}


def _day(one: date | None) -> str | None:
    return None if one is None else one.isoformat()


def _to_json(one: Forecast | None, found: Outlook) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "total": round(one.total, 2),
        "low": round(one.low, 2),
        "high": round(one.high, 2),
        "atLeast": found.at_least,
        "errorPercent": round(one.error_percent, 2),
        "backTests": one.tests,
        "testedDays": one.tested_days,
        "days": [round(value, 4) for value in one.values],
    }


def _success(asked: Asked, data: Any, parts: Iterable[Part]) -> dict[str, Any]:
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now(), gaps_of(parts))
    return success(data, as_of=trust.oldest, gaps=trust.gaps)
