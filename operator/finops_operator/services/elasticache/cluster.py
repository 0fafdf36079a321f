"""Cache clusters on nodes: single ones of every engine, Memcached clusters, and the only nodes of replication groups.

Loaded by the registry; walked by the discover and measure stages. AWS lists each node of a replication group as a
cluster of its own, and bills and measures it as such. The nodes of a group of several are found with it, as an
`elasticache-replication-group`, and not here. The tags come from the tagging API.
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
from finops_operator.plugins.described import gap_of, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, Product, ProductOption, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.elasticache.rules.extended_support import PREMIUM, in_extended_support
from finops_operator.services.elasticache.rules.groups import GROUPS, PAGE, Group, groups_by_id
from finops_operator.services.elasticache.rules.listed import LISTED
from finops_operator.services.elasticache.rules.snapshot_offer import SNAPSHOT_OFFERS
from finops_operator.services.elasticache.rules.use import METRICS, REDIS, WORKING

OPERATION: Final = "elasticache:DescribeCacheClusters"
GONE: Final = frozenset({"deleting", "deleted"})
NOT_BILLED: Final = frozenset({"creating", "incompatible-network", "restore-failed"})
AVAILABLE: Final = "available"


@dataclass(frozen=True, slots=True)
class CacheFacts:
    """What is known of one cache cluster or one replication group; None: AWS did not say. Names as in the reports.

    Attributes:
        nodes: of this cluster: one, or several of Memcached; of this group all of them.
        members: of a group that is found as a whole, the ids of its nodes.
        replication_group: the group that it is a node of, empty for none; the next four are of the group, None where
            it is in none or the group could not be read.
        group_nodes: how many nodes the group has; `group_shards`: in how many shards.
        role: `primary` or `replica`, where AWS gives it.
        global_group: whether the group is replicated to other regions.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    nodes: int | None = None
    members: tuple[str, ...] | None = None
    replication_group: str | None = None
    group_nodes: int | None = None
    group_shards: int | None = None
    role: str | None = None
    global_group: bool | None = None
    availability_zone: str | None = None
    snapshot_retention_days: int | None = None
    outpost: bool | None = None
    pending_node_type: str | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield clusters page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "elasticache:cluster")
    group_tags = yield from tags_by_arn(reader, "elasticache:replicationgroup")
    groups = yield from groups_by_id(reader)
    try:
        for page in reader.pages(OPERATION, {"MaxRecords": PAGE}):
            for cluster in page.get("CacheClusters", ()):
                if cluster.get("CacheClusterStatus") not in GONE and not _is_found_with_its_group(cluster, groups):
                    yield _resource(cluster, groups, _Tagged(tags, group_tags), reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


@dataclass(frozen=True, slots=True)
class _Tagged:
    """Tags of clusters and of groups by ARN, None where they could not be read."""

    clusters: Tags | None
    groups: Tags | None


def _is_found_with_its_group(cluster: Mapping[str, Any], groups: Mapping[str, Group] | None) -> bool:
    """Return whether another kind lists the node; so it does what may be in a group that could not be read.

    A node is in the bill once: of groups that were not read here and are read a moment later, its cost is in theirs.
    """
    name = str(cluster.get("ReplicationGroupId") or "")
    if groups is None:
        return bool(name)
    group = groups.get(name)
    return group is not None and group.is_whole


def _resource(
    cluster: Mapping[str, Any],
    groups: Mapping[str, Group] | None,
    tagged: _Tagged,
    reader: PageReader,
    partition: str,
) -> Resource:
    identity = str(cluster["CacheClusterId"])
    prefix = f"arn:{partition}:elasticache:{reader.region}:{reader.account}"
    arn = str(cluster.get("ARN") or f"{prefix}:cluster:{identity}")
    name = str(cluster.get("ReplicationGroupId") or "")
    group_arn = f"{prefix}:replicationgroup:{name}"
    known = tagged.clusters is not None and (not name or tagged.groups is not None)
    # What was said of the group holds for its nodes, and what was said of a node goes before it.
    tags = {**((tagged.groups or {}).get(group_arn) or {}), **((tagged.clusters or {}).get(arn) or {})}
    return Resource(
        kind="elasticache-cluster",
        id=identity,
        arn=arn,
        name=identity,
        account=reader.account,
        region=reader.region,
        state=str(cluster.get("CacheClusterStatus") or ""),
        tags=tags if known else {},
        created=parse_time(cluster.get("CacheClusterCreateTime")),
        attributes=attributes_of(_facts(cluster, None if groups is None else groups.get(name), tags_known=known)),
    )


def _facts(cluster: Mapping[str, Any], group: Group | None, *, tags_known: bool) -> CacheFacts:
    identity = str(cluster["CacheClusterId"])
    return CacheFacts(
        engine=cluster.get("Engine"),
        engine_version=cluster.get("EngineVersion"),
        cache_node_type=cluster.get("CacheNodeType"),
        nodes=cluster.get("NumCacheNodes"),
        replication_group=cluster.get("ReplicationGroupId") or "",
        group_nodes=None if group is None else len(group.members),
        group_shards=None if group is None else group.shards,
        role=None if group is None else group.roles.get(identity) or None,
        global_group=None if group is None else group.is_global,
        availability_zone=cluster.get("PreferredAvailabilityZone"),
        snapshot_retention_days=cluster.get("SnapshotRetentionLimit"),
        outpost=bool(cluster.get("PreferredOutpostArn")),
        pending_node_type=(cluster.get("PendingModifiedValues") or {}).get("CacheNodeType") or "",
        tags_known=tags_known,
        not_in_cost=("backup_gb_month",),
    )


def cache_facts(resource: Resource) -> CacheFacts:
    """Return the facts of an `elasticache-cluster`."""
    return facts_of(CacheFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(cluster: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its nodes, which AWS bills from their launch until they are deleted, and extended support.

    Backups beyond the free one are named by the fact `not_in_cost`. https://aws.amazon.com/elasticache/pricing/
    """
    if cluster.state in NOT_BILLED:
        return ()
    facts = cache_facts(cluster)
    reason = ""
    if cluster.state not in WORKING:
        reason = f"what AWS bills in the state {cluster.state or 'that it did not give'} is not known"
    elif facts.cache_node_type is None or facts.engine is None or facts.nodes is None:
        reason = "its node type, its engine or how many nodes it has is not known"
    elif facts.outpost:
        reason = "no price for Outposts"
    if reason or facts.cache_node_type is None or facts.engine is None or facts.nodes is None:
        return (BilledPart("node_hour", Decimal(0), None, reason),)
    query = hour_query(cluster.region, facts.cache_node_type, facts.engine)
    hours = BilledPart("node_hour", Decimal(facts.nodes), query)
    if in_extended_support(facts.engine, facts.engine_version):
        return (hours, BilledPart("extended_support_hour", facts.nodes * PREMIUM, query))
    return (hours,)


def hour_query(region: str, node_type: str, engine: str) -> PriceQuery:
    """Return what to ask the price tables about an hour of a node."""
    return PriceQuery("elasticache", region, "node_hour", (("node_type", node_type), ("engine", engine)))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _price_queries(region: str, node_type: str, options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, node_type, options["--cache-engine"]),)


KIND: Final = ResourceKind(
    id="elasticache-cluster",
    title="ElastiCache cluster",
    service="elasticache",
    id_pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
    arn_pattern="arn:*:elasticache:*:*:cluster:*",
    facts=CacheFacts,
    listing=Listing(
        permissions=(OPERATION, GROUPS, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, calls=CALLS
    ),
    billed_as=BilledAs("Amazon ElastiCache", "Databases", "Caching", "availability_zone"),
    states=States(running=WORKING, billed=WORKING, free=NOT_BILLED),
    metrics=METRICS,
    offers=SNAPSHOT_OFFERS,
    billed_parts=billed_parts,
    console_url=console_page("elasticache/home?region={region}#/nodes/{id}"),
    sample=Sample("cache-1", "arn:aws:elasticache:us-east-1:111111111111:cluster:cache-1"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("cache_node_type"),
    products=(
        Product(
            option="--cache-node-type",
            metavar="TYPE",
            description="Such as cache.m6g.large.",
            queries=_price_queries,
            sample="cache.m6g.large",
            options=(ProductOption("--cache-engine", "NAME", REDIS, "redis, valkey or memcached"),),
        ),
    ),
    listed=LISTED,
)
