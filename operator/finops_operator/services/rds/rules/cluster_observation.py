"""An Aurora cluster as the actions on it see it: facts, fingerprint, the end of an act in words.

A cluster and its members change their states apart: one that AWS calls available may still have members that start.
So both are read, and an act is complete only when they agree. Source: Amazon RDS API reference, DescribeDBClusters,
DescribeDBInstances and DescribeBlueGreenDeployments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.pausing import Pausable
from finops_operator.services.rds.rules.deployments import FACT, deployed
from finops_operator.services.rds.rules.members import OPERATION as READ_MEMBERS
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import AVAILABLE, DOWN, STOPPED

READ: Final = "rds:DescribeDBClusters"
STOP: Final = "rds:StopDBCluster"
START: Final = "rds:StartDBCluster"
REPEATED: Final = frozenset({"InvalidDBClusterStateFault", "InvalidDBInstanceState"})
"""AWS refuses a stop and a start in the wrong state of the cluster or of a member, also one that is repeated."""
_GONE: Final = frozenset({"DBClusterNotFoundFault", "DBClusterNotFound"})
_FACTS: Final = (
    "Engine",
    "EngineMode",
    "ClusterScalabilityType",
    "GlobalClusterIdentifier",
    "ReplicationSourceIdentifier",
    "ReadReplicaIdentifiers",
)
_NEXT_TO_AVAILABLE: Final = frozenset({AVAILABLE, "backing-up", "maintenance", "modifying", "upgrading"})
"""States of a member beside a cluster that works: AWS maintains each by itself."""


def observe_cluster(reader: Reader, target: Target) -> Observation:
    """Read the cluster and its members. Facts: `state`, `members` (name → state), `tags`, AWS's words under `cluster`.

    With `target.full` also `deployed`: whether a blue/green deployment has it as source or as target.

    Raises:
        AwsError: as the reader; a cluster that does not exist is an observation.
    """
    try:
        answer = reader.read(READ, {"DBClusterIdentifier": target.resource.id})
    except AwsRejected as error:
        if error.code in _GONE:
            return Observation(exists=False)
        raise
    described: Mapping[str, Any] | None = next(iter(answer.get("DBClusters", ())), None)
    if described is None:
        return Observation(exists=False)
    members = _members(reader, target.resource.id)
    return _seen(described, members, deployed(reader, target.resource.arn) if target.full else None)


def _members(reader: Reader, name: str) -> dict[str, Mapping[str, Any]]:
    answer = reader.read(READ_MEMBERS, {"Filters": [{"Name": "db-cluster-id", "Values": [name]}]})
    return {
        str(one["DBInstanceIdentifier"]): one
        for one in answer.get("DBInstances", ())
        if one.get("DBClusterIdentifier") == name
    }


def _seen(described: Mapping[str, Any], members: Mapping[str, Mapping[str, Any]], in_deployment: Json) -> Observation:
    named = tags_of({"Tags": described.get("TagList")})
    cluster: dict[str, Json] = {name: described[name] for name in _FACTS if name in described}
    cluster["PendingModifiedValues"] = sorted(described.get("PendingModifiedValues") or {})
    cluster["members"] = len(described.get("DBClusterMembers") or ())
    states: dict[str, Json] = {name: str(one.get("DBInstanceStatus") or "") for name, one in members.items()}
    classes: dict[str, Json] = {name: str(one.get("DBInstanceClass") or "") for name, one in members.items()}
    facts: dict[str, Json] = {
        "state": str(described.get("Status") or ""),
        "resourceId": str(described.get("DbClusterResourceId") or ""),
        "members": states,
        "tags": dict(named),
        "cluster": cluster,
        **({} if in_deployment is None else {FACT: in_deployment}),
    }
    fingerprint = {
        "state": str(facts["state"]),
        # A cluster that was deleted and made anew under the same name has another one.
        "resourceId": str(facts["resourceId"]),
        "members": sha256_hex(classes)[:16],
        "tags": sha256_hex(dict(named))[:16],
    }
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


def cluster(observation: Observation) -> Mapping[str, Any]:
    """Return AWS's description of the cluster, empty when there is none."""
    found = observation.facts.get("cluster")
    return found if isinstance(found, Mapping) else {}


def members(observation: Observation) -> Mapping[str, str]:
    """Return the state of each member, by its name."""
    found = observation.facts.get("members")
    return {str(name): str(state) for name, state in found.items()} if isinstance(found, Mapping) else {}


def _members_follow(_plan: Plan, now: Observation) -> bool:
    wanted = frozenset({STOPPED}) if now.text("state") == STOPPED else _NEXT_TO_AVAILABLE
    return all(state in wanted for state in members(now).values())


CLUSTER: Final = Pausable(
    noun="cluster",
    parameter="DBClusterIdentifier",
    stop=STOP,
    start=START,
    restarted_after=RESTARTED_AFTER,
    settle=120.0,
    # AWS names no limit, and a cluster of many members takes long.
    longest=timedelta(hours=2).total_seconds(),
    down=DOWN,
    up=frozenset({"starting", *_NEXT_TO_AVAILABLE}),
    parts=_members_follow,
)


def found_cluster(_plan: Plan, now: Observation) -> str:
    """Return what is there now, in a sentence."""
    if not now.exists:
        return "The cluster does not exist any more."
    states = sorted(set(members(now).values()))
    return f"The cluster is {now.text('state')}, its members are {', '.join(states) or 'none'}."
