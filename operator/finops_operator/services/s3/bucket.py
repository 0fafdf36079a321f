"""Buckets: ListBuckets of a region, settings bucket by bucket, and what they store by the day and class.

Loaded by the registry; walked by the discover and measure stages. Storage is billed by class, as S3's own daily metrics
have it. Requests are in the cost only where the bucket's owner has them counted; else, and retrieval, transfer,
replication and monitoring of objects in any case, the fact `not_in_cost` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.s3.rules import requests, storage
from finops_operator.services.s3.rules.listed import LISTED
from finops_operator.services.s3.rules.offers import OFFERS
from finops_operator.services.s3.rules.settings import (
    LIFECYCLE,
    REQUEST_METRICS,
    VERSIONING,
    Settings,
    SettingsReading,
)
from finops_operator.services.s3.rules.signs import SIGNS
from finops_operator.services.s3.rules.uploads import PARTS, UPLOADS

_OPERATION: Final = "s3:ListBuckets"
_PAGE: Final = 1000
EXISTS: Final = "active"
"""S3 gives a bucket no state: it works while it exists."""
_CALLS: Final = {
    "s3:ListAllMyBuckets": _OPERATION,
    "s3:GetLifecycleConfiguration": LIFECYCLE,
    "s3:GetBucketVersioning": VERSIONING,
    "s3:ListBucketMultipartUploads": UPLOADS,
    "s3:ListMultipartUploadParts": PARTS,
    "s3:GetMetricsConfiguration": REQUEST_METRICS,
}
"""IAM names most of these permissions otherwise than the calls that need them."""
_PROBES: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    **{name: lambda known: {"Bucket": known} for name in _CALLS if name != "s3:ListAllMyBuckets"},
    "s3:ListMultipartUploadParts": lambda known: {"Bucket": known, "Key": "finops-sample", "UploadId": "finops-sample"},
}
_NOT_IN_COST: Final = ("retrieval", "data_transfer", "replication", "intelligent_monitoring")


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """What is known of one bucket; None: it could not be read. Names as in the reports' `attributes`.

    Attributes: those of `Settings`, and
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    versioning: str | None = None
    lifecycle_rules: int | None = None
    aborts_uploads_days: int | None = None
    expires_noncurrent: bool | None = None
    incomplete_uploads: int | None = None
    oldest_upload: str | None = None
    upload_sizes: tuple[str, ...] | None = None
    request_filter: str | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the buckets of the region page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "s3")
    settings = SettingsReading.by(reader)
    try:
        for page in reader.pages(_OPERATION, {"BucketRegion": reader.region, "MaxBuckets": _PAGE}):
            for bucket in page.get("Buckets") or ():
                # What names no region was listed because it is in this one.
                if bucket.get("BucketRegion", reader.region) == reader.region:
                    yield _resource(bucket, settings.of(str(bucket["Name"])), tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from settings.gaps()


def _resource(
    bucket: Mapping[str, Any], settings: Settings, tags: Tags | None, reader: PageReader, partition: str
) -> Resource:
    name = str(bucket["Name"])
    arn = f"arn:{partition}:s3:::{name}"
    left_out = _NOT_IN_COST if settings.request_filter else ("request", *_NOT_IN_COST)
    facts = BucketFacts(**asdict(settings), tags_known=tags is not None, not_in_cost=left_out)
    return Resource(
        kind="s3-bucket",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=EXISTS,
        tags={} if tags is None else tags.get(arn, {}),
        created=parse_time(bucket.get("CreationDate")),
        attributes=attributes_of(facts),
    )


def billed_parts(bucket: Resource) -> tuple[BilledPart, ...]:
    """Return what it stores by class, and its requests where they are counted."""
    asked = requests.request_parts(bucket.region) if requests.counted(bucket) else ()
    return (*storage.storage_parts(bucket.region), *asked)


KIND: Final = ResourceKind(
    id="s3-bucket",
    title="S3 bucket",
    service="s3",
    id_pattern=r"[A-Za-z0-9._-]{3,255}",
    arn_pattern="arn:*:s3:::*",
    facts=BucketFacts,
    listing=Listing(
        permissions=(*_CALLS, PERMISSION, "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
        collect=_collect,
        probes=_PROBES,
        calls={**_CALLS, **CALLS},
    ),
    billed_as=BilledAs("Amazon Simple Storage Service", "Storage", "Object Storage"),
    states=States(running=frozenset({EXISTS})),
    metrics=(*storage.METRICS, *requests.METRICS),
    billed_parts=billed_parts,
    console_url=console_page("s3/buckets/{id}?region={region}"),
    # Bucket names are the world's: what is asked about a sample must not be a stranger's bucket.
    sample=Sample("finops-sample-bucket", "arn:aws:s3:::finops-sample-bucket"),
    owner=owned_by(SIGNS),
    commitments=NONE_SOLD,
    offers=OFFERS,
    steps_from=1,
    listed=LISTED,
)
