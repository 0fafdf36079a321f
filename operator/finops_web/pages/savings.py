"""GET /savings: what ended acts really save, act by act and check by check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.lasting import Lasting
from finops.domain.resource import Gap
from finops.store.realized import StoredSavings
from finops.store.realized_sums import counted, realised_a_month
from finops_web.context import Asked, Visit
from finops_web.readings.policies import savings_of, trust_in
from finops_web.readings.requests import requests_of
from finops_web.readings.savings import accuracy, act_in_words, acts_in, by_month, chart_of_months, checks_of, so_far
from finops_web.rendering import Entry, csv_of, render, with_gaps

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/savings", "Savings", "Decide", 30)
_CSV: Final = (
    "time",
    "resource",
    "account",
    "region",
    "action",
    "before",
    "after",
    "saving",
    "lastsDays",
    "currency",
    "name",
    "resourceName",
    "savedSoFar",
    "seenHours",
    "unknownHours",
    "seenUntil",
    "ended",
    "endedWhy",
    "waiting",
    "unmeasured",
)
_CHECKS_CSV: Final = ("check", "acts", "undone", "ended", "unknown", "promised", "stands", "currency", "unmeasured")


@ROUTER.get("/savings")
def savings(asked: Visit, request: Request) -> Response:
    """Show what was saved, the latest act first."""
    policies, stored, now = asked.policies(), _stored(asked), asked.parts.clock.now()
    entries = _entries(stored, now)
    read = requests_of(asked.visitor, asked.namespaces())
    months = by_month(counted(stored.every, now, stored.seen, stored.own))
    return render(
        asked,
        request,
        "savings.html",
        title="Savings",
        trust=trust_in(policies, 0, 0, now, read.gaps),
        entries=entries,
        months=months,
        chart=chart_of_months(months),
        acts=_in_words(asked, entries),
        realised=realised_a_month(stored.every, now, stored.seen, stored.own),
        potential=savings_of(policies),
        accuracy=accuracy(stored.every, checks_of(read.found), now, stored.seen, stored.own),
    )


@ROUTER.get("/savings.json")
def savings_json(asked: Visit) -> Response:
    """Return the acts as data."""
    return JSONResponse(
        [{key: _text(value) for key, value in one.items()} for one in _entries(_stored(asked), asked.parts.clock.now())]
    )


@ROUTER.get("/savings.csv")
def savings_csv(asked: Visit) -> Response:
    """Return the acts for a spreadsheet."""
    return csv_of(_CSV, _entries(_stored(asked), asked.parts.clock.now()), "savings")


@ROUTER.get("/savings/by-check.json")
def by_check_json(asked: Visit) -> Response:
    """Return as data what each check promised and what still stands; an unknown check or sum is null."""
    rows, gaps = _by_check(asked)
    return with_gaps(JSONResponse([{name: _text(value) for name, value in row.items()} for row in rows]), gaps)


@ROUTER.get("/savings/by-check.csv")
def by_check_csv(asked: Visit) -> Response:
    """Return the same for a spreadsheet; what is unknown is an empty cell."""
    rows, gaps = _by_check(asked)
    return with_gaps(csv_of(_CHECKS_CSV, rows, "savings-by-check"), gaps)


def _by_check(asked: Asked) -> tuple[list[dict[str, Any]], tuple[Gap, ...]]:
    """Return a row per check, and which requests could not be read to learn their check."""
    read, stored = requests_of(asked.visitor, asked.namespaces()), _stored(asked)
    found = accuracy(stored.every, checks_of(read.found), asked.parts.clock.now(), stored.seen, stored.own)
    return [{**asdict(one), "check": one.check or None, "currency": "USD"} for one in found], tuple(read.gaps)


@dataclass(frozen=True, slots=True)
class _Stored:
    """All acts, the oldest first, uid → what scans saw since, and which are of the visitor's namespaces."""

    every: list[dict[str, Any]]
    seen: dict[str, Lasting]
    own: Callable[[Mapping[str, Any]], bool]

    @property
    def acts(self) -> list[dict[str, Any]]:
        """The acts of the visitor's namespaces, the oldest first."""
        return [one for one in self.every if self.own(one)]


def _stored(asked: Asked) -> _Stored:
    savings = StoredSavings(asked.parts.store)
    return _Stored([dict(one) for one in savings.read()], savings.seen(), acts_in(asked.namespaces()))


def _entries(stored: _Stored, now: datetime) -> list[dict[str, Any]]:
    """Return the acts, the latest first; money as decimals, None where unknown."""
    seen = stored.seen
    amounts = ("before", "after", "saving")
    return [
        {
            **one,
            **{name: _amount(one.get(name)) for name in amounts},
            **so_far(one, seen.get(one.get("request", "")), now),
        }
        for one in reversed(stored.acts)
    ]


def _in_words(asked: Asked, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what each act did; an older act kept no name, so that it has its resource's while that is there."""
    without = {str(one.get("resource")) for one in entries if not one.get("resourceName")}
    names = {row.arn: row.resource.name for row in asked.resources() if row.arn in without} if without else {}
    return [act_in_words(one, names) for one in entries]


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
