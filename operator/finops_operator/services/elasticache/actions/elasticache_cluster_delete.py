"""Delete a cache that nobody uses, alone or the only node of its group; AWS makes a final snapshot of it first.

AWS makes the final snapshot in the same call, before it deletes anything, so that nothing is written in between; the
act has succeeded only when the snapshot can be used and the cache is gone. Memcached has no snapshots: what it holds is
lost, and people are warned of it. Groups of several nodes, and those of a Global Datastore, are never deleted. The
snapshot is named after the cache and its time of creation. A deletion that has begun cannot be ended. Source:
ElastiCache API reference, DeleteCacheCluster, DeleteReplicationGroup; user guide, "Creating a final backup".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
)
from finops_operator.plugins.deletion import removed_at_owner
from finops_operator.plugins.recent_use import METRICS
from finops_operator.plugins.tagging import CALLS, PERMISSION
from finops_operator.services.elasticache.judging.final_snapshot import UNKNOWN_COST, final_snapshot_cost
from finops_operator.services.elasticache.rules.cache_observation import (
    CLUSTERS,
    GROUPS,
    NOT_FOUND,
    deletion_refusals,
    observe_cache,
)
from finops_operator.services.elasticache.rules.final_snapshot import (
    MAKE_SNAPSHOT,
    SNAPSHOTS,
    deleted_after_snapshot,
    final_snapshot,
    has_snapshots,
)

ID: Final = "elasticache_cluster_delete"
_DELETE: Final = "elasticache:DeleteCacheCluster"
_DELETE_GROUP: Final = "elasticache:DeleteReplicationGroup"


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return deletion_refusals(observation, facts)


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    if not has_snapshots(observation.text("engine")):
        return ("What it holds is lost: Memcached has no snapshots.", "Its address does not answer any more.")
    return (
        "The final snapshot stays and is billed by what it holds.",
        "A cache made from it has another address, and no client of the old one finds it.",
        "Automatic snapshots of it are deleted with it.",
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    kept = has_snapshots(observation.text("engine"))
    group = bool(observation.text("group"))
    what = "The cache and the group that it is the only node of are" if group else "The cache is"
    return ActWords(
        verb="Delete",
        consequence=f"{what} deleted{' after a final snapshot, which is kept' if kept else ' with all that it holds'}.",
        downtime="Permanent",
        undo=_recovery(kept=kept),
        steps={"delete": "Make a final snapshot and delete the cache" if kept else "Delete the cache"},
        facts=(EvidenceFact("Engine", observation.text("engine") or "not known"),),
    )


def _recovery(*, kept: bool) -> str:
    return "Later: make a cache from the final snapshot." if kept else "It cannot be undone: what it held is lost."


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    snapshot, group = final_snapshot(resource, assumed), str(assumed.get("group") or "")
    call: dict[str, Json] = {"ReplicationGroupId": group} if group else {"CacheClusterId": resource.id}
    if snapshot:
        call["FinalSnapshotIdentifier"] = snapshot
    step = PlanStep("delete", _DELETE_GROUP if group else _DELETE, call)
    return Plan(ID, resource, {}, (step,), dict(assumed))


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    place, _, cluster = plan.resource.arn.partition(":cluster:")
    group = step.parameters.get("ReplicationGroupId")
    deleted = [f"{place}:replicationgroup:{group}", f"{place}:cluster:{cluster}"] if group else [plan.resource.arn]
    snapshot = step.parameters.get("FinalSnapshotIdentifier")
    kept = [f"{place}:snapshot:{snapshot}"] if snapshot else []
    actions = [step.operation, *([MAKE_SNAPSHOT] if snapshot else [])]
    return ({"Effect": "Allow", "Action": [*actions], "Resource": [*deleted, *kept]},)


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"elasticache-cluster"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="make a cache from the final snapshot; it has another address, and Memcached has no snapshot",
    effort=Effort.LOW,
    permissions=(_DELETE, _DELETE_GROUP, MAKE_SNAPSHOT),
    read_permissions=(CLUSTERS, GROUPS, SNAPSHOTS, PERMISSION, METRICS),
    observe=observe_cache,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=deleted_after_snapshot("The cache"),
    statements=_statements,
    rights=Rights(
        narrowed=(
            {
                "Sid": "DeleteGroupsOfOneNode",
                "Effect": "Allow",
                "Action": _DELETE_GROUP,
                "Resource": "arn:*:elasticache:*:*:replicationgroup:*",
            },
        ),
        further=(
            {
                "Sid": "KeepFinalCacheSnapshots",
                "Effect": "Allow",
                "Action": [_DELETE, _DELETE_GROUP, MAKE_SNAPSHOT],
                "Resource": "arn:*:elasticache:*:*:snapshot:finops-final-*",
            },
            {
                "Sid": "KeepFinalSnapshotsOfGroups",
                "Effect": "Allow",
                "Action": MAKE_SNAPSHOT,
                "Resource": "arn:*:elasticache:*:*:replicationgroup:*",
            },
        ),
        calls=CALLS,
    ),
    calls=CallRules(repeated=NOT_FOUND | {"InvalidCacheClusterState", "InvalidReplicationGroupState"}),
    at_owner=removed_at_owner("aws_elasticache_cluster"),
    remaining_cost=final_snapshot_cost,
    remaining_unknown=UNKNOWN_COST,
    sample=ActSample(assumed={"createdAt": "2026-01-01T00:00:00+00:00", "engine": "redis", "group": ""}),
)
