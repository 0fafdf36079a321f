"""File systems and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, MonthlyUse, Utilization
from finops_operator.services.efs.file_system import KIND

FILE_SYSTEMS: Final = Bench(KIND)
ID: Final = "fs-0123456789abcdef0"
ARN: Final = f"arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/{ID}"
GIB: Final = 2**30
DAY: Final = 86_400


def file_system(
    state: str = "available", region: str = "us-east-1", days: float = 365, /, **attributes: Json
) -> Resource:
    """Return a regional file system with 200 GiB in Standard storage and two mount targets, changed as asked."""
    facts: dict[str, Json] = {
        "standard_bytes": 200 * GIB,
        "infrequent_bytes": 0,
        "archive_bytes": 0,
        "one_zone": False,
        "mount_targets": 2,
        "throughput_mode": "elastic",
        "moves_to_infrequent": "AFTER_30_DAYS",
        **attributes,
    }
    return Resource(
        kind="efs-file-system",
        id=ID,
        arn=ARN,
        name="shared",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return thirty days without a connection, changed as asked."""
    quiet = {name: flat(0, days=30, period=DAY) for name in ("clientConnections", "meteredBytes")}
    return Utilization(ID, metrics={**quiet, **metrics}, month={"meteredBytes": MonthlyUse(0.0, 720.0)})


def without(name: str) -> Utilization:
    """Return the same days with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization(ID, metrics=known, month=measured().month, unknown={name: "Throttled"})
