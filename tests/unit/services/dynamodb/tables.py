"""Tables and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tests.support.facts import FIVE_MINUTES, HOUR, NOW, flat, summarize
from tests.support.judging import Bench, used

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.dynamodb.table import KIND

DAY: Final = 86_400
GIB: Final = 2**30
TABLES: Final = Bench(KIND)


def table(state: str = "ACTIVE", age: float = 400, /, **attributes: Json) -> Resource:
    """Return a table with 100 read and 100 write units and 10 GiB, changed as asked; None: not known."""
    facts: dict[str, Json] = {
        "billing_mode": "PROVISIONED",
        "table_class": "STANDARD",
        "read_capacity": 100,
        "write_capacity": 100,
        "table_bytes": 10 * GIB,
        "item_count": 1000,
        "index_names": [],
        "index_read_capacity": 0,
        "index_write_capacity": 0,
        "index_bytes": 0,
        "table_replicas": [],
        "stream_enabled": False,
        "deletion_protection": False,
        "recovers_to_any_point": False,
        "scaled": False,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="dynamodb-table",
        id="orders",
        arn="arn:aws:dynamodb:us-east-1:111122223333:table/orders",
        name="orders",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=age),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def on_demand(**attributes: Json) -> Resource:
    """Return the same table on demand."""
    return table(**{"billing_mode": "PAY_PER_REQUEST", "read_capacity": 0, "write_capacity": 0, **attributes})


def consumed(reads: float = 0, writes: float = 0, *, days: int = 30, indexes: float | None = None) -> Utilization:
    """Return a steady consumption in units a second, by day, hour and five minutes; of one index where it is given."""
    rates = {"Read": reads, "Write": writes}
    metrics = {f"consumed{word}Units": flat(rate * DAY, days=days, period=DAY) for word, rate in rates.items()}
    month = {f"consumed{word}Units": rate * DAY * 30 for word, rate in rates.items()}
    if indexes is not None:
        names = ("indexReadUnits1", "indexWriteUnits1")
        metrics |= {name: flat(indexes * DAY, days=days, period=DAY) for name in names}
        month |= dict.fromkeys(names, indexes * DAY * 30)
    hours = {f"{word.lower()}Units": flat(rate * HOUR, period=HOUR) for word, rate in rates.items()}
    fine = {f"{word.lower()}Units": flat(rate * FIVE_MINUTES, period=FIVE_MINUTES) for word, rate in rates.items()}
    return replace(used("orders", month=month, **metrics, **hours), fine=fine)


def burst(level: float, peak: float) -> MetricSummary:
    """Return a steady consumption in units a second of five-minute sums, once higher."""
    points = [level * FIVE_MINUTES] * (14 * 288 - 1) + [peak * FIVE_MINUTES]
    return summarize(points, period=FIVE_MINUTES)
