"""Health checks and their status, for the tests of the kind and its checks."""

from __future__ import annotations

from typing import Final

from tests.support.facts import flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.route53.health_check import KIND, STATUS

HEALTH: Final = Bench(KIND)
ID: Final = "abcdef11-2222-3333-4444-555555fedcba"
ARN: Final = f"arn:aws:route53:::healthcheck/{ID}"


def health_check(state: str = "active", region: str = "us-east-1", /, **attributes: Json) -> Resource:
    """Return a health check that nothing refers to, changed as asked."""
    facts: dict[str, Json] = {
        "check_type": "HTTPS",
        "interval_seconds": 30,
        "measures_latency": False,
        "records": 0,
        "parents": 0,
        "alarms": 0,
        "linked_service": "",
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="route53-health-check",
        id=ID,
        arn=ARN,
        name="",
        account="111122223333",
        region=region,
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(days: float = 14) -> Utilization:
    """Return a healthy status of so many days."""
    return Utilization(ID, metrics={STATUS: flat(1, days=days)})
