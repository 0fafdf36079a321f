"""Distributions: ListDistributions, with requests and bytes by the day.

Loaded by the registry; walked by the discover and measure stages. CloudFront keeps distributions once per account, and
their metrics and tags in us-east-1: where the account's home region is another, these are unknown. It bills what is
delivered and an address of its own for certificates; the bundled tables hold no price of CloudFront, so that only one
that delivers nothing has a cost. Whether a day without requests has a point is not said, so that a missing one is
unknown and only a whole window without any is evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown

_LIST: Final = "cloudfront:ListDistributions"
_PAGE: Final = "100"
_HOME: Final = "us-east-1"
ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
_DEDICATED: Final = "vip"
REQUESTS: Final = "requests"
DELIVERED: Final = "deliveredBytes"
_GB: Final = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class DistributionFacts:
    """What is known of one distribution; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        distribution_changed_at: ISO time of its last change; AWS does not say when it was made.
        aliases: how many names of the customer it answers to.
        dedicated_address: whether it has addresses of its own for its certificate, which are billed by the month.
        staging: whether it only tries out a change of another one.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    distribution_changed_at: str | None = None
    aliases: int | None = None
    price_class: str | None = None
    dedicated_address: bool | None = None
    staging: bool | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield distributions page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = (yield from tags_by_arn(reader, "cloudfront:distribution")) if reader.region == _HOME else None
    try:
        for page in reader.pages(_LIST, {"MaxItems": _PAGE}):
            for distribution in (page.get("DistributionList") or {}).get("Items") or ():
                yield _resource(distribution, tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(distribution: Mapping[str, Any], tags: Tags | None, reader: PageReader) -> Resource:
    identity, arn = str(distribution["Id"]), str(distribution["ARN"])
    changed = moment_of(distribution.get("LastModifiedTime"))
    certificate = distribution.get("ViewerCertificate") or {}
    facts = DistributionFacts(
        distribution_changed_at=None if changed is None else changed.isoformat(),
        aliases=(distribution.get("Aliases") or {}).get("Quantity"),
        price_class=distribution.get("PriceClass"),
        dedicated_address=certificate.get("SSLSupportMethod") == _DEDICATED,
        staging=bool(distribution.get("Staging")),
        tags_known=tags is not None,
        not_in_cost=("function", "invalidation", "real_time_log"),
    )
    own_tags = {} if tags is None else tags.get(arn) or {}
    return Resource(
        kind="cloudfront-distribution",
        id=identity,
        arn=arn,
        name=own_tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=ENABLED if distribution.get("Enabled") else DISABLED,
        tags=own_tags,
        attributes=attributes_of(facts),
    )


def billed_parts(distribution: Resource) -> tuple[BilledPart, ...]:
    """Return what it delivers, and its own addresses, without a price. https://aws.amazon.com/cloudfront/pricing/ ."""
    if distribution.state not in (ENABLED, DISABLED):
        return billed_as_unknown("request", distribution.state)
    parts = []
    if distribution.state == ENABLED:
        parts += [
            BilledPart("request", Decimal(1), None, "no price for requests of CloudFront", metric=REQUESTS),
            BilledPart("delivered_gb", 1 / _GB, None, "no price for what CloudFront delivers", metric=DELIVERED),
        ]
    if facts_of(DistributionFacts, distribution).dedicated_address:
        parts.append(BilledPart("dedicated_address_month", Decimal(1), None, "no price for an address of its own"))
    return tuple(parts)


def _measured(distribution: Resource) -> bool:
    return distribution.state == ENABLED and distribution.region == _HOME


def _counter(name: str, metric: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/CloudFront",
        metric,
        "DistributionId",
        ("Sum",),
        unit,
        hourly=False,
        daily=True,
        also=(("Region", "Global"),),
        applies=_measured,
    )


KIND: Final = ResourceKind(
    id="cloudfront-distribution",
    title="CloudFront distribution",
    service="cloudfront",
    id_pattern=r"E[A-Z0-9]{6,20}",
    arn_pattern="arn:*:cloudfront::*:distribution/*",
    facts=DistributionFacts,
    listing=Listing(
        permissions=(_LIST, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, is_global=True, calls=CALLS
    ),
    billed_as=BilledAs("Amazon CloudFront", "Networking", "Content Delivery"),
    states=States(
        running=frozenset({ENABLED}),
        stopped=frozenset({DISABLED}),
        billed=frozenset({ENABLED}),
        free=frozenset({DISABLED}),
    ),
    metrics=(_counter(REQUESTS, "Requests", "count"), _counter(DELIVERED, "BytesDownloaded", "bytes")),
    billed_parts=billed_parts,
    console_url=console_page("cloudfront/v4/home#/distributions/{id}"),
    sample=Sample("E1A2B3C4D5E6F7", "arn:aws:cloudfront::111111111111:distribution/E1A2B3C4D5E6F7"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("price_class"),
)
