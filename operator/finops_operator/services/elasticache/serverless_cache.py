"""Serverless caches: AWS bills the data that they hold by the hour and the requests by processing units.

Loaded by the registry; walked by the discover and measure stages. AWS's price list alone has a price of either: without
it the cost is unknown. AWS does not say that it leaves points out when nothing happens, so that a missing one is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.elasticache.rules.serverless_offers import ENGINE, OFFERS, WORDS, least_gb

_OPERATION: Final = "elasticache:DescribeServerlessCaches"
_PAGE: Final = 50
_GONE: Final = frozenset({"deleting"})
_CREATING: Final = "creating"
"""Nothing is stored or asked yet, which is what AWS bills."""
AVAILABLE: Final = "available"
WORKING: Final = frozenset({AVAILABLE, "modifying"})
UNITS: Final = "processingUnits"
STORED: Final = "bytesStored"
_UNITS_BY_DAY: Final = "processingUnitsByDay"
_STORED_BY_DAY: Final = "bytesStoredByDay"
_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class ServerlessCacheFacts:
    """What is known of one serverless cache; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        minimum_storage_gb: what is billed at least, however little it holds.
        minimum_units_per_second: processing units that are billed at least.
        tags_known: False when its tags could not be read: it may be protected.
    """

    engine: str | None = None
    engine_version: str | None = None
    minimum_storage_gb: int | None = None
    maximum_storage_gb: int | None = None
    minimum_units_per_second: int | None = None
    snapshot_retention_days: int | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield caches page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "elasticache:serverlesscache")
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for cache in page.get("ServerlessCaches", ()):
                if cache.get("Status") not in _GONE:
                    yield _resource(cache, tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(cache: Mapping[str, Any], tags: Tags | None, reader: PageReader, partition: str) -> Resource:
    identity = str(cache["ServerlessCacheName"])
    made = f"arn:{partition}:elasticache:{reader.region}:{reader.account}:serverlesscache:{identity}"
    arn = str(cache.get("ARN") or made)
    limits = cache.get("CacheUsageLimits") or {}
    storage, units = limits.get("DataStorage") or {}, limits.get("ECPUPerSecond") or {}
    facts = ServerlessCacheFacts(
        engine=cache.get("Engine"),
        engine_version=cache.get("FullEngineVersion"),
        minimum_storage_gb=storage.get("Minimum"),
        maximum_storage_gb=storage.get("Maximum"),
        minimum_units_per_second=units.get("Minimum"),
        snapshot_retention_days=cache.get("SnapshotRetentionLimit"),
        tags_known=tags is not None,
    )
    return Resource(
        kind="elasticache-serverless-cache",
        id=identity,
        arn=arn,
        name=identity,
        account=reader.account,
        region=reader.region,
        state=str(cache.get("Status") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        created=parse_time(cache.get("CreateTime")),
        attributes=attributes_of(facts),
    )


def billed_parts(cache: Resource) -> tuple[BilledPart, ...]:
    """Return the data that it stores, at least what is billed of an empty one, and the units of its requests.

    https://aws.amazon.com/elasticache/pricing/
    """
    if cache.state == _CREATING:
        return ()
    if cache.state not in WORKING:
        return billed_as_unknown("storage_gb_hour", cache.state)
    facts = facts_of(ServerlessCacheFacts, cache)
    engine = WORDS.get(facts.engine or "")
    if engine is None:
        return (BilledPart("stored_gb_hour", Decimal(0), None, "its engine is not known"),)
    named = ((ENGINE, engine),)
    stored = BilledPart(
        "stored_gb_hour",
        1 / GIB,
        PriceQuery("elasticache", cache.region, "serverless_gb_hour", named),
        "no price for the data of serverless caches",
        metric=_STORED_BY_DAY,
        at_least=least_gb(facts.engine or "", facts.minimum_storage_gb),
    )
    return (stored, _units(cache.region, facts, named))


def _units(region: str, facts: ServerlessCacheFacts, named: tuple[tuple[str, str], ...]) -> BilledPart:
    if facts.minimum_units_per_second:
        return BilledPart("processing_unit", Decimal(0), None, "in which hours its least rate was billed is not known")
    return BilledPart(
        "processing_unit",
        Decimal(1),
        PriceQuery("elasticache", region, "serverless_processing_unit", named),
        "no price for the requests of serverless caches",
        metric=_UNITS_BY_DAY,
    )


def _works(cache: Resource) -> bool:
    return cache.state in WORKING


def _by_day(name: str, metric: str, statistic: str, unit: str) -> MetricSpec:
    """Return what its bill is made of."""
    return MetricSpec(
        name,
        "AWS/ElastiCache",
        metric,
        "clusterId",
        (statistic,),
        unit,
        hourly=False,
        daily=True,
        only_days=_DAYS,
        applies=_works,
    )


KIND: Final = ResourceKind(
    id="elasticache-serverless-cache",
    title="ElastiCache serverless cache",
    service="elasticache",
    id_pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
    arn_pattern="arn:*:elasticache:*:*:serverlesscache:*",
    facts=ServerlessCacheFacts,
    listing=Listing(permissions=(_OPERATION, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, calls=CALLS),
    billed_as=BilledAs("Amazon ElastiCache", "Databases", "Caching"),
    states=States(running=WORKING, billed=WORKING, free=frozenset({_CREATING})),
    metrics=(
        MetricSpec(
            UNITS,
            "AWS/ElastiCache",
            "ElastiCacheProcessingUnits",
            "clusterId",
            ("Sum",),
            "count",
            applies=_works,
        ),
        MetricSpec(
            STORED,
            "AWS/ElastiCache",
            "BytesUsedForCache",
            "clusterId",
            ("Average", "Maximum"),
            "bytes used",
            applies=_works,
        ),
        _by_day(_UNITS_BY_DAY, "ElastiCacheProcessingUnits", "Sum", "count"),
        _by_day(_STORED_BY_DAY, "BytesUsedForCache", "Average", "bytes used"),
    ),
    billed_parts=billed_parts,
    left_out=("backup_gb_month",),
    offers=OFFERS,
    console_url=console_page("elasticache/home?region={region}#/serverless/{id}"),
    sample=Sample("cache-1", "arn:aws:elasticache:us-east-1:111111111111:serverlesscache:cache-1"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("engine"),
)
