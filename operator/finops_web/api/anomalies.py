"""GET /api/anomalies: days whose cost was out of the ordinary, with what changed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops.domain.analytics.anomalies import WARM_UP_DAYS
from finops.domain.analytics.causes import GATES, Cause, Explained, explained
from finops.domain.analytics.expected import Expected
from finops.domain.analytics.series import added
from finops.domain.resource import Gap
from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.readings.expected import ReadExpected, expected_in
from finops_web.readings.policies import trust_in

ROUTER = APIRouter(tags=["costing"])


@ROUTER.get("/api/anomalies")
def anomalies(asked: Visit) -> dict[str, Any]:
    """List anomalies of the whole cost, the latest first; `reason` says why there can be none yet."""
    parts, today = asked.parts.history.parts(asked.policies()), asked.parts.history.today()
    series = added(parts, today)
    known = len(series.values) if series else 0
    said = expected_in(asked.visitor, asked.namespaces(), today)
    data = {
        "anomalies": [anomaly_to_json(one, said) for one in explained(parts, today)],
        "historyDays": known,
        "gates": {"score": GATES.score, "moneyPerDay": GATES.money, "percent": GATES.percent},
        "reason": "" if known > WARM_UP_DAYS else f"not enough history: {known} of {WARM_UP_DAYS + 1} days",
    }
    return _success(asked, data, said.gaps)


def anomaly_to_json(one: Explained, said: ReadExpected) -> dict[str, Any]:
    """Return an anomaly with its causes, money a day; `expected` names who expects a cause, null where nobody does."""
    found = one.anomaly
    return {
        "firstDay": found.first.isoformat(),
        "lastDay": found.last.isoformat(),
        "cost": round(found.cost, 2),
        "expected": round(found.expected, 2),
        "percent": round(found.percent, 1),
        "extra": round(found.extra, 2),
        "score": round(found.score, 1),
        "causes": [_cause_to_json(cause, said.of(cause, found.first)) for cause in one.causes],
    }


def _cause_to_json(one: Cause, said: Expected | None) -> dict[str, Any]:
    return {
        "account": one.part.account,
        "region": one.part.region,
        "service": one.part.kind,
        "extraPerDay": round(one.extra, 2),
        "resourcesBefore": one.before,
        "resourcesAfter": one.after,
        "expected": None if said is None else {"until": said.until.isoformat(), "reason": said.reason, "by": said.by},
    }


def _success(asked: Asked, data: Any, gaps: tuple[Gap, ...]) -> dict[str, Any]:
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now(), gaps)
    return success(data, as_of=trust.oldest, gaps=trust.gaps)
