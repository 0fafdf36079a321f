"""What a deletion must know of a cache cluster and of the group around it, read anew right before the call.

AWS lists each node of a replication group as a cluster, and refuses to delete such a node as one: the group is deleted,
and its nodes with it. So a node stands for its group where it is the only one. Source: ElastiCache API reference,
DescribeCacheClusters, DescribeReplicationGroups, DescribeSnapshots, DeleteCacheCluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import PolicyFacts, Refusal, Target
from finops_operator.plugins.protection import DELETION_WORDS, observed_tags, tag_refusals
from finops_operator.plugins.recent_use import NONE, SOME, WINDOW, Measured, recent_use
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.services.elasticache.rules.final_snapshot import (
    AVAILABLE,
    SNAPSHOTS,
    final_snapshots,
    snapshot_refusals,
)
from finops_operator.services.elasticache.rules.use import COMMANDS, METRICS

CLUSTERS: Final = "elasticache:DescribeCacheClusters"
GROUPS: Final = "elasticache:DescribeReplicationGroups"
NOT_FOUND: Final = frozenset({"CacheClusterNotFound", "CacheClusterNotFoundFault"})
_NO_GROUP: Final = frozenset({"ReplicationGroupNotFoundFault"})


def observe_cache(reader: Reader, target: Target) -> Observation:
    """Read the cluster, its group, and the final snapshots that exist under its name.

    Facts: `name`, `state`, `createdAt`, `engine`, `nodeType`, `group` (empty for none), `groupState`, `groupNodes`,
    `globalGroup`, `pending` (a change that waits), `outpost`, `snapshots` (name → state), `tags`; with `target.full`
    also `use` (`none`, `some` or `unknown`).
    """
    name = target.resource.id
    listed = reader.read(SNAPSHOTS, {"SnapshotSource": "user"}).get("Snapshots") or ()
    kept: dict[str, Json] = {"snapshots": final_snapshots(listed, name)}
    try:
        found = reader.read(CLUSTERS, {"CacheClusterId": name}).get("CacheClusters") or ()
    except AwsRejected as error:
        if error.code in NOT_FOUND:
            return Observation(exists=False, facts=kept)
        raise
    if not found:
        return Observation(exists=False, facts=kept)
    cluster: Mapping[str, Any] = found[0]
    facts = kept | {"name": name} | _facts(cluster)
    facts |= _group(reader, str(facts["group"]))
    facts["tags"] = _tags(reader, target, str(facts["group"]))
    if target.full:
        facts["use"] = recent_use(reader, measured_commands(str(facts["engine"]), name), target.now)
    named = ("createdAt", "engine", "nodeType", "group", "groupNodes")
    fingerprint = {fact: str(facts[fact]) for fact in named}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _facts(cluster: Mapping[str, Any]) -> dict[str, Json]:
    created = cluster.get("CacheClusterCreateTime")
    pending = {key: value for key, value in (cluster.get("PendingModifiedValues") or {}).items() if value}
    return {
        "state": str(cluster.get("CacheClusterStatus") or ""),
        "createdAt": created.isoformat() if isinstance(created, datetime) else str(created or ""),
        "engine": str(cluster.get("Engine") or ""),
        "nodeType": str(cluster.get("CacheNodeType") or ""),
        "group": str(cluster.get("ReplicationGroupId") or ""),
        "pending": bool(pending),
        "outpost": bool(cluster.get("PreferredOutpostArn")),
    }


def _group(reader: Reader, name: str) -> dict[str, Json]:
    none: dict[str, Json] = {"groupState": "", "groupNodes": "", "globalGroup": False, "groupPending": False}
    if not name:
        return none
    try:
        found = reader.read(GROUPS, {"ReplicationGroupId": name}).get("ReplicationGroups") or ()
    except AwsRejected as error:
        if error.code in _NO_GROUP:
            return none
        raise
    if not found:
        return none
    group: Mapping[str, Any] = found[0]
    shared = group.get("GlobalReplicationGroupInfo") or {}
    return {
        "groupState": str(group.get("Status") or ""),
        "groupNodes": str(len(group.get("MemberClusters") or ())),
        "globalGroup": bool(shared.get("GlobalReplicationGroupId")),
        "groupPending": any((group.get("PendingModifiedValues") or {}).values()),
    }


def _tags(reader: Reader, target: Target, group: str) -> dict[str, Json]:
    """Return the tags of the cluster and of its group: what was said of the group holds for its node."""
    arn = target.resource.arn
    of_group = tags_of_arn(reader, arn.rpartition(":cluster:")[0] + f":replicationgroup:{group}") if group else {}
    return {**of_group, **tags_of_arn(reader, arn)}


def measured_commands(engine: str, name: str) -> list[Measured]:
    """Return the counters of all commands that a cluster serves, none for an engine that is not known."""
    wanted = COMMANDS.get(engine, ())
    of_cluster = (("CacheClusterId", name),)
    return [Measured(spec.namespace, spec.metric, of_cluster, "Sum") for spec in METRICS if spec.name in wanted]


# -- what speaks against it --------------------------------------------------------------------------------------------


def deletion_refusals(observation: Observation, facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Return every reason not to delete this cluster, or the group that it is the only node of."""
    if not observation.exists:
        return (Refusal("NotFound", "The cache does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, (), DELETION_WORDS),
        *_state_refusals(observation),
        *_group_refusals(observation),
        *snapshot_refusals(observation),
        *use_refusals(observation),
    )


def _state_refusals(observation: Observation) -> list[Refusal]:
    found = whole_refusals(observation)
    if observation.text("engine") not in COMMANDS:
        found.append(Refusal("EngineUnknown", "Which engine it runs is not known."))
    if observation.facts.get("pending") or observation.facts.get("groupPending"):
        found.append(Refusal("ChangePending", "A change of it waits for its maintenance window."))
    if observation.facts.get("outpost"):
        found.append(Refusal("OnOutpost", "It stands on an Outpost."))
    return found


def _group_refusals(observation: Observation) -> list[Refusal]:
    if not observation.text("group"):
        return []
    if not observation.text("groupState"):
        return [Refusal("GroupUnknown", "The group that it is a node of is not known.")]
    found: list[Refusal] = []
    if observation.facts.get("globalGroup") is not False:
        found.append(Refusal("InGlobalDatastore", "Its group is replicated to other regions."))
    if observation.text("groupNodes") != "1":
        why = (
            f"Its group has {observation.text('groupNodes') or 'an unknown number of'} nodes and is deleted as a whole."
        )
        found.append(Refusal("OneOfSeveral", why))
    if observation.text("groupState") != AVAILABLE:
        found.append(Refusal("GroupNotAvailable", f"Its group is {observation.text('groupState')}."))
    return found


def whole_refusals(observation: Observation) -> list[Refusal]:
    """Return what speaks against the deletion of a cluster and of a group alike."""
    found: list[Refusal] = []
    if observation.text("state") != AVAILABLE:
        found.append(Refusal("NotAvailable", f"It is {observation.text('state') or 'in an unknown state'}."))
    if not observation.text("createdAt"):
        found.append(Refusal("CreationUnknown", "AWS did not say when it was made, so another may take its name."))
    return found


def use_refusals(observation: Observation) -> list[Refusal]:
    """Return that it was used within the last week, or that it is not known not to have been."""
    if observation.text("use") == SOME:
        return [Refusal("InUse", f"It served commands within the last {WINDOW.days} days.")]
    if observation.text("use") != NONE:
        why = f"CloudWatch does not show for all of the last {WINDOW.days} days that it served no command."
        return [Refusal("UseUnknown", why)]
    return []
