"""What a deletion must know of a replication group and of all its nodes, read anew right before the call.

AWS deletes a group with all its nodes in one call. What a tag says of one node, it says of the group, and one node that
somebody uses is enough to keep all. Source: ElastiCache API reference, DescribeReplicationGroups,
DescribeCacheClusters, DescribeSnapshots, DeleteReplicationGroup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal, Target
from finops_operator.plugins.protection import DELETION_WORDS, observed_tags, tag_refusals
from finops_operator.plugins.recent_use import NONE, SOME, UNKNOWN, recent_use
from finops_operator.plugins.tagging import tags_of_arns
from finops_operator.services.elasticache.rules.cache_observation import (
    CLUSTERS,
    GROUPS,
    measured_commands,
    use_refusals,
    whole_refusals,
)
from finops_operator.services.elasticache.rules.final_snapshot import (
    AVAILABLE,
    SNAPSHOTS,
    final_snapshots,
    snapshot_refusals,
)
from finops_operator.services.elasticache.rules.use import COMMANDS

NO_GROUP: Final = frozenset({"ReplicationGroupNotFoundFault"})
_AT_ONCE: Final = 100
"""Nodes whose metrics one question names: three each, an hour apiece over a week, within the 500 and 100,800 of AWS."""


def observe_group(reader: Reader, target: Target) -> Observation:
    """Read the group, its nodes, and the snapshots of both.

    Facts: `name`, `state`, `createdAt`, `engine` (empty where the nodes differ), `nodes` (their number), `nodesKnown`,
    `globalGroup`, `pending` (a change that waits), `outpost`, `nodeStates`, `snapshotting` (a snapshot under way),
    `snapshots` (final ones, name → state), `tags`; with `target.full` also `use` (`none`, `some` or `unknown`).
    """
    name = target.resource.id
    listed = reader.read(SNAPSHOTS, {}).get("Snapshots") or ()
    kept: dict[str, Json] = {"snapshots": final_snapshots(listed, name)}
    try:
        found = reader.read(GROUPS, {"ReplicationGroupId": name}).get("ReplicationGroups") or ()
    except AwsRejected as error:
        if error.code in NO_GROUP:
            return Observation(exists=False, facts=kept)
        raise
    if not found:
        return Observation(exists=False, facts=kept)
    every = reader.read(CLUSTERS, {}).get("CacheClusters") or ()
    nodes = [one for one in every if one.get("ReplicationGroupId") == name]
    ids = sorted(str(one.get("CacheClusterId")) for one in nodes)
    facts = kept | {"name": name} | _facts(found[0], nodes, ids)
    facts["snapshotting"] = any(_under_way(one, name, ids) for one in listed)
    facts["tags"] = _tags(reader, target.resource.arn, ids)
    if target.full:
        facts["use"] = _use(reader, str(facts["engine"]), ids, target.now)
    named = {fact: str(facts[fact]) for fact in ("createdAt", "engine", "nodes")}
    hashed = {"members": sha256_hex([*ids])[:16], "tags": sha256_hex(facts["tags"])[:16]}
    return Observation(True, named | hashed, facts)


def _facts(group: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> dict[str, Json]:
    created = group.get("ReplicationGroupCreateTime")
    engines = {str(one.get("Engine") or "") for one in nodes}
    waiting = (one.get("PendingModifiedValues") or {} for one in (group, *nodes))
    return {
        "state": str(group.get("Status") or ""),
        "createdAt": created.isoformat() if isinstance(created, datetime) else str(created or ""),
        "engine": engines.pop() if len(engines) == 1 else "",
        "nodes": str(len(ids)),
        "nodesKnown": ids == sorted(str(one) for one in group.get("MemberClusters") or ()),
        "nodeStates": sorted({str(one.get("CacheClusterStatus") or "unknown") for one in nodes}),
        "globalGroup": bool((group.get("GlobalReplicationGroupInfo") or {}).get("GlobalReplicationGroupId")),
        "pending": any(any(one.values()) for one in waiting),
        "outpost": any(one.get("PreferredOutpostArn") for one in nodes),
    }


def _under_way(snapshot: Mapping[str, Any], group: str, nodes: Sequence[str]) -> bool:
    """Return whether a snapshot of the group or of one of its nodes is being made, copied or removed."""
    of_it = snapshot.get("ReplicationGroupId") == group or snapshot.get("CacheClusterId") in nodes
    return of_it and snapshot.get("SnapshotStatus") != AVAILABLE


def _tags(reader: Reader, arn: str, nodes: Iterable[str]) -> dict[str, Json]:
    place = arn.rpartition(":replicationgroup:")[0]
    found = tags_of_arns(reader, [*(f"{place}:cluster:{one}" for one in nodes), arn])
    return {key: value for tags in found.values() for key, value in tags.items()}


def _use(reader: Reader, engine: str, nodes: Sequence[str], now: datetime | None) -> str:
    """Return whether any node served a command within the last week."""
    words = set[str]()
    for at in range(0, len(nodes), _AT_ONCE):
        measured = [each for one in nodes[at : at + _AT_ONCE] for each in measured_commands(engine, one)]
        words.add(recent_use(reader, measured, now))
    if SOME in words:
        return SOME
    return NONE if words == {NONE} else UNKNOWN


# -- what speaks against it --------------------------------------------------------------------------------------------


def group_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to delete this group."""
    if not observation.exists:
        return (Refusal("NotFound", "The group does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, (), DELETION_WORDS),
        *_state_refusals(observation),
        *_node_refusals(observation),
        *snapshot_refusals(observation),
        *use_refusals(observation),
    )


def _state_refusals(observation: Observation) -> list[Refusal]:
    found = whole_refusals(observation)
    if observation.facts.get("globalGroup") is not False:
        found.append(Refusal("InGlobalDatastore", "It is replicated to or from other regions."))
    if observation.facts.get("pending") is not False:
        found.append(Refusal("ChangePending", "A change of it or of a node waits for its maintenance window."))
    if observation.facts.get("snapshotting") is not False:
        found.append(Refusal("SnapshotUnderWay", "A snapshot of it is being made, copied or removed."))
    return found


def _node_refusals(observation: Observation) -> list[Refusal]:
    if observation.facts.get("nodesKnown") is not True:
        return [Refusal("NodesUnknown", "AWS does not list all of its nodes, so what it holds is not known.")]
    found: list[Refusal] = []
    if observation.text("nodes") in {"0", "1"}:
        found.append(Refusal("NotOfSeveral", "It has but one node, and is found and deleted as that cache."))
    if observation.text("engine") not in COMMANDS:
        found.append(Refusal("EngineUnknown", "Which engine its nodes run is not known."))
    if observation.facts.get("nodeStates") != [AVAILABLE]:
        found.append(Refusal("NodeNotAvailable", "Not all of its nodes are available."))
    if observation.facts.get("outpost") is not False:
        found.append(Refusal("OnOutpost", "A node of it stands on an Outpost."))
    return found
