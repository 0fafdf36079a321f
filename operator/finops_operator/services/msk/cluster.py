"""Kafka clusters: ListClustersV2, brokers by the hour, and what clients sent and fetched.

Loaded by the registry; walked by the discover and measure stages. The tables hold the hours of standard and express
brokers; storage, provisioned throughput and serverless clusters have no price, so that the cost is unknown.
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
from finops_operator.plugins.kind import BilledPart, Listing, Product, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.msk.rules.brokers import METRICS, WORKING
from finops_operator.services.msk.rules.clients import LIST, ClientWays
from finops_operator.services.msk.rules.listed import LISTED
from finops_operator.services.msk.rules.offers import OFFERS

_OPERATION: Final = "kafka:ListClustersV2"
_PAGE: Final = 100
_GONE: Final = "DELETING"
_CREATING: Final = "creating"
"""Its brokers do not run yet; AWS bills those that run. One that failed may have some."""
ACTIVE: Final = "active"
SERVERLESS: Final = "SERVERLESS"
_STANDARD: Final = "kafka."
_EXPRESS: Final = "express."
_FREE_LEVEL: Final = "DEFAULT"
_NOT_PUBLIC: Final = "DISABLED"


@dataclass(frozen=True, slots=True)
class KafkaFacts:
    """What is known of one cluster; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        cluster_type: `PROVISIONED` or `SERVERLESS`.
        broker_type: `kafka.m5.large`, `express.m7g.large`; empty for a serverless cluster.
        volume_gb: of each broker.
        monitoring: `DEFAULT`, or a level whose metrics AWS bills.
        client_authentications: ways by which CloudWatch counts connections of clients, none where it counts none.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    cluster_type: str | None = None
    broker_type: str | None = None
    brokers: int | None = None
    volume_gb: int | None = None
    storage_mode: str | None = None
    monitoring: str | None = None
    kafka_version: str | None = None
    client_authentications: tuple[str, ...] | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield clusters page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    ways = ClientWays(reader)
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for cluster in page.get("ClusterInfoList", ()):
                if cluster.get("State") != _GONE:
                    yield _resource(cluster, ways, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from ways.gaps()


def _resource(cluster: Mapping[str, Any], ways: ClientWays, reader: PageReader) -> Resource:
    arn, created = str(cluster["ClusterArn"]), cluster.get("CreationTime")
    return Resource(
        kind="msk-cluster",
        id=arn.partition(":cluster/")[2],
        arn=arn,
        name=str(cluster.get("ClusterName") or ""),
        account=reader.account,
        region=reader.region,
        state=str(cluster.get("State") or "").lower(),
        tags={str(key): str(value) for key, value in (cluster.get("Tags") or {}).items()},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(cluster, ways)),
    )


def _facts(cluster: Mapping[str, Any], ways: ClientWays) -> KafkaFacts:
    kind, own = cluster.get("ClusterType"), cluster.get("Provisioned") or {}
    brokers = own.get("BrokerNodeGroupInfo") or {}
    disk = (brokers.get("StorageInfo") or {}).get("EbsStorageInfo") or {}
    return KafkaFacts(
        cluster_type=kind,
        broker_type="" if kind == SERVERLESS else brokers.get("InstanceType"),
        brokers=0 if kind == SERVERLESS else own.get("NumberOfBrokerNodes"),
        volume_gb=disk.get("VolumeSize"),
        storage_mode=own.get("StorageMode"),
        monitoring=own.get("EnhancedMonitoring"),
        kafka_version=(own.get("CurrentBrokerSoftwareInfo") or {}).get("KafkaVersion"),
        client_authentications=() if kind == SERVERLESS else ways.of(str(cluster.get("ClusterName") or "")),
        not_in_cost=_left_out(own, brokers, disk),
    )


def _left_out(own: Mapping[str, Any], brokers: Mapping[str, Any], disk: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what its cost does not hold; https://aws.amazon.com/msk/pricing/ and, of addresses, that of VPC."""
    left = ["tiered_storage_gb_month", "ingested_gb"]
    if own.get("EnhancedMonitoring", _FREE_LEVEL) != _FREE_LEVEL:
        left.append("metric_month")
    if (disk.get("ProvisionedThroughput") or {}).get("Enabled"):
        left.append("provisioned_throughput_mibps_month")
    public = ((brokers.get("ConnectivityInfo") or {}).get("PublicAccess") or {}).get("Type", _NOT_PUBLIC)
    return tuple(left if public == _NOT_PUBLIC else [*left, "public_ipv4_hour"])


def kafka_facts(resource: Resource) -> KafkaFacts:
    """Return the facts of an `msk-cluster`."""
    return facts_of(KafkaFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(cluster: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its brokers, and its storage, which AWS's price list alone has.

    https://aws.amazon.com/msk/pricing/
    """
    if cluster.state == _CREATING:
        return ()
    if cluster.state not in WORKING:
        return billed_as_unknown("broker_hour", cluster.state)
    facts = kafka_facts(cluster)
    if facts.cluster_type == SERVERLESS:
        return (BilledPart("cluster_hour", Decimal(1), None, "no price for serverless clusters"),)
    if not facts.broker_type or facts.brokers is None:
        return (BilledPart("broker_hour", Decimal(0), None, "the type or the number of its brokers is not known"),)
    hours = BilledPart("broker_hour", Decimal(facts.brokers), hour_query(cluster.region, facts.broker_type))
    return (hours, _storage(cluster.region, facts))


def _storage(region: str, facts: KafkaFacts) -> BilledPart:
    """Return the disks of standard brokers; those of express ones are billed by use."""
    reason = "no price for Kafka storage"
    standard = (facts.broker_type or "").startswith(_STANDARD)
    if not standard or facts.volume_gb is None or facts.brokers is None:
        return BilledPart("storage_gb_month", Decimal(0), None, reason)
    query = PriceQuery("msk", region, "storage_gb_month")
    return BilledPart("storage_gb_month", Decimal(facts.volume_gb * facts.brokers), query, reason)


def hour_query(region: str, broker_type: str) -> PriceQuery:
    """Return what to ask the price tables about an hour of a broker; express ones are listed under a name of theirs."""
    name = broker_type.removeprefix(_STANDARD)
    listed = f"{_EXPRESS}{name}" if name.startswith(_EXPRESS) else name
    return PriceQuery("msk", region, "broker_hour", (("instance_type", listed),))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _price_queries(region: str, broker_type: str, _options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, broker_type),)


_SAMPLE: Final = "events/12345678-1234-1234-1234-123456789012-1"

KIND: Final = ResourceKind(
    id="msk-cluster",
    title="MSK cluster",
    service="kafka",
    id_pattern=r"[A-Za-z0-9][A-Za-z0-9-]{0,63}/[0-9a-f]{8}-[0-9a-f-]{27}(?:-s?[0-9]+)?",
    arn_pattern="arn:*:kafka:*:*:cluster/*",
    limits={
        "volume_gb": Limit(16_384, "GiB", "Amazon MSK developer guide, “Amazon MSK quota”"),
    },
    facts=KafkaFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData", LIST), collect=_collect),
    billed_as=BilledAs("Amazon Managed Streaming for Apache Kafka", "Analytics", "Streaming Analytics"),
    states=States(running=WORKING, free=frozenset({_CREATING})),
    metrics=METRICS,
    billed_parts=billed_parts,
    offers=OFFERS,
    console_url=console_page("msk/home?region={region}#/cluster/{arn}/view"),
    sample=Sample(_SAMPLE, f"arn:aws:kafka:us-east-1:111111111111:cluster/{_SAMPLE}"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("broker_type"),
    products=(
        Product(
            option="--broker-type",
            metavar="TYPE",
            description="Such as kafka.m7g.large.",
            queries=_price_queries,
            sample="kafka.m7g.large",
        ),
    ),
    commitments=NONE_SOLD,
    listed=LISTED,
)
