"""Alarms, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.cloudwatch.alarm import KIND

ALARMS: Final = Bench(KIND)
ARN: Final = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:shop-errors"
MACHINE: Final = "i-0123456789abcdef0"


def alarm(state: str = "INSUFFICIENT_DATA", days: float = 45, /, **attributes: Json) -> Resource:
    """Return an alarm on a machine's CPU whose state changed some days ago, changed as asked."""
    facts: dict[str, Json] = {
        "alarm_type": "metric",
        "metrics": 1,
        "alarm_period_seconds": 300,
        "namespace": "AWS/EC2",
        "state_since": (NOW - timedelta(days=days)).isoformat(),
        "missing_data": "missing",
        "actions": 1,
        "watched": MACHINE,
        "watched_exists": True,
        "made_by_scaling": False,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="cloudwatch-alarm",
        id="shop-errors",
        arn=ARN,
        name="shop-errors",
        account="111122223333",
        region="us-east-1",
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )
