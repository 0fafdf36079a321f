"""Log groups: DescribeLogGroups, bytes stored, and bytes taken in by the day.

Loaded by the registry; walked by the discover and measure stages. AWS bills what is taken in, once, and what is stored,
by the month, until the retention removes it; a group whose retention was never set keeps everything. The stored bytes
are AWS's own figure; AWS bills them compressed and does not say whether that figure is, so the cost of storage is what
it is at most. Queries, subscriptions and live tails are billed apart and named by the fact `not_in_cost`.
https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.logs.rules.signs import SIGNS

_OPERATION: Final = "logs:DescribeLogGroups"
_PAGE: Final = 50
EXISTS: Final = "active"
"""AWS gives a log group no state: it works while it exists."""
STANDARD: Final = "STANDARD"
DELIVERY: Final = "DELIVERY"
"""The class for Lambda logs on their way to S3 or Firehose. Source: API reference, CreateLogGroup."""
INCOMING: Final = "incomingBytes"
_NOT_IN_COST: Final = ("query_gb_scanned", "live_tail_minute", "data_protection_gb")
STORED: Final = "storage_gb_month"
"""Dimension of what a group stores, which alone a retention changes."""


@dataclass(frozen=True, slots=True)
class LogGroupFacts:
    """What is known of one log group; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        log_group_class: `STANDARD`, `INFREQUENT_ACCESS`, `ESSENTIALS`, `DELIVERY`.
        retention_days: days after which its data is removed, 0: never.
        retention_policy: name of the account's policy that decides the retention instead, empty for none.
        stored_bytes: as AWS gives it, hours old.
        metric_filters: filters that make metrics of its data.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    log_group_class: str | None = None
    retention_days: int | None = None
    retention_policy: str | None = None
    stored_bytes: int | None = None
    metric_filters: int | None = None
    deletion_protection: bool | None = None
    kms_key_id: str | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield log groups page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "logs")
    try:
        for page in reader.pages(_OPERATION, {"limit": _PAGE}):
            for group in page.get("logGroups", ()):
                yield _resource(group, tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(group: Mapping[str, Any], tags: Tags | None, reader: PageReader, partition: str) -> Resource:
    name = str(group["logGroupName"])
    arn = f"arn:{partition}:logs:{reader.region}:{reader.account}:log-group:{name}"
    created = group.get("creationTime")
    facts = LogGroupFacts(
        # A class is chosen when a group is made, and the standard one where nothing else is said.
        log_group_class=group.get("logGroupClass") or STANDARD,
        retention_days=group.get("retentionInDays") or 0,
        retention_policy=group.get("retentionPolicyName") or "",
        stored_bytes=group.get("storedBytes"),
        metric_filters=group.get("metricFilterCount"),
        deletion_protection=group.get("deletionProtectionEnabled"),
        kms_key_id=group.get("kmsKeyId"),
        tags_known=tags is not None,
        not_in_cost=_NOT_IN_COST,
    )
    return Resource(
        kind="log-group",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=EXISTS,
        tags={} if tags is None else tags.get(arn) or tags.get(f"{arn}:*") or {},
        created=None if created is None else datetime.fromtimestamp(int(created) / 1000, tz=UTC),
        attributes=attributes_of(facts),
    )


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(group: Resource) -> tuple[BilledPart, ...]:
    """Return the stored gigabytes, and by use those that the last 30 days brought in."""
    facts = facts_of(LogGroupFacts, group)
    return (_stored(group.region, facts), _taken_in(group.region, facts))


def _stored(region: str, facts: LogGroupFacts) -> BilledPart:
    if facts.log_group_class == DELIVERY:
        return BilledPart(STORED, Decimal(0), None, "no price for the class DELIVERY")
    if facts.stored_bytes is None:
        return BilledPart(STORED, Decimal(0), None, "how much it stores is not known")
    return BilledPart(STORED, facts.stored_bytes / GIB, storage_query(region))


def _taken_in(region: str, facts: LogGroupFacts) -> BilledPart:
    if facts.log_group_class is None:
        return BilledPart("ingested_gb", Decimal(0), None, "its class is not known")
    if facts.log_group_class != STANDARD:
        return BilledPart("ingested_gb", Decimal(0), None, f"no price for the class {facts.log_group_class}")
    return BilledPart("ingested_gb", 1 / GIB, PriceQuery("cloudwatch", region, "logs_ingest"), metric=INCOMING)


def storage_query(region: str) -> PriceQuery:
    """Return what to ask the price tables about a stored gigabyte."""
    return PriceQuery("cloudwatch", region, "logs_storage")


# -- what else is declared ---------------------------------------------------------------------------------------------


_PAGE_OF_GROUP: Final = console_page("cloudwatch/home?region={region}#logsV2:log-groups/log-group/{id}")


def _console_url(resource: Resource) -> str:
    """Return the link; the console wants a name's slashes encoded twice, with `$` for `%`."""
    return _PAGE_OF_GROUP(replace(resource, id=resource.id.replace("/", "$252F").replace("#", "$2523")))


def _counter(name: str, metric: str, unit: str) -> MetricSpec:
    """Return a counter that AWS publishes only while something comes in."""
    return MetricSpec(
        name, "AWS/Logs", metric, "LogGroupName", ("Sum",), unit, missing_means_zero=True, hourly=False, daily=True
    )


KIND: Final = ResourceKind(
    id="log-group",
    title="Log group",
    service="logs",
    id_pattern=r"[.\-_/#A-Za-z0-9]{1,512}",
    arn_pattern="arn:*:logs:*:*:log-group:*",
    facts=LogGroupFacts,
    listing=Listing(permissions=(_OPERATION, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, calls=CALLS),
    billed_as=BilledAs("Amazon CloudWatch", "Management and Governance", "Observability"),
    states=States(running=frozenset({EXISTS})),
    metrics=(_counter(INCOMING, "IncomingBytes", "bytes"), _counter("incomingEvents", "IncomingLogEvents", "count")),
    billed_parts=billed_parts,
    console_url=_console_url,
    sample=Sample("application", "arn:aws:logs:us-east-1:111111111111:log-group:application"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("log_group_class"),
    commitments=NONE_SOLD,
)
