"""Tables: ListTables, DescribeTable, and what each consumed by the day.

Loaded by the registry; walked by the discover and measure stages. A table is billed its storage, and its throughput
either by the hour as provisioned or by use as consumed; its global secondary indexes the same. Sizes are AWS's own, up
to six hours old, without the 100 bytes that AWS adds to each item. Replicas in other regions are tables there.
https://aws.amazon.com/dynamodb/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.dynamodb.rules.metrics import INDEXES, METRICS, READS, WRITES, index_reads, index_writes
from finops_operator.services.dynamodb.rules.reading import RECOVERY, SCALING, TABLE, TableReading
from finops_operator.services.dynamodb.rules.signs import SIGNS

_OPERATION: Final = "dynamodb:ListTables"
_PAGE: Final = 100
PROVISIONED: Final = "PROVISIONED"
ON_DEMAND: Final = "PAY_PER_REQUEST"
STANDARD: Final = "STANDARD"
INFREQUENT: Final = "STANDARD_INFREQUENT_ACCESS"
ACTIVE: Final = "ACTIVE"
_WORKING: Final = frozenset({ACTIVE, "UPDATING"})
_STORED: Final = frozenset({"INACCESSIBLE_ENCRYPTION_CREDENTIALS", "REPLICATION_NOT_AUTHORIZED", "ARCHIVING"})
_GONE: Final = "DELETING"
_FREE: Final = frozenset({"CREATING", "ARCHIVED", _GONE})
"""Not there yet, or no more: of what was archived a backup is kept, which is no part of the table."""
_ONE: Final = Decimal(1)
_NOT_IN_COST: Final = ("item_overhead", "backup", "stream_read", "data_transfer")

THROUGHPUT: Final = frozenset({"throughput", "rcu_hour", "wcu_hour", "request_unit", "read_request", "write_request"})
"""Dimensions of what reads and writes cost in either mode."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is known of one table; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        billing_mode: `PROVISIONED` or `PAY_PER_REQUEST`.
        table_class: `STANDARD` or `STANDARD_INFREQUENT_ACCESS`.
        read_capacity, write_capacity: provisioned units of the table without its indexes, 0 on demand.
        index_names: global secondary indexes; `index_read_capacity`, `index_write_capacity`, `index_bytes` are theirs
            together.
        table_replicas: other regions that hold the table.
        recovers_to_any_point: whether it can be restored to a point in time, which is billed by its size.
        scaled: whether Application Auto Scaling changes its capacity or that of an index.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    billing_mode: str | None = None
    table_class: str | None = None
    read_capacity: int | None = None
    write_capacity: int | None = None
    table_bytes: int | None = None
    item_count: int | None = None
    index_names: tuple[str, ...] | None = None
    index_read_capacity: int | None = None
    index_write_capacity: int | None = None
    index_bytes: int | None = None
    table_replicas: tuple[str, ...] | None = None
    stream_enabled: bool | None = None
    deletion_protection: bool | None = None
    recovers_to_any_point: bool | None = None
    scaled: bool | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield tables page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "dynamodb:table")
    reading = TableReading(reader)
    reading.read_scaling()
    try:
        for page in reader.pages(_OPERATION, {"Limit": _PAGE}):
            for name in page.get("TableNames", ()):
                described = reading.table(str(name))
                if described is not None and described.get("TableStatus") != _GONE:
                    yield _resource(str(name), described, reading, tags, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from reading.gaps()


def _resource(
    name: str, described: Mapping[str, Any], reading: TableReading, tags: Tags | None, partition: str
) -> Resource:
    reader = reading.reader
    arn = f"arn:{partition}:dynamodb:{reader.region}:{reader.account}:table/{name}"
    created = described.get("CreationDateTime")
    return Resource(
        kind="dynamodb-table",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(described.get("TableStatus", "")),
        tags={} if tags is None else tags.get(arn, {}),
        created=parse_seconds(created) or parse_time(created),
        attributes=attributes_of(_facts(name, described, reading, tags_known=tags is not None)),
    )


def _facts(name: str, described: Mapping[str, Any], reading: TableReading, *, tags_known: bool) -> TableFacts:
    indexes: Sequence[Mapping[str, Any]] = described.get("GlobalSecondaryIndexes") or ()
    own = described.get("ProvisionedThroughput") or {}
    theirs = [index.get("ProvisionedThroughput") or {} for index in indexes]
    prefix = f"table/{name}"
    return TableFacts(
        # A table that was never on demand has no summary of its mode.
        billing_mode=(described.get("BillingModeSummary") or {}).get("BillingMode", PROVISIONED),
        table_class=(described.get("TableClassSummary") or {}).get("TableClass", STANDARD),
        read_capacity=own.get("ReadCapacityUnits"),
        write_capacity=own.get("WriteCapacityUnits"),
        table_bytes=described.get("TableSizeBytes"),
        item_count=described.get("ItemCount"),
        index_names=tuple(str(index["IndexName"]) for index in indexes),
        index_read_capacity=_total(theirs, "ReadCapacityUnits"),
        index_write_capacity=_total(theirs, "WriteCapacityUnits"),
        index_bytes=_total(indexes, "IndexSizeBytes"),
        table_replicas=tuple(str(one.get("RegionName")) for one in described.get("Replicas") or ()),
        stream_enabled=bool((described.get("StreamSpecification") or {}).get("StreamEnabled")),
        deletion_protection=described.get("DeletionProtectionEnabled"),
        recovers_to_any_point=reading.recovers(name),
        scaled=None
        if reading.scaled is None
        else any(one == prefix or one.startswith(f"{prefix}/") for one in reading.scaled),
        tags_known=tags_known,
        not_in_cost=_NOT_IN_COST,
    )


def _total(described: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Return the sum over all indexes, None when one of them does not say."""
    found = [one.get(name) for one in described]
    return None if None in found else sum(int(value or 0) for value in found)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(table: Resource) -> tuple[BilledPart, ...]:
    """Return storage, recovery and throughput of a table and its indexes."""
    facts, region = facts_of(TableFacts, table), table.region
    if table.state in _WORKING:
        return (*_throughput(region, facts), *_storage(region, facts))
    if table.state in _STORED:
        return (_unknown("throughput", f"what AWS bills in the state {table.state}"), *_storage(region, facts))
    return () if table.state in _FREE else billed_as_unknown("throughput", table.state)


def _unknown(dimension: str, what: str) -> BilledPart:
    return BilledPart(dimension, Decimal(0), None, f"{what} is not known")


def _storage(region: str, facts: TableFacts) -> Iterator[BilledPart]:
    if facts.table_bytes is None or facts.index_bytes is None:
        yield _unknown("storage_gb_month", "its size")
        return
    size = (facts.table_bytes + facts.index_bytes) / GIB
    dimension = {STANDARD: "storage_standard", INFREQUENT: "storage_ia"}.get(facts.table_class or "")
    if dimension is None:
        yield _unknown("storage_gb_month", "its class")
        return
    yield BilledPart("storage_gb_month", size, PriceQuery("dynamodb", region, dimension))
    if facts.recovers_to_any_point is None:
        yield _unknown("recovery_gb_month", "whether it can be restored to a point in time")
    elif facts.recovers_to_any_point:
        yield BilledPart("recovery_gb_month", facts.table_bytes / GIB, PriceQuery("dynamodb", region, "pitr"))


def _throughput(region: str, facts: TableFacts) -> Iterator[BilledPart]:
    if facts.billing_mode == PROVISIONED:
        yield from _provisioned(region, facts)
    elif facts.billing_mode == ON_DEMAND:
        yield from _consumed(region, facts)
    else:
        yield _unknown("throughput", "its billing mode")


def _provisioned(region: str, facts: TableFacts) -> Iterator[BilledPart]:
    for dimension, own, theirs in (
        ("rcu", facts.read_capacity, facts.index_read_capacity),
        ("wcu", facts.write_capacity, facts.index_write_capacity),
    ):
        if own is None or theirs is None:
            yield _unknown(f"{dimension}_hour", "its provisioned capacity")
        elif facts.table_class != STANDARD:
            yield BilledPart(f"{dimension}_hour", Decimal(0), None, f"no price for the class {facts.table_class}")
        elif dimension == "wcu" and facts.table_replicas:
            yield BilledPart(f"{dimension}_hour", Decimal(0), None, "no price for replicated capacity")
        else:
            query = PriceQuery("dynamodb", region, f"provisioned_{dimension}")
            yield BilledPart(f"{dimension}_hour", Decimal(own + theirs), query)


def _consumed(region: str, facts: TableFacts) -> Iterator[BilledPart]:
    """Yield request units by use, of the table and of each index; a write to a replicated table has its own price."""
    if facts.index_names is None or len(facts.index_names) > INDEXES:
        yield _unknown("request_unit", f"what more than {INDEXES} indexes consume")
        return
    prefix = "ia_" if facts.table_class == INFREQUENT else ""
    reading = PriceQuery("dynamodb", region, f"{prefix}on_demand_read_request")
    writing = PriceQuery("dynamodb", region, f"{prefix}on_demand_write_request")
    if facts.table_replicas:
        writing = PriceQuery("dynamodb", region, f"{prefix}replicated_write_request")
    slots = range(1, len(facts.index_names) + 1)
    for metric in (READS, *map(index_reads, slots)):
        yield BilledPart("read_request", _ONE, reading, metric=metric)
    for metric in (WRITES, *map(index_writes, slots)):
        yield BilledPart("write_request", _ONE, writing, metric=metric)


# -- what else is declared ---------------------------------------------------------------------------------------------


KIND: Final = ResourceKind(
    id="dynamodb-table",
    title="DynamoDB table",
    service="dynamodb",
    id_pattern=r"[A-Za-z0-9_.-]{3,255}",
    arn_pattern="arn:*:dynamodb:*:*:table/*",
    facts=TableFacts,
    listing=Listing(
        permissions=(_OPERATION, TABLE, RECOVERY, SCALING, PERMISSION, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={
            TABLE: lambda known: {"TableName": known},
            RECOVERY: lambda known: {"TableName": known},
            SCALING: lambda _: {"ServiceNamespace": "dynamodb"},
        },
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon DynamoDB", "Databases", "NoSQL Databases"),
    states=States(running=_WORKING, billed=_WORKING | _STORED, free=_FREE),
    metrics=METRICS,
    billed_parts=billed_parts,
    console_url=console_page("dynamodbv2/home?region={region}#table?name={id}"),
    sample=Sample("orders", "arn:aws:dynamodb:us-east-1:111111111111:table/orders"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("billing_mode"),
)
