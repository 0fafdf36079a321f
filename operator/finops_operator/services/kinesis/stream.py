"""Streams: ListStreams, shards and consumers of each, records put and fetched.

Loaded by the registry; walked by the discover and measure stages. The bundled tables hold no price of Kinesis, AWS's
price list does. AWS publishes what is put and fetched by the minute, and nothing where nobody asks; whether a point is
missing or zero is not said, so that a missing one is unknown and only a whole window without any is evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.kinesis.rules.offers import OFFERS

_LIST: Final = "kinesis:ListStreams"
_DESCRIBE: Final = "kinesis:DescribeStreamSummary"
_PAGE: Final = 100
_GONE: Final = "DELETING"
_CREATING: Final = "creating"
"""It has no shards yet; AWS bills theirs."""
ACTIVE: Final = "active"
_WORKING: Final = frozenset({ACTIVE, "updating"})
ON_DEMAND: Final = "ON_DEMAND"
_SERVICE: Final = "kinesis"
_INCLUDED_HOURS: Final = 24
"""A longer retention of shards is billed by the hour, beyond a week by what is kept as well."""
PUT: Final = "recordsPut"
FETCHED: Final = "recordsFetched"
AGE: Final = "iteratorAgeMilliseconds"


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of one stream; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        mode: `PROVISIONED`, by the shard and hour, or `ON_DEMAND`.
        consumers: registered ones, which have a throughput of their own and are billed by the hour.
        retention_hours: 24 are included; more is billed.
        shard_metrics: whether metrics of single shards are on, which are billed.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    mode: str | None = None
    shards: int | None = None
    consumers: int | None = None
    retention_hours: int | None = None
    shard_metrics: bool | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield streams page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "kinesis:stream")
    asking = OneByOne(reader)
    try:
        for page in reader.pages(_LIST, {"Limit": _PAGE}):
            for stream in page.get("StreamSummaries", ()):
                if stream.get("StreamStatus") != _GONE:
                    summary = _summary(asking, str(stream["StreamName"]))
                    yield _resource(stream, summary, tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _summary(asking: OneByOne, name: str) -> Mapping[str, Any]:
    """Return what AWS says of one stream alone, empty when it is not known."""
    return (asking.answer(_DESCRIBE, {"StreamName": name}) or {}).get("StreamDescriptionSummary") or {}


def _resource(
    stream: Mapping[str, Any], summary: Mapping[str, Any], tags: Tags | None, reader: PageReader, partition: str
) -> Resource:
    name, created = str(stream["StreamName"]), stream.get("StreamCreationTimestamp")
    arn = str(stream.get("StreamARN") or f"arn:{partition}:kinesis:{reader.region}:{reader.account}:stream/{name}")
    facts = StreamFacts(
        mode=(stream.get("StreamModeDetails") or {}).get("StreamMode"),
        shards=summary.get("OpenShardCount"),
        consumers=summary.get("ConsumerCount"),
        retention_hours=summary.get("RetentionPeriodHours"),
        shard_metrics=_shard_metrics(summary),
        tags_known=tags is not None,
        not_in_cost=("records", "read_gb", "retained_gb_month"),
    )
    return Resource(
        kind="kinesis-stream",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(stream.get("StreamStatus") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(facts),
    )


def _shard_metrics(summary: Mapping[str, Any]) -> bool | None:
    if not summary:
        return None
    return any(one.get("ShardLevelMetrics") for one in summary.get("EnhancedMonitoring") or ())


def stream_facts(resource: Resource) -> StreamFacts:
    """Return the facts of a `kinesis-stream`."""
    return facts_of(StreamFacts, resource)


def billed_parts(stream: Resource) -> tuple[BilledPart, ...]:
    """Return its shards or its hours on demand, which AWS's price list alone has, and what else stands by the hour.

    https://aws.amazon.com/kinesis/data-streams/pricing/
    """
    if stream.state == _CREATING:
        return ()
    if stream.state not in _WORKING:
        return billed_as_unknown("shard_hour", stream.state)
    facts = stream_facts(stream)
    return (*(_on_demand(stream.region) if facts.mode == ON_DEMAND else _shards(stream.region, facts)), *_extras(facts))


def _on_demand(region: str) -> Iterator[BilledPart]:
    query = PriceQuery(_SERVICE, region, "stream_hour")
    yield BilledPart("stream_hour", Decimal(1), query, "no price for streams on demand")


def _shards(region: str, facts: StreamFacts) -> Iterator[BilledPart]:
    if facts.shards is None:
        yield BilledPart("shard_hour", Decimal(0), None, "the number of its shards is not known")
        return
    shards = Decimal(facts.shards)
    yield BilledPart("shard_hour", shards, PriceQuery(_SERVICE, region, "shard_hour"), "no price for shards")
    if facts.retention_hours is not None and facts.retention_hours > _INCLUDED_HOURS:
        query = PriceQuery(_SERVICE, region, "extended_shard_hour")
        yield BilledPart("extended_shard_hour", shards, query, "no price for a longer retention")


def _extras(facts: StreamFacts) -> Iterator[BilledPart]:
    if facts.consumers:
        yield BilledPart("consumer_hour", Decimal(facts.consumers), None, "no price for registered consumers")
    if facts.shard_metrics:
        yield BilledPart("shard_metrics", Decimal(0), None, "no price for metrics of single shards")


def _works(stream: Resource) -> bool:
    return stream.state in _WORKING


def _counter(name: str, metric: str) -> MetricSpec:
    return MetricSpec(name, "AWS/Kinesis", metric, "StreamName", ("Sum",), "count", applies=_works)


KIND: Final = ResourceKind(
    id="kinesis-stream",
    title="Kinesis stream",
    service="kinesis",
    id_pattern=r"[A-Za-z0-9_.-]{1,128}",
    arn_pattern="arn:*:kinesis:*:*:stream/*",
    facts=StreamFacts,
    listing=Listing(
        permissions=(_LIST, _DESCRIBE, PERMISSION, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={_DESCRIBE: lambda known: {"StreamName": known}},
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon Kinesis Data Streams", "Analytics", "Streaming Analytics"),
    states=States(running=_WORKING, billed=_WORKING, free=frozenset({_CREATING})),
    metrics=(
        _counter(PUT, "IncomingRecords"),
        _counter(FETCHED, "GetRecords.Records"),
        MetricSpec(
            AGE,
            "AWS/Kinesis",
            "GetRecords.IteratorAgeMilliseconds",
            "StreamName",
            ("Average", "Maximum"),
            "milliseconds behind",
            applies=_works,
        ),
    ),
    billed_parts=billed_parts,
    offers=OFFERS,
    console_url=console_page("kinesis/home?region={region}#/streams/details/{id}/monitoring"),
    sample=Sample("events", "arn:aws:kinesis:us-east-1:111111111111:stream/events"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("mode"),
    commitments=NONE_SOLD,
)
