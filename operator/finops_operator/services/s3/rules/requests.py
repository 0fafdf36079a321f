"""Requests to a bucket, where its owner has request metrics on for the whole of it: S3 publishes them for money only.

A request is counted while there are some. S3 counts them as well as it can, not for a bill; what is billed by use here
is as good as that. HEAD is billed as GET; the dearer requests are PUT, COPY, POST and LIST.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart, MetricSpec

ALL: Final = "allRequests"
_READING: Final = (("getRequests", "GetRequests"), ("headRequests", "HeadRequests"))
_WRITING: Final = (("putRequests", "PutRequests"), ("postRequests", "PostRequests"), ("listRequests", "ListRequests"))


def counted(bucket: Resource) -> bool:
    """Return whether the bucket's requests are counted."""
    return bool(bucket.text("request_filter"))


def _requests(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/S3",
        metric,
        "BucketName",
        ("Sum",),
        "count",
        missing_means_zero=True,
        hourly=False,
        daily=True,
        also_of=lambda bucket: (("FilterId", bucket.text("request_filter")),),
        applies=counted,
    )


METRICS: Final = tuple(_requests(name, metric) for name, metric in ((ALL, "AllRequests"), *_READING, *_WRITING))


def request_parts(region: str) -> Iterator[BilledPart]:
    """Yield what is billed for the requests of a bucket whose requests are counted."""
    for dimension, metrics in (("request_get", _READING), ("request_put_copy_post_list", _WRITING)):
        for name, _ in metrics:
            yield BilledPart(dimension, Decimal(1), PriceQuery("s3", region, dimension), metric=name)
