"""FSx file systems and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.fsx.file_system import FREE_STORAGE, KIND, READ, THROUGHPUT, WRITTEN

SYSTEMS: Final = Bench(KIND)
ID: Final = "fs-0123456789abcdef0"
ARN: Final = f"arn:aws:fsx:us-east-1:111122223333:file-system/{ID}"
DAY: Final = 86400


def file_system(state: str = "available", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a file system for Windows with 128 MB/s, changed as asked."""
    facts: dict[str, Json] = {
        "file_system_type": "WINDOWS",
        "storage_type": "SSD",
        "storage_gib": 2000,
        "throughput_mbps": 128,
        "deployment": "MULTI_AZ_1",
        "changing": False,
        **attributes,
    }
    return Resource(
        kind="fsx-file-system",
        id=ID,
        arn=ARN,
        name="",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(days: float = 30, /, **metrics: MetricSummary) -> Utilization:
    """Return a month without reads and writes and two weeks at a tenth of the throughput, changed as asked."""
    quiet = flat(0, days=days, period=DAY)
    return Utilization(
        ID, metrics={READ: quiet, WRITTEN: quiet, THROUGHPUT: flat(10), FREE_STORAGE: flat(2**30), **metrics}
    )


def without(name: str) -> Utilization:
    """Return the same with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization(ID, metrics=known, unknown={name: "Throttled"})
