"""GET /savings: what ended acts really save, act by act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.store.realized import StoredSavings, saved_a_month
from finops_web.context import Asked, Visit
from finops_web.readings.policies import savings_of, trust_in
from finops_web.readings.requests import requests_of
from finops_web.readings.savings import accuracy
from finops_web.rendering import Entry, csv_of, render

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
)


@ROUTER.get("/savings")
def savings(asked: Visit, request: Request) -> Response:
    """Show what was saved, the latest act first."""
    policies, entries = asked.policies(), _entries(asked)
    months: dict[str, dict[str, Decimal]] = {}
    for one in entries:
        sums = months.setdefault(one["time"][:7], {"lasting": Decimal(0), "once": Decimal(0)})
        sums["once" if one.get("lastsDays") else "lasting"] += one["saving"] or Decimal(0)
    return render(
        asked,
        request,
        "savings.html",
        title="Savings",
        trust=trust_in(policies, 0, 0, asked.parts.clock.now()),
        entries=entries,
        months=sorted(months.items(), reverse=True),
        realised=saved_a_month(entries, asked.parts.clock.now()),
        potential=savings_of(policies),
        accuracy=accuracy(_stored(asked), _checks(asked)),
    )


@ROUTER.get("/savings.json")
def savings_json(asked: Visit) -> Response:
    """Return the acts as data."""
    return JSONResponse([{key: _text(value) for key, value in one.items()} for one in _entries(asked)])


@ROUTER.get("/savings.csv")
def savings_csv(asked: Visit) -> Response:
    """Return the acts for a spreadsheet."""
    return csv_of(_CSV, _entries(asked), "savings")


def _entries(asked: Asked) -> list[dict[str, Any]]:
    """Return the acts of the visitor's namespaces, the latest first; money as decimals, None where unknown."""
    found = _stored(asked)
    amounts = ("before", "after", "saving")
    return [{**one, **{name: _amount(one.get(name)) for name in amounts}} for one in reversed(found)]


def _stored(asked: Asked) -> list[dict[str, Any]]:
    allowed = asked.namespaces()
    return [dict(one) for one in StoredSavings(asked.parts.store).read() if one.get("namespace") in allowed]


def _checks(asked: Asked) -> dict[str, str]:
    """Return uid of a request → its check, of the requests that still exist and that the visitor may read."""
    read = requests_of(asked.visitor, asked.namespaces())
    return {one.metadata.uid or "": str(one.spec.evidence.check) for one in read.found}


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def _text(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value
