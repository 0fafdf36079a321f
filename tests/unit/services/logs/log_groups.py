"""Log groups and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, summarize
from tests.support.judging import Bench, used

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.logs.log_group import KIND

GIB: Final = 2**30
DAY: Final = 86_400
GROUPS: Final = Bench(KIND)


def group(age: float = 400, /, **attributes: Json) -> Resource:
    """Return a log group of the standard class that keeps 100 GiB for ever, changed as asked; None: not known."""
    facts: dict[str, Json] = {
        "log_group_class": "STANDARD",
        "retention_days": 0,
        "retention_policy": "",
        "stored_bytes": 100 * GIB,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="log-group",
        id="/app/shop",
        arn="arn:aws:logs:us-east-1:111122223333:log-group:/app/shop",
        name="/app/shop",
        account="111122223333",
        region="us-east-1",
        state="active",
        created=NOW - timedelta(days=age),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def incoming(gib_a_day: float, *, days: int = 90) -> Utilization:
    """Return what came in: so much on each day."""
    series = [gib_a_day * GIB] * days
    return used(
        "/app/shop",
        month={"incomingBytes": sum(series[-30:])},
        incomingBytes=summarize(series, period=DAY),
    )
