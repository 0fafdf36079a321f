"""Desktops and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.workspaces.workspace import CONNECTED, KIND

DESKTOPS: Final = Bench(KIND)
ID: Final = "ws-0123456789"
ARN: Final = f"arn:aws:workspaces:us-east-1:111122223333:workspace/{ID}"
DAY: Final = 86400


def desktop(state: str = "available", connected_days: float | None = 70, /, **attributes: Json) -> Resource:
    """Return a desktop that is always on and to which a user connected so many days ago, or never, changed as asked."""
    last = "" if connected_days is None else (NOW - timedelta(days=connected_days)).isoformat()
    facts: dict[str, Json] = {
        "running_mode": "ALWAYS_ON",
        "compute_type": "STANDARD",
        "connected_last": last,
        "stands_by": False,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="workspaces-workspace",
        id=ID,
        arn=ARN,
        name="",
        account="111122223333",
        region="us-east-1",
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def users(share: float = 0, days: float = 63) -> MetricSummary:
    """Return so many days on which a user was connected this share of the time."""
    return flat(share, days=days, period=DAY)


def measured(connected: MetricSummary | None = None) -> Utilization:
    """Return 63 days without a user, or what is given."""
    return Utilization(ID, metrics={CONNECTED: connected or users()})


def unknown(why: str) -> Utilization:
    """Return a metric that is not there, with the reason."""
    return Utilization(ID, unknown={CONNECTED: why})
