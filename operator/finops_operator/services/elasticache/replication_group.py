"""Replication groups of several nodes: Redis OSS and Valkey with replicas, or in shards.

Loaded by the registry; walked by the discover and measure stages. AWS bills and measures each node, and lists it as a
cache cluster; the nodes stand in for each other and are changed together, so that the group is what is judged: by all
of its nodes, of which the busiest decides. Its cost is that of all its nodes, which no other kind counts. A group of
one node is found as that node, an `elasticache-cluster`. What a tag says of one node, it says of the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import Listing, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.elasticache.cluster import (
    GONE,
    NOT_BILLED,
    OPERATION,
    CacheFacts,
    billed_parts,
    cache_facts,
)
from finops_operator.services.elasticache.rules.groups import GROUPS, PAGE, Group, groups_by_id
from finops_operator.services.elasticache.rules.use import METRICS, WORKING

KIND_ID: Final = "elasticache-replication-group"
_ARN: Final = "arn:{}:elasticache:{}:{}:replicationgroup:{}"


@dataclass(frozen=True, slots=True)
class _Node:
    """What a node says that its group does not."""

    engine: str | None
    version: str | None
    node_type: str | None
    pending: str
    outpost: bool
    tags: Mapping[str, str]


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield groups of several nodes; where nodes could not be read, only those all of whose nodes were."""
    groups = yield from groups_by_id(reader)
    whole = {name: one for name, one in (groups or {}).items() if one.is_whole}
    if not whole:
        return
    tags = yield from tags_by_arn(reader, "elasticache:replicationgroup")
    node_tags = yield from tags_by_arn(reader, "elasticache:cluster")
    wanted = {member for one in whole.values() for member in one.members}
    nodes: dict[str, _Node] = {}
    complete = True
    try:
        for page in reader.pages(OPERATION, {"MaxRecords": PAGE}):
            listed = page.get("CacheClusters", ())
            nodes.update(
                (str(one["CacheClusterId"]), _node(one, node_tags or {}))
                for one in listed
                if one["CacheClusterId"] in wanted
            )
    except AwsError as error:
        complete = False
        yield gap_of(error, reader)
    known = tags is not None and node_tags is not None
    for name, group in whole.items():
        found = [nodes.get(member) for member in group.members]
        if group.described.get("Status") not in GONE and (complete or None not in found):
            arn = str(group.described.get("ARN") or _ARN.format(partition, reader.region, reader.account, name))
            said = {key: value for one in found if one is not None for key, value in one.tags.items()}
            one = _resource(reader, arn, group, _facts(name, group, found, tags_known=known))
            yield replace(one, tags={**said, **((tags or {}).get(arn) or {})} if known else {})


def _node(cluster: Mapping[str, Any], tags: Tags) -> _Node:
    return _Node(
        engine=cluster.get("Engine"),
        version=cluster.get("EngineVersion"),
        node_type=cluster.get("CacheNodeType"),
        pending=(cluster.get("PendingModifiedValues") or {}).get("CacheNodeType") or "",
        outpost=bool(cluster.get("PreferredOutpostArn")),
        tags=tags.get(str(cluster.get("ARN") or "")) or {},
    )


def _resource(reader: PageReader, arn: str, group: Group, facts: CacheFacts) -> Resource:
    name = facts.replication_group or ""
    return Resource(
        kind=KIND_ID,
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(group.described.get("Status") or ""),
        created=parse_time(group.described.get("ReplicationGroupCreateTime")),
        attributes=attributes_of(facts),
    )


def _facts(name: str, group: Group, nodes: list[_Node | None], *, tags_known: bool) -> CacheFacts:
    """Return the facts of a group: what its nodes do not agree on, or one of them does not say, is not known."""
    seen = [one for one in nodes if one is not None]
    whole = seen if len(seen) == len(nodes) else []
    pending = sorted({one.pending for one in seen if one.pending})
    return CacheFacts(
        engine=_agreed([one.engine for one in whole]),
        engine_version=_agreed([one.version for one in whole]),
        cache_node_type=_agreed([one.node_type for one in whole]),
        nodes=len(group.members),
        members=group.members,
        replication_group=name,
        group_nodes=len(group.members),
        group_shards=group.shards,
        global_group=group.is_global,
        snapshot_retention_days=group.described.get("SnapshotRetentionLimit"),
        outpost=any(one.outpost for one in seen),
        pending_node_type=pending[0] if pending else "",
        tags_known=tags_known,
        not_in_cost=("backup_gb_month",),
    )


def _agreed(values: list[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None


# -- measuring ---------------------------------------------------------------------------------------------------------


def _nodes(group: Resource) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple((("CacheClusterId", member),) for member in cache_facts(group).members or ())


# -- what else is declared ---------------------------------------------------------------------------------------------


KIND: Final = ResourceKind(
    id=KIND_ID,
    title="ElastiCache replication group",
    service="elasticache",
    id_pattern=r"[A-Za-z][A-Za-z0-9-]{0,39}",
    arn_pattern="arn:*:elasticache:*:*:replicationgroup:*",
    facts=CacheFacts,
    listing=Listing(
        permissions=(OPERATION, GROUPS, PERMISSION, "cloudwatch:GetMetricData"), collect=_collect, calls=CALLS
    ),
    billed_as=BilledAs("Amazon ElastiCache", "Databases", "Caching"),
    states=States(running=WORKING, billed=WORKING, free=NOT_BILLED),
    metrics=tuple(replace(spec, parts=_nodes) for spec in METRICS),
    billed_parts=billed_parts,
    console_url=console_page("elasticache/home?region={region}#/redis/{id}"),
    sample=Sample("group-1", "arn:aws:elasticache:us-east-1:111111111111:replicationgroup:group-1"),
    owner=owned_by(),
    type_of=lambda resource: resource.text("cache_node_type"),
)
