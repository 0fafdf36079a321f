"""GET /api/dashboard: the dashboard's figures in the API's envelope."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.answers import number, success
from finops_web.context import Asked, Visit
from finops_web.readings.history import gaps_of, outlook
from finops_web.readings.policies import Trust, health_of, lacks_some, savings_of
from finops_web.readings.requests import requests_or_problem
from finops_web.readings.resources import pushed_among, pushed_cost, sum_of
from finops_web.readings.savings import Approved, approved_of, realised_of

ROUTER = APIRouter(tags=["dashboard"])


@ROUTER.get("/api/dashboard")
def dashboard(asked: Visit) -> dict[str, Any]:
    """Return cost, savings and forecast as the dashboard shows them; every amount is a number of US dollars, or null.

    What is `approved` and not carried out yet is among the actionable savings too, until a scan sees it done.
    """
    found, trust = _read(asked)
    return success(found, as_of=trust.oldest, gaps=trust.gaps)


def figures(asked: Asked) -> dict[str, Any]:
    """Return the figures of the dashboard: amounts are US dollars, a month where the name says so; None is unknown."""
    return _read(asked)[0]


def _read(asked: Asked) -> tuple[dict[str, Any], Trust]:
    policies, rows = asked.policies(), asked.resources()
    cost, resources, unpriced = sum_of(rows)
    found = savings_of(policies)
    saved, _ = realised_of(asked.parts.store, asked.namespaces(), asked.parts.clock.now())
    parts = asked.parts.history.parts(policies)
    ahead = outlook(parts, asked.parts.history.today(), lacks_some=lacks_some(policies))
    read, problem = requests_or_problem(asked.visitor, asked.namespaces())
    trust = asked.trust(resources, resources - unpriced, (*read.gaps, *gaps_of(parts)))
    return {
        "monthlyCost": number(cost),
        "resources": resources,
        "unpricedResources": unpriced,
        "pushedResources": pushed_among(rows),
        "pushedMonthlyCost": number(pushed_cost(rows)),
        "savings": {
            "actionable": number(found.actionable.monthly_savings),
            "advice": number(found.advice.monthly_savings),
            "blocked": number(found.blocked.monthly_savings),
        },
        "savingsOnce": {
            "actionable": number(found.actionable.once_savings),
            "advice": number(found.advice.once_savings),
            "blocked": number(found.blocked.once_savings),
        },
        "approved": None if problem else _approved(approved_of(read.found)),
        "monthToDate": None if ahead.to_date is None else round(ahead.to_date, 2),
        "monthToDateAtLeast": ahead.to_date is not None and ahead.to_date_at_least,
        "knownDays": ahead.known_days,
        "monthEnd": None if ahead.month_end is None else [round(one, 2) for one in ahead.month_end],
        "monthEndAtLeast": ahead.month_end is not None and ahead.at_least,
        "monthEndReason": ahead.reason,
        "monthEndWithoutPrice": list(ahead.left_out),
        "realisedMonthlySavings": number(saved.figure),
        "realisedMonthlyRises": number(saved.rises),
        "realisedUnknown": saved.unknown,
        "asOf": trust.oldest.isoformat() if trust.oldest else None,
        "gaps": len(trust.gaps),
        "accounts": [
            {"account": one.account, "scannedAt": one.scanned.isoformat(), "gaps": one.gaps}
            for one in health_of(policies)
        ],
    }, trust


def _approved(found: Approved) -> dict[str, Any]:
    return {
        "requests": found.requests,
        "unknown": found.unknown,
        "monthlySavings": number(found.monthly),
        "savingsOnce": number(found.once),
    }
