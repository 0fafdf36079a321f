"""GET /api/anomalies: days whose cost was out of the ordinary, with what changed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.analytics.anomalies import WARM_UP_DAYS
from finops_web.analytics.series import added
from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.readings.history import GATES, Cause, Explained, explained
from finops_web.readings.policies import trust_in

ROUTER = APIRouter(tags=["costing"])


@ROUTER.get("/api/anomalies")
def anomalies(asked: Visit) -> dict[str, Any]:
    """List anomalies of the whole cost, the latest first; `reason` says why there can be none yet."""
    parts, today = asked.parts.history.parts(asked.policies()), asked.parts.history.today()
    series = added(parts, today)
    known = len(series.values) if series else 0
    data = {
        "anomalies": [anomaly_to_json(one) for one in explained(parts, today)],
        "historyDays": known,
        "gates": {"score": GATES.score, "moneyPerDay": GATES.money, "percent": GATES.percent},
        "reason": "" if known > WARM_UP_DAYS else f"not enough history: {known} of {WARM_UP_DAYS + 1} days",
    }
    return _success(asked, data)


def anomaly_to_json(one: Explained) -> dict[str, Any]:
    """Return an anomaly with its causes, money a day."""
    found = one.anomaly
    return {
        "firstDay": found.first.isoformat(),
        "lastDay": found.last.isoformat(),
        "cost": round(found.cost, 2),
        "expected": round(found.expected, 2),
        "percent": round(found.percent, 1),
        "extra": round(found.extra, 2),
        "score": round(found.score, 1),
        "causes": [_cause_to_json(cause) for cause in one.causes],
    }


def _cause_to_json(one: Cause) -> dict[str, Any]:
    return {
        "account": one.part.account,
        "region": one.part.region,
        "service": one.part.kind,
        "extraPerDay": round(one.extra, 2),
        "resourcesBefore": one.before,
        "resourcesAfter": one.after,
    }


def _success(asked: Asked, data: Any) -> dict[str, Any]:
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now())
    return success(data, as_of=trust.oldest, gaps=trust.gaps)
