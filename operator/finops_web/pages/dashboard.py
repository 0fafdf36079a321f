"""GET /: what everything costs, what was saved, what could be, and what waits for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from finops.domain.analytics.forecast import LEAST_DAYS_FOR_MONTHS
from finops.domain.money import daily_from_monthly
from finops_web.api.dashboard import figures
from finops_web.context import Visit
from finops_web.readings.history import Outlook, gaps_of, outlook
from finops_web.readings.policies import health_of, lacks_some, savings_of
from finops_web.readings.recommendations import counted, recommendations_of
from finops_web.readings.requests import may_be_voted_on, requests_or_problem
from finops_web.readings.resources import grouped, pushed_among, pushed_cost, sum_of
from finops_web.readings.savings import approved_of, realised_of
from finops_web.rendering import Entry, csv_of, flat, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/", "Dashboard", "", 0)
_TOP: Final = 10
_DAYS: Final = 30
_CSV: Final = ("figure", "value")


@dataclass(frozen=True, slots=True)
class Day:
    """One bar of the chart: a day that is known, or one that is forecast. The height is a percentage of the dearest.

    Attributes:
        cost: None where nothing had a price.
        at_least: whether more was or will be paid.
    """

    day: date
    cost: float | None
    height: float
    expected: bool
    at_least: bool = False


@ROUTER.get("/")
def dashboard(asked: Visit, request: Request) -> Response:
    """Show the dashboard."""
    policies = asked.policies()
    rows = asked.resources()
    cost, resources, unpriced = sum_of(rows)
    now = asked.parts.clock.now()
    read, cluster_problem = requests_or_problem(asked.visitor, asked.namespaces())
    parts = asked.parts.history.parts(policies)
    ahead = outlook(parts, now.date(), lacks_some=lacks_some(policies))
    recommended = counted(recommendations_of(asked.parts.store, policies))
    return render(
        asked,
        request,
        "dashboard.html",
        title="Dashboard",
        trust=asked.trust(resources, resources - unpriced, (*read.gaps, *gaps_of(parts))),
        cost=cost,
        daily=None if cost is None else daily_from_monthly(cost),
        unpriced=unpriced,
        pushed=pushed_among(rows),
        pushed_cost=pushed_cost(rows),
        savings=savings_of(policies),
        realised=realised_of(asked.parts.store, asked.namespaces(), asked.parts.clock.now()),
        approved=None if cluster_problem else approved_of(read.found),
        top=recommended[:_TOP],
        more=max(0, len(recommended) - _TOP),
        waiting=[one for one in read.found if may_be_voted_on(one)],
        closed=len(read.gaps),
        cluster_problem=cluster_problem,
        by_kind=grouped(rows, lambda row: row.resource.kind),
        by_region=grouped(rows, lambda row: row.resource.region or "global"),
        by_account=grouped(rows, lambda row: row.resource.account),
        health={one.account: one for one in health_of(policies)},
        days=_days(ahead, now.date()) if policies else (),
        outlook=ahead,
        today=now.date(),
        least_days_for_months=LEAST_DAYS_FOR_MONTHS,
        policies=policies,
    )


@ROUTER.get("/dashboard.json")
def dashboard_json(asked: Visit) -> dict[str, Any]:
    """Return the figures of the dashboard as data."""
    return figures(asked)


@ROUTER.get("/dashboard.csv")
def dashboard_csv(asked: Visit) -> Response:
    """Return the figures for a spreadsheet, one a row, named as in the data; what is unknown is an empty cell."""
    return csv_of(_CSV, ({"figure": name, "value": value} for name, value in flat(figures(asked))), "dashboard")


def _days(found: Outlook, today: date) -> tuple[Day, ...]:
    """Return the days of the last month that are known, and those left of this month that are forecast."""
    if found.series is None:
        return ()
    first = min(today.replace(day=1), today - timedelta(days=_DAYS - 1))
    known = [(day, cost) for day, cost in zip(found.series.days, found.series.values, strict=True) if day >= first]
    ahead = found.month.values if found.month else ()
    coming = [(found.series.last + timedelta(days=number), cost) for number, cost in enumerate(ahead, start=1)]
    top = max((cost for _, cost in (*known, *coming)), default=0.0) or 1.0
    bars = [_known_day(found, day, cost, 100 * cost / top) for day, cost in known]
    least = found.at_least
    return (*bars, *(Day(day, cost, 100 * cost / top, expected=True, at_least=least) for day, cost in coming))


def _known_day(found: Outlook, day: date, cost: float, height: float) -> Day:
    lacking = day in found.lacking_prices
    least = lacking or found.lacking.unlisted
    return Day(day, cost if cost or not lacking else None, height, expected=False, at_least=least)
