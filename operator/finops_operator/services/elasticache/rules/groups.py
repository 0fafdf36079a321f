"""Replication groups as AWS lists them: who is in them, and which of two kinds their nodes are found under.

A group of one node is found as that node, which is what people pay for and delete. A group of several is found as a
whole, because its nodes stand in for each other and are changed together, and none of them is found a second time.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

GROUPS: Final = "elasticache:DescribeReplicationGroups"
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Group:
    """One replication group.

    Attributes:
        members: ids of its nodes, each a cache cluster of its own in other answers.
        shards: how many; None where AWS lists none.
        roles: node → `primary` or `replica`, where AWS gives it.
        described: what AWS said of it.
    """

    members: tuple[str, ...]
    shards: int | None
    is_global: bool
    roles: Mapping[str, str]
    described: Mapping[str, Any]

    @property
    def is_whole(self) -> bool:
        """Whether it is found as a whole, and its nodes are not."""
        return len(self.members) > 1


def groups_by_id(reader: PageReader) -> Generator[Gap, None, dict[str, Group] | None]:
    """Return every group by its id, None after a Gap where they could not all be read."""
    found: dict[str, Group] = {}
    try:
        for page in reader.pages(GROUPS, {"MaxRecords": PAGE}):
            for group in page.get("ReplicationGroups", ()):
                found[str(group["ReplicationGroupId"])] = _group(group)
    except AwsError as error:
        yield gap_of(error, reader)
        return None
    return found


def _group(group: Mapping[str, Any]) -> Group:
    shards = group.get("NodeGroups") or ()
    nodes = [node for shard in shards for node in shard.get("NodeGroupMembers") or ()]
    roles = {str(one.get("CacheClusterId")): str(one.get("CurrentRole") or "") for one in nodes}
    return Group(
        members=tuple(str(one) for one in group.get("MemberClusters") or roles),
        shards=len(shards) or None,
        is_global=bool((group.get("GlobalReplicationGroupInfo") or {}).get("GlobalReplicationGroupId")),
        roles=roles,
        described=group,
    )
