"""Domains: ListDomainNames and DescribeDomains, five at a time; nodes by role, storage, and what passed through.

Loaded by the registry; walked by the discover and measure stages. Data, dedicated master, coordinator and warm nodes
are priced by the hour; OpenSearch's own storage has a price in AWS's price list alone, so that without it the cost of a
domain with disks is unknown. A domain publishes every minute, under its name and its account's; a missing point is
unknown.
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
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, Product, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.opensearch.rules.included import included
from finops_operator.services.opensearch.rules.listed import LISTED
from finops_operator.services.opensearch.rules.naming import ACTIVE, DIMENSION, named
from finops_operator.services.opensearch.rules.offers import OFFERS

_NAMES: Final = "opensearch:ListDomainNames"
_DOMAINS: Final = "opensearch:DescribeDomains"
_CALLS: Final = {"es:ListDomainNames": _NAMES, "es:DescribeDomains": _DOMAINS}
"""IAM knows the service by its old name."""
_AT_ONCE: Final = 5
_CREATING: Final = "creating"
_STATES: Final = frozenset({ACTIVE, "processing", "upgrading"})
_COORDINATOR: Final = "coordinator"
SEARCHES: Final = "searchesPerMinute"
INDEXING: Final = "indexingPerMinute"


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What is known of one domain; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        engine_version: `OpenSearch_2.11` or `Elasticsearch_7.10`.
        master_nodes, coordinator_nodes, warm_nodes: how many of each, 0 for none.
        volume_type: `gp2`, `gp3`, `io1`, `standard`; empty where the nodes have disks of their own.
        volume_gb, volume_iops, volume_throughput: of each data node's disk; the last one in MiB/s.
        tags_known: False when its tags could not be read: it may be protected.
    """

    engine_version: str | None = None
    instance_type: str | None = None
    data_nodes: int | None = None
    master_type: str | None = None
    master_nodes: int | None = None
    coordinator_type: str | None = None
    coordinator_nodes: int | None = None
    warm_type: str | None = None
    warm_nodes: int | None = None
    cold_storage: bool | None = None
    zone_aware: bool | None = None
    volume_type: str | None = None
    volume_gb: int | None = None
    volume_iops: int | None = None
    volume_throughput: int | None = None
    tags_known: bool | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield domains five at a time; what cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "es:domain")
    try:
        listed = reader.once(_NAMES, {}).get("DomainNames", ())
        names = [str(one["DomainName"]) for one in listed]
        for start in range(0, len(names), _AT_ONCE):
            answer = reader.once(_DOMAINS, {"DomainNames": names[start : start + _AT_ONCE]})
            for domain in answer.get("DomainStatusList", ()):
                if not domain.get("Deleted"):
                    yield _resource(domain, tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(domain: Mapping[str, Any], tags: Tags | None, reader: PageReader, partition: str) -> Resource:
    name = str(domain["DomainName"])
    arn = str(domain.get("ARN") or f"arn:{partition}:es:{reader.region}:{reader.account}:domain/{name}")
    return Resource(
        kind="opensearch-domain",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=_state(domain),
        tags={} if tags is None else tags.get(arn) or {},
        attributes=attributes_of(_facts(domain, tags_known=tags is not None)),
    )


def _state(domain: Mapping[str, Any]) -> str:
    """Return the state, which the API gives as flags."""
    if domain.get("Created") is False:
        return _CREATING
    if domain.get("UpgradeProcessing"):
        return "upgrading"
    return "processing" if domain.get("Processing") else ACTIVE


def _facts(domain: Mapping[str, Any], *, tags_known: bool) -> DomainFacts:
    cluster, storage = domain.get("ClusterConfig") or {}, domain.get("EBSOptions") or {}
    masters, warm = bool(cluster.get("DedicatedMasterEnabled")), bool(cluster.get("WarmEnabled"))
    coordinator = _coordinator(cluster)
    return DomainFacts(
        engine_version=domain.get("EngineVersion"),
        instance_type=cluster.get("InstanceType"),
        data_nodes=cluster.get("InstanceCount"),
        master_type=cluster.get("DedicatedMasterType") if masters else "",
        master_nodes=cluster.get("DedicatedMasterCount") if masters else 0,
        coordinator_type=coordinator.get("Type") or "",
        coordinator_nodes=coordinator.get("Count") or 0,
        warm_type=cluster.get("WarmType") if warm else "",
        warm_nodes=cluster.get("WarmCount") if warm else 0,
        cold_storage=bool((cluster.get("ColdStorageOptions") or {}).get("Enabled")),
        zone_aware=cluster.get("ZoneAwarenessEnabled"),
        volume_type=storage.get("VolumeType") if storage.get("EBSEnabled") else "",
        volume_gb=storage.get("VolumeSize") if storage.get("EBSEnabled") else 0,
        volume_iops=storage.get("Iops"),
        volume_throughput=storage.get("Throughput"),
        tags_known=tags_known,
    )


def _coordinator(cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    for option in cluster.get("NodeOptions") or ():
        config: Mapping[str, Any] = option.get("NodeConfig") or {}
        if option.get("NodeType") == _COORDINATOR and config.get("Enabled"):
            return config
    return {}


def domain_facts(resource: Resource) -> DomainFacts:
    """Return the facts of an `opensearch-domain`."""
    return facts_of(DomainFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(domain: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its nodes by role, and its storage.

    https://aws.amazon.com/opensearch-service/pricing/
    """
    if domain.state == _CREATING:
        return ()
    facts, region = domain_facts(domain), domain.region
    parts = [_hours("data_node_hour", region, facts.instance_type, facts.data_nodes)]
    for dimension, node_type, nodes in (
        ("master_node_hour", facts.master_type, facts.master_nodes),
        ("coordinator_node_hour", facts.coordinator_type, facts.coordinator_nodes),
        ("warm_node_hour", facts.warm_type, facts.warm_nodes),
    ):
        if nodes != 0:
            parts.append(_hours(dimension, region, node_type, nodes))
    if facts.volume_type != "":
        kind = facts.volume_type or "that AWS did not name"
        parts += _storage(domain.region, facts, f"no price for OpenSearch storage {kind}")
    if facts.warm_nodes or facts.cold_storage:
        reason = "no price for data in warm and cold storage"
        parts.append(BilledPart("managed_storage_gb_month", Decimal(0), None, reason))
    return tuple(parts)


def _storage(region: str, facts: DomainFacts, reason: str) -> Iterator[BilledPart]:
    """Yield the disks of the data nodes: AWS's price list has gp2, and gp3 with what is faster than its size includes.

    io1 is billed by its speed too, which no source here prices.
    """
    size, nodes = facts.volume_gb, facts.data_nodes
    if size is None or nodes is None or facts.volume_type not in ("gp2", "gp3"):
        yield BilledPart("storage_gb_month", Decimal(0), None, reason)
        return
    query = PriceQuery("opensearch", region, f"{facts.volume_type}_gb_month")
    yield BilledPart("storage_gb_month", Decimal(size * nodes), query, reason)
    if facts.volume_type == "gp3":
        free = included(size)
        yield from _above("iops_month", region, facts.volume_iops, free.iops, nodes)
        yield from _above("throughput_mibps_month", region, facts.volume_throughput, free.throughput, nodes)


def _above(dimension: str, region: str, ordered: int | None, free: int, nodes: int) -> Iterator[BilledPart]:
    """Yield what the disks of all nodes are faster than their size includes; nothing where they are not."""
    if ordered is None:
        yield BilledPart(dimension, Decimal(0), None, "how fast its gp3 disks are is not known")
    elif ordered > free:
        query = PriceQuery("opensearch", region, f"gp3_{dimension}")
        yield BilledPart(dimension, Decimal((ordered - free) * nodes), query, "no price for faster gp3 disks")


def _hours(dimension: str, region: str, node_type: str | None, nodes: int | None) -> BilledPart:
    if not node_type or nodes is None:
        return BilledPart(dimension, Decimal(0), None, "the type or the number of its nodes is not known")
    return BilledPart(dimension, Decimal(nodes), hour_query(region, node_type))


def hour_query(region: str, instance_type: str) -> PriceQuery:
    """Return what to ask the price tables about an hour of a node."""
    return PriceQuery("opensearch", region, "instance_hour", (("instance_type", instance_type),))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _named(domain: Resource) -> tuple[tuple[str, str], ...]:
    return named(domain.account, domain.id)


def _publishes(domain: Resource) -> bool:
    return domain.state in _STATES


def _level(name: str, metric: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name, "AWS/ES", metric, DIMENSION, ("Average", "Maximum"), unit, dimensions=_named, applies=_publishes
    )


def _price_queries(region: str, instance_type: str, _options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, instance_type),)


KIND: Final = ResourceKind(
    id="opensearch-domain",
    title="OpenSearch domain",
    service="es",
    id_pattern=r"[a-z][a-z0-9-]{2,27}",
    arn_pattern="arn:*:es:*:*:domain/*",
    facts=DomainFacts,
    listing=Listing(
        permissions=(*_CALLS, PERMISSION, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={"es:DescribeDomains": lambda known: {"DomainNames": [known]}},
        calls={**_CALLS, **CALLS},
    ),
    billed_as=BilledAs("Amazon OpenSearch Service", "Analytics", "Search"),
    states=States(running=_STATES, billed=_STATES, free=frozenset({_CREATING})),
    metrics=(
        _level(SEARCHES, "SearchRate", "requests a minute"),
        _level(INDEXING, "IndexingRate", "operations a minute"),
        _level("cpuPercent", "CPUUtilization", "percent"),
        _level("heapPercent", "JVMMemoryPressure", "percent"),
        _level("freeStorageMegabytes", "FreeStorageSpace", "megabytes free"),
    ),
    billed_parts=billed_parts,
    left_out=("extended_support_hour", "data_transfer_gb"),
    offers=OFFERS,
    console_url=console_page("aos/home?region={region}#opensearch/domains/{id}"),
    sample=Sample("my-domain", "arn:aws:es:us-east-1:111111111111:domain/my-domain"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("instance_type"),
    products=(
        Product(
            option="--search-instance-type",
            metavar="TYPE",
            description="Such as m6g.large.search.",
            queries=_price_queries,
            sample="m6g.large.search",
        ),
    ),
    listed=LISTED,
)
