"""GET /anomalies: days whose cost was out of the ordinary, marked in their series, with the cause as a sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.analytics.anomalies import WARM_UP_DAYS
from finops.domain.analytics.causes import GATES, Cause, Explained, explained
from finops.domain.analytics.comparing import comparable
from finops.domain.analytics.expected import Expected, Way
from finops.domain.analytics.series import Series, added
from finops.domain.resource import Shard
from finops_web.api.anomalies import anomaly_to_json
from finops_web.context import Asked, Visit
from finops_web.readings.expected import ReadExpected, expected_in, may_say
from finops_web.readings.history import gaps_of, left_out_of
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, csv_of, render, with_gaps

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/anomalies", "Anomalies", "Spend", 45)
_SHOWN_DAYS: Final = 90
_CSV: Final = ("firstDay", "lastDay", "cost", "expected", "percent", "extra", "score", "expectedBy")


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart; the height is a percentage of the dearest day.

    Attributes:
        odd: whether it belongs to an anomaly.
        judged: whether enough days were known before it to say so.
    """

    day: date
    cost: float
    height: float
    odd: bool
    judged: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One cause as the page shows it: who expects it, and whether the visitor may say so or end it.

    Attributes:
        refused: why what somebody said of it keeps no alert back; empty where nobody did or it does.
    """

    cause: Cause
    way: Way
    expected: Expected | None
    refused: str
    may: bool


@ROUTER.get("/anomalies")
def anomalies(asked: Visit, request: Request, said: str = "", problem: str = "") -> Response:
    """Show the days, what was odd about them, and what somebody expects."""
    read = expected_in(asked.visitor, asked.namespaces(), asked.parts.history.today())
    parts, today = asked.parts.history.parts(asked.policies()), asked.parts.history.today()
    series, found = added(comparable(parts, today), today), explained(parts, today)
    known = len(series.values) if series else 0
    return render(
        asked,
        request,
        "anomalies.html",
        title="Anomalies",
        trust=trust_in(asked.policies(), 0, 0, asked.parts.clock.now(), (*read.gaps, *gaps_of(parts))),
        found=[(one, _lines(asked, one, read)) for one in found],
        not_read=read.not_read(),
        left_out=left_out_of(parts, today),
        first_day=today,
        said=said[:500],
        problem=problem[:500],
        bars=_bars(series, found, today) if series else (),
        known=known,
        judged=max(0, known - WARM_UP_DAYS),
        needed=WARM_UP_DAYS + 1,
        judged_from=series.last + timedelta(days=WARM_UP_DAYS + 1 - known) if series else None,
        gates=GATES,
    )


def _lines(asked: Asked, one: Explained, read: ReadExpected) -> tuple[Line, ...]:
    policies = asked.policies()

    def line(cause: Cause) -> Line:
        shard = Shard(cause.part.account, cause.part.region, cause.part.kind)
        may = bool(may_say(policies, shard, asked.may_change_policies))
        said = read.of(cause, one.anomaly.first)
        refused = "" if said else read.refused(cause, one.anomaly.first)
        return Line(cause, Way.of(cause.extra), said, refused, may)

    return tuple(map(line, one.causes))


@ROUTER.get("/anomalies.json")
def anomalies_json(asked: Visit) -> Response:
    """Return the anomalies as data."""
    read = expected_in(asked.visitor, asked.namespaces(), asked.parts.history.today())
    return with_gaps(JSONResponse(_rows(asked, read)), read.gaps)


@ROUTER.get("/anomalies.csv")
def anomalies_csv(asked: Visit) -> Response:
    """Return the anomalies for a spreadsheet."""
    read = expected_in(asked.visitor, asked.namespaces(), asked.parts.history.today())
    rows = [{**one, "expectedBy": _people(one)} for one in _rows(asked, read)]
    return with_gaps(csv_of(_CSV, rows, "anomalies"), read.gaps)


def _rows(asked: Asked, read: ReadExpected) -> list[dict[str, Any]]:
    parts = asked.parts.history.parts(asked.policies())
    return [anomaly_to_json(one, read) for one in explained(parts, asked.parts.history.today())]


def _people(one: dict[str, Any]) -> str:
    """Return who expects which cause until when, in one cell."""
    words = ((cause["service"], cause["expected"]) for cause in one["causes"] if cause["expected"])
    return "; ".join(f"{service} until {said['until']} ({said['by']})" for service, said in words)


def _bars(series: Series, found: Collection[Explained], today: date) -> tuple[Bar, ...]:
    costs, begins = zip(series.days, series.values, strict=True), today - timedelta(days=_SHOWN_DAYS)
    shown = {day: cost for day, cost in costs if day > begins}
    top, warm = max(shown.values(), default=0.0) or 1.0, series.first + timedelta(days=WARM_UP_DAYS)

    def is_odd(day: date) -> bool:
        return any(one.anomaly.first <= day <= one.anomaly.last for one in found)

    return tuple(Bar(day, cost, 100 * cost / top, is_odd(day), day >= warm) for day, cost in shown.items())
