"""GET /api/savings: what acts that ended well save, one row per act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from finops.store.realized import StoredSavings
from finops_web.answers import number, success
from finops_web.context import Visit

ROUTER = APIRouter(tags=["savings"])


@ROUTER.get("/api/savings")
def savings(asked: Visit) -> dict[str, Any]:
    """List realised savings, the latest first; `money_saved` is what the act saves a month."""
    allowed = asked.namespaces()
    entries = [one for one in StoredSavings(asked.parts.store).read() if one.get("namespace") in allowed]
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
        }
        for one in reversed(entries)
    ]
    return success(rows, as_of=None)
