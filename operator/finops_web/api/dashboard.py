"""GET /api/dashboard: the dashboard's figures in the API's envelope."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.readings.history import outlook
from finops_web.readings.policies import health_of, savings_of
from finops_web.readings.resources import pushed_among, sum_of
from finops_web.readings.savings import realised_of

ROUTER = APIRouter(tags=["dashboard"])


@ROUTER.get("/api/dashboard")
def dashboard(asked: Visit) -> dict[str, Any]:
    """Return cost, savings and forecast as the dashboard shows them."""
    trust = asked.trust(0, 0)
    return success(figures(asked), as_of=trust.oldest, gaps=trust.gaps)


def figures(asked: Asked) -> dict[str, Any]:
    """Return the figures of the dashboard; amounts of the store as decimal strings, estimates as numbers."""
    policies = asked.policies()
    rows = asked.resources()
    cost, resources, unpriced = sum_of(rows)
    found, (saved, _) = (
        savings_of(policies),
        realised_of(asked.parts.store, asked.namespaces(), asked.parts.clock.now()),
    )
    ahead = outlook(asked.parts.history.parts(policies), asked.parts.history.today())
    trust = asked.trust(resources, resources - unpriced)
    return {
        "monthlyCost": None if cost is None else f"{cost:f}",
        "resources": resources,
        "unpricedResources": unpriced,
        "pushedResources": pushed_among(rows),
        "savings": {
            "actionable": f"{found.actionable.monthly_savings:f}",
            "advice": f"{found.advice.monthly_savings:f}",
            "blocked": f"{found.blocked.monthly_savings:f}",
        },
        "savingsOnce": {
            "actionable": f"{found.actionable.once_savings:f}",
            "advice": f"{found.advice.once_savings:f}",
            "blocked": f"{found.blocked.once_savings:f}",
        },
        "monthToDate": round(ahead.to_date, 2) if ahead.known_days else None,
        "monthEnd": None if ahead.month_end is None else [round(one, 2) for one in ahead.month_end],
        "realisedMonthlySavings": f"{saved.net:f}",
        "realisedMonthlyRises": f"{saved.rises:f}",
        "realisedUnknown": saved.unknown,
        "asOf": trust.oldest.isoformat() if trust.oldest else None,
        "gaps": len(trust.gaps),
        "accounts": [
            {"account": one.account, "scannedAt": one.scanned.isoformat(), "gaps": one.gaps}
            for one in health_of(policies)
        ],
    }
