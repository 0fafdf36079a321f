"""Delete a replication group of several nodes that nobody uses; AWS makes a final snapshot of it first.

All of its shards and replicas go in one call, in which AWS makes the final snapshot of every shard before it deletes
anything; the act has succeeded only when the snapshot can be used and the group is gone. One command on one node within
a week is enough to keep it. A member of a Global Datastore is never deleted, nor a group of which a snapshot is under
way. A deletion that has begun cannot be ended. Source: ElastiCache API reference, DeleteReplicationGroup; user guide,
"Creating a final backup".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
from finops_operator.services.elasticache.rules.cache_observation import CLUSTERS, GROUPS
from finops_operator.services.elasticache.rules.final_snapshot import (
    MAKE_SNAPSHOT,
    SNAPSHOTS,
    deleted_after_snapshot,
    final_snapshot,
)
from finops_operator.services.elasticache.rules.group_observation import NO_GROUP, group_refusals, observe_group

ID: Final = "elasticache_replication_group_delete"
_DELETE: Final = "elasticache:DeleteReplicationGroup"


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return group_refusals(observation, facts)


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "The final snapshot stays and is billed by what it holds.",
        "A group made from it has other addresses, and no client of the old ones finds it.",
        "Automatic snapshots of it are deleted with it.",
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence=f"The group and its {observation.text('nodes')} nodes are deleted after a final snapshot, which is "
        "kept.",
        downtime="Permanent",
        undo="Later: make a group from the final snapshot.",
        steps={"delete": "Make a final snapshot and delete the group with all its nodes"},
        facts=(EvidenceFact("Engine", observation.text("engine") or "not known"),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    call = {"ReplicationGroupId": resource.id, "FinalSnapshotIdentifier": final_snapshot(resource, assumed)}
    return Plan(ID, resource, {}, (PlanStep("delete", _DELETE, call),), dict(assumed))


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    place = plan.resource.arn.partition(":replicationgroup:")[0]
    kept = f"{place}:snapshot:{step.parameters['FinalSnapshotIdentifier']}"
    actions = [step.operation, MAKE_SNAPSHOT]
    return ({"Effect": "Allow", "Action": [*actions], "Resource": [plan.resource.arn, kept]},)


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"elasticache-replication-group"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="make a group from the final snapshot; it has other addresses",
    effort=Effort.MEDIUM,
    permissions=(_DELETE, MAKE_SNAPSHOT),
    read_permissions=(CLUSTERS, GROUPS, SNAPSHOTS, PERMISSION, METRICS),
    observe=observe_group,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=deleted_after_snapshot("The group"),
    statements=_statements,
    rights=Rights(
        further=(
            {
                "Sid": "KeepFinalSnapshotsOfWholeGroups",
                "Effect": "Allow",
                "Action": [_DELETE, MAKE_SNAPSHOT],
                "Resource": "arn:*:elasticache:*:*:snapshot:finops-final-*",
            },
        ),
        calls=CALLS,
    ),
    calls=CallRules(repeated=NO_GROUP | {"InvalidReplicationGroupState"}),
    at_owner=removed_at_owner("aws_elasticache_replication_group"),
    remaining_cost=final_snapshot_cost,
    remaining_unknown=UNKNOWN_COST,
    sample=ActSample(assumed={"createdAt": "2026-01-01T00:00:00+00:00", "engine": "valkey", "nodes": "2"}),
)
