"""Distributions and their requests, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, MonthlyUse, Utilization
from finops_operator.services.cloudfront.distribution import DELIVERED, KIND, REQUESTS

DISTRIBUTIONS: Final = Bench(KIND)
ID: Final = "E1A2B3C4D5E6F7"
ARN: Final = f"arn:aws:cloudfront::111122223333:distribution/{ID}"
DAY: Final = 86400


def distribution(state: str = "enabled", region: str = "us-east-1", /, **attributes: Json) -> Resource:
    """Return a distribution that was changed 100 days ago, changed as asked."""
    facts: dict[str, Json] = {
        "distribution_changed_at": changed(100),
        "aliases": 1,
        "price_class": "PriceClass_All",
        "dedicated_address": False,
        "staging": False,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="cloudfront-distribution",
        id=ID,
        arn=ARN,
        name="",
        account="111122223333",
        region=region,
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def changed(days: float) -> str:
    """Return a time as the facts have it."""
    return (NOW - timedelta(days=days)).isoformat()


def measured(requests: MetricSummary | None = None) -> Utilization:
    """Return a month without a request, or with those given."""
    nothing = MonthlyUse(0, 720)
    return Utilization(
        ID,
        metrics={REQUESTS: requests or flat(0, days=30, period=DAY)},
        month={REQUESTS: nothing, DELIVERED: nothing},
    )


def unpublished(days: float, why: str = "NotPublished") -> Utilization:
    """Return that nothing was published in so many days, or another reason why nothing is there."""
    return Utilization(ID, unknown={REQUESTS: why}, asked_from={REQUESTS: NOW - timedelta(days=days)})
