"""Warehouses: DescribeClusters, nodes by the hour, connections and load.

Loaded by the registry; walked by the discover and measure stages. A paused cluster is billed its storage alone and
publishes nothing. RA3 nodes keep their data in managed storage, which AWS bills by the gigabyte and of which the tables
hold no price, so that the cost of a cluster with them is unknown; DC2 and DS2 nodes include their disks.
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
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, Product, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.redshift.rules.listed import LISTED

_OPERATION: Final = "redshift:DescribeClusters"
_PAGE: Final = 100
_GONE: Final = frozenset({"deleting", "final-snapshot"})
AVAILABLE: Final = "available"
PAUSED: Final = "paused"
_WORKING: Final = frozenset(
    {
        AVAILABLE,
        "available, prep-for-resize",
        "available, resize-cleanup",
        "cancelling-resize",
        "modifying",
        "rebooting",
        "renaming",
        "resizing",
        "rotating-keys",
        "storage-full",
        "updating-hsm",
    }
)
_NOT_BILLED: Final = frozenset(
    {"creating", "hardware-failure", "incompatible-hsm", "incompatible-network", "incompatible-parameters"}
)
CONNECTIONS: Final = "databaseConnections"
CPU: Final = "cpuPercent"
_USES: Final = ("snapshot_gb_month", "concurrency_scaling_second", "spectrum_tb_scanned")


@dataclass(frozen=True, slots=True)
class WarehouseFacts:
    """What is known of one cluster; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        nodes: of compute; the leader of several is free.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    node_type: str | None = None
    nodes: int | None = None
    multi_az: bool | None = None
    version: str | None = None
    automated_snapshot_days: int | None = None
    publicly_accessible: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield clusters page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxRecords": _PAGE}):
            for cluster in page.get("Clusters", ()):
                if cluster.get("ClusterStatus") not in _GONE:
                    yield _resource(cluster, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(cluster: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity = str(cluster["ClusterIdentifier"])
    facts = WarehouseFacts(
        node_type=cluster.get("NodeType"),
        nodes=cluster.get("NumberOfNodes"),
        multi_az=str(cluster.get("MultiAZ") or "").lower() in ("enabled", "true"),
        version=cluster.get("ClusterVersion"),
        automated_snapshot_days=cluster.get("AutomatedSnapshotRetentionPeriod"),
        publicly_accessible=cluster.get("PubliclyAccessible"),
        not_in_cost=_USES if cluster.get("PubliclyAccessible") is False else (*_USES, "public_ipv4_hour"),
    )
    return Resource(
        kind="redshift-cluster",
        id=identity,
        arn=f"arn:{partition}:redshift:{reader.region}:{reader.account}:cluster:{identity}",
        name=identity,
        account=reader.account,
        region=reader.region,
        state=str(cluster.get("ClusterStatus") or ""),
        tags=tags_of(cluster),
        created=parse_time(cluster.get("ClusterCreateTime")),
        attributes=attributes_of(facts),
    )


def warehouse_facts(resource: Resource) -> WarehouseFacts:
    """Return the facts of a `redshift-cluster`."""
    return facts_of(WarehouseFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(cluster: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its nodes, none while it is paused, and its managed storage, which has no price.

    https://aws.amazon.com/redshift/pricing/
    """
    if cluster.state in _NOT_BILLED:
        return ()
    facts = warehouse_facts(cluster)
    if cluster.state not in _WORKING | {PAUSED, "pausing", "resuming"}:
        reason = f"what AWS bills in the state {cluster.state or 'that it did not give'} is not known"
        return (BilledPart("node_hour", Decimal(0), None, reason),)
    if facts.node_type is None or facts.nodes is None:
        return (BilledPart("node_hour", Decimal(0), None, "the type or the number of its nodes is not known"),)
    parts: list[BilledPart] = []
    if cluster.state in _WORKING:
        parts.append(_hours(cluster.region, facts.node_type, facts.nodes, multi_az=bool(facts.multi_az)))
    if facts.node_type.startswith("ra3."):
        parts.append(BilledPart("storage_gb_month", Decimal(0), None, "no price for managed storage"))
    return tuple(parts)


def _hours(region: str, node_type: str, nodes: int, *, multi_az: bool) -> BilledPart:
    if multi_az:
        return BilledPart("node_hour", Decimal(nodes), None, "no price for clusters in several zones")
    return BilledPart("node_hour", Decimal(nodes), hour_query(region, node_type))


def hour_query(region: str, node_type: str) -> PriceQuery:
    """Return what to ask the price tables about an hour of a node."""
    return PriceQuery("redshift", region, "node_hour", (("node_type", node_type),))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _publishes(cluster: Resource) -> bool:
    return cluster.state in _WORKING


def _level(name: str, metric: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name, "AWS/Redshift", metric, "ClusterIdentifier", ("Average", "Maximum"), unit, applies=_publishes
    )


def _price_queries(region: str, node_type: str, _options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, node_type),)


KIND: Final = ResourceKind(
    id="redshift-cluster",
    title="Redshift cluster",
    service="redshift",
    id_pattern=r"[a-z][a-z0-9-]{0,62}",
    arn_pattern="arn:*:redshift:*:*:cluster:*",
    facts=WarehouseFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon Redshift", "Databases", "Data Warehouses"),
    states=States(running=_WORKING, stopped=frozenset({PAUSED, "pausing"}), free=_NOT_BILLED),
    metrics=(
        _level(CONNECTIONS, "DatabaseConnections", "connections"),
        _level(CPU, "CPUUtilization", "percent"),
        _level("diskPercent", "PercentageDiskSpaceUsed", "percent"),
    ),
    billed_parts=billed_parts,
    console_url=console_page("redshiftv2/home?region={region}#/cluster-details?cluster={id}"),
    sample=Sample("warehouse-1", "arn:aws:redshift:us-east-1:111111111111:cluster:warehouse-1"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("node_type"),
    products=(
        Product(
            option="--warehouse-node-type",
            metavar="TYPE",
            description="Such as ra3.4xlarge.",
            queries=_price_queries,
            sample="ra3.4xlarge",
        ),
    ),
    listed=LISTED,
)
