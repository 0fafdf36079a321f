"""GET /anomalies: days whose cost was out of the ordinary, marked in their series, with the cause as a sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops_web.analytics.anomalies import WARM_UP_DAYS
from finops_web.analytics.series import added
from finops_web.api.anomalies import anomaly_to_json
from finops_web.context import Asked, Visit
from finops_web.readings.history import GATES, Explained, explained
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, csv_of, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/anomalies", "Anomalies", "Spend", 45)
_SHOWN_DAYS: Final = 90
_CSV: Final = ("firstDay", "lastDay", "cost", "expected", "percent", "extra", "score")


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart; `odd` when it belongs to an anomaly. The height is a percentage of the dearest day."""

    day: date
    cost: float
    height: float
    odd: bool


@ROUTER.get("/anomalies")
def anomalies(asked: Visit, request: Request) -> Response:
    """Show the days and what was odd about them."""
    parts, today = asked.parts.history.parts(asked.policies()), asked.parts.history.today()
    series, found = added(parts, today), explained(parts, today)
    known = len(series.values) if series else 0
    return render(
        asked,
        request,
        "anomalies.html",
        title="Anomalies",
        trust=trust_in(asked.policies(), 0, 0, asked.parts.clock.now()),
        found=found,
        bars=_bars(dict(zip(series.days, series.values, strict=True)), found, today) if series else (),
        known=known,
        needed=WARM_UP_DAYS + 1,
        gates=GATES,
    )


@ROUTER.get("/anomalies.json")
def anomalies_json(asked: Visit) -> Response:
    """Return the anomalies as data."""
    return JSONResponse(_rows(asked))


@ROUTER.get("/anomalies.csv")
def anomalies_csv(asked: Visit) -> Response:
    """Return the anomalies for a spreadsheet."""
    return csv_of(_CSV, _rows(asked), "anomalies")


def _rows(asked: Asked) -> list[dict[str, Any]]:
    parts = asked.parts.history.parts(asked.policies())
    return [anomaly_to_json(one) for one in explained(parts, asked.parts.history.today())]


def _bars(costs: dict[date, float], found: Collection[Explained], today: date) -> tuple[Bar, ...]:
    shown = {day: cost for day, cost in costs.items() if day > today - timedelta(days=_SHOWN_DAYS)}
    top = max(shown.values(), default=0.0) or 1.0

    def is_odd(day: date) -> bool:
        return any(one.anomaly.first <= day <= one.anomaly.last for one in found)

    return tuple(Bar(day, cost, 100 * cost / top, is_odd(day)) for day, cost in shown.items())
