"""Buckets and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat, summarize
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.services.s3.bucket import KIND
from finops_operator.services.s3.rules.storage import STORED

GIB: Final = 2**30
DAY: Final = 86_400
BUCKETS: Final = Bench(KIND)


def bucket(**attributes: Json) -> Resource:
    """Return a bucket without versioning, rules and uploads, changed as asked; None: could not be read."""
    facts: dict[str, Json] = {
        "versioning": "",
        "lifecycle_rules": 0,
        "aborts_uploads_days": 0,
        "expires_noncurrent": False,
        "incomplete_uploads": 0,
        "oldest_upload": "",
        "request_filter": "",
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="s3-bucket",
        id="shop-data",
        arn="arn:aws:s3:::shop-data",
        name="shop-data",
        account="111122223333",
        region="us-east-1",
        state="active",
        created=NOW - timedelta(days=700),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def stored(requests: list[float] | None = None, /, **gib: float) -> Utilization:
    """Return so many GiB in the metrics named, nothing in the others, and requests by the day where counted."""
    amounts = {one.name: gib.get(one.name, 0.0) * GIB for one in STORED}
    assert gib.keys() <= amounts.keys()
    metrics = {name: flat(amount, days=30, period=DAY) for name, amount in amounts.items()}
    month = {name: MonthlyUse(amount) for name, amount in amounts.items()}
    if requests is not None:
        metrics["allRequests"] = summarize(requests, period=DAY)
    return Utilization("shop-data", metrics=metrics, month=month)
