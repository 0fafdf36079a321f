"""GET /api/savings: what acts that ended well save, one row per act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from finops.store.realized import StoredSavings
from finops_web.answers import number, success
from finops_web.context import Visit
from finops_web.readings.savings import so_far

ROUTER = APIRouter(tags=["savings"])


@ROUTER.get("/api/savings")
def savings(asked: Visit) -> dict[str, Any]:
    """List realised savings, the latest first.

    `money_saved` is what the act was to save a month, `saved_so_far` what scans saw until `seen_until`: for
    `seen_hours`, while nobody knows of `unknown_hours`. All four are null where no scan has seen the resource since.
    `ended` is when it began to save no more, null while it lasts, and `ended_why` says why. `to_come` says whether AWS
    has yet to bring its effect; `unmeasured` why nobody can measure it, empty where it is measured or still may be.
    `saved_so_far` is null as long as nobody knows of a single hour, and negative where an act costs more.
    """
    allowed, savings = asked.namespaces(), StoredSavings(asked.parts.store)
    entries, seen = [one for one in savings.read() if one.get("namespace") in allowed], savings.seen()
    now = asked.parts.clock.now()
    rows = [
        {
            "resource_id": one["resource"].rpartition("/")[2] or one["resource"],
            "resource_arn": one["resource"],
            "cloud": "aws",
            "money_saved": number(Decimal(one["saving"])) if one.get("saving") else None,
            "currency": one.get("currency") or "USD",
            "account": one.get("account", ""),
            "region": one.get("region", ""),
            "action": one.get("action", ""),
            "policy": f"{one.get('namespace', '')}/{one.get('policy', '')}",
            "request": one.get("name", ""),
            "date": one.get("time", ""),
            **_so_far(so_far(one, seen.get(one.get("request", "")), now)),
        }
        for one in reversed(entries)
    ]
    return success(rows, as_of=None)


def _so_far(found: dict[str, Any]) -> dict[str, Any]:
    saved = found["savedSoFar"]
    return {
        "saved_so_far": None if saved is None else number(saved),
        "seen_hours": found["seenHours"],
        "unknown_hours": found["unknownHours"],
        "seen_until": found["seenUntil"] or None,
        "ended": found["ended"] or None,
        "ended_why": found["endedWhy"],
        "to_come": found["waiting"],
        "unmeasured": found["unmeasured"],
    }
