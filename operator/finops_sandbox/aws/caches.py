"""Caches that the double holds itself: clusters, groups of one or more nodes, and the snapshots that deletions leave.

Source: ElastiCache API reference, DeleteCacheCluster and DeleteReplicationGroup: InvalidCacheClusterState for a node of
a group and for what is not available, InvalidReplicationGroupState for a member of a Global Datastore,
SnapshotAlreadyExistsFault, SnapshotFeatureNotSupportedFault for Memcached. A final snapshot is made before anything is
deleted. Moto has no such deletion.
"""

from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldCall, HeldResource, HeldSpec

_KIND, _GROUP, _SNAPSHOT = "elasticache-cluster", "elasticache-group", "elasticache-snapshot"
_AVAILABLE, _DELETING = "available", "deleting"


def _arn(account: str, region: str, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{region}:{account}:{kind}:{name}"


def _make(account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    described: dict[str, Any] = {
        "CacheClusterId": spec.name,
        "ARN": _arn(account, region, "cluster", spec.name),
        "CacheClusterStatus": _AVAILABLE,
        "CacheClusterCreateTime": created,
        "CacheNodeType": "cache.m6g.large",
        "Engine": "valkey",
        "EngineVersion": "8.1.0",
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": f"{region}a",
        "SnapshotRetentionLimit": 0,
        "PendingModifiedValues": {},
        **spec.members,
    }
    return HeldResource(_KIND, spec.name, described)


def _make_group(account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    described: dict[str, Any] = {
        "ReplicationGroupId": spec.name,
        "ARN": _arn(account, region, "replicationgroup", spec.name),
        "Status": _AVAILABLE,
        "ReplicationGroupCreateTime": created,
        "MemberClusters": [f"{spec.name}-001"],
        "PendingModifiedValues": {},
        **spec.members,
    }
    return HeldResource(_GROUP, spec.name, described)


def _clusters(call: HeldCall) -> dict[str, Any]:
    name = call.parameters.get("CacheClusterId")
    found = [call.find(_KIND, str(name), "CacheClusterNotFound", 404)] if name else call.of(_KIND)
    return {"CacheClusters": [one.described for one in found]}


def _groups(call: HeldCall) -> dict[str, Any]:
    name = call.parameters.get("ReplicationGroupId")
    found = [call.find(_GROUP, str(name), "ReplicationGroupNotFoundFault", 404)] if name else call.of(_GROUP)
    return {"ReplicationGroups": [one.described for one in found]}


def _snapshots(call: HeldCall) -> dict[str, Any]:
    return {"Snapshots": [one.described for one in call.of(_SNAPSHOT)]}


def _delete(call: HeldCall) -> dict[str, Any]:
    one = call.find(_KIND, str(call.parameters["CacheClusterId"]), "CacheClusterNotFound", 404)
    if one.described.get("ReplicationGroupId"):
        message = "Cache cluster is a member of a replication group and cannot be deleted on its own."
        raise AwsError("InvalidCacheClusterState", message)
    if one.described["CacheClusterStatus"] != _AVAILABLE:
        message = f"Cache cluster {one.name} is not in available state."
        raise AwsError("InvalidCacheClusterState", message)
    _take_snapshot(call, one, str(one.described["Engine"]))
    _leave(call, one, "CacheClusterStatus")
    return {"CacheCluster": one.described}


def _delete_group(call: HeldCall) -> dict[str, Any]:
    group = call.find(_GROUP, str(call.parameters["ReplicationGroupId"]), "ReplicationGroupNotFoundFault", 404)
    if group.described["Status"] != _AVAILABLE:
        raise AwsError("InvalidReplicationGroupState", f"Replication group {group.name} is not in available state.")
    if (group.described.get("GlobalReplicationGroupInfo") or {}).get("GlobalReplicationGroupId"):
        message = "Replication group is a member of a global datastore and cannot be deleted."
        raise AwsError("InvalidReplicationGroupState", message)
    members = [call.resources[_KIND, str(name)] for name in group.described["MemberClusters"]]
    _take_snapshot(call, group, str(members[0].described["Engine"]))
    _leave(call, group, "Status")
    for one in members:
        _leave(call, one, "CacheClusterStatus")
    return {"ReplicationGroup": group.described}


def _take_snapshot(call: HeldCall, source: HeldResource, engine: str) -> None:
    name = call.parameters.get("FinalSnapshotIdentifier")
    if not name:
        return
    if engine == "memcached":
        raise AwsError("SnapshotFeatureNotSupportedFault", "Memcached does not support snapshots.")
    if (_SNAPSHOT, str(name)) in call.resources:
        raise AwsError("SnapshotAlreadyExistsFault", f"A snapshot named {name} already exists.")
    described = {"SnapshotName": str(name), "SnapshotStatus": "creating", "SnapshotSource": "manual"}
    of = "ReplicationGroupId" if source.kind == _GROUP else "CacheClusterId"
    snapshot = HeldResource(_SNAPSHOT, str(name), {**described, of: source.name})
    snapshot.due = (call.clock.now() + timedelta(seconds=call.seconds), _complete)
    call.resources[_SNAPSHOT, str(name)] = snapshot


def _complete(snapshot: HeldResource) -> bool:
    snapshot.described["SnapshotStatus"] = _AVAILABLE
    return True


def _leave(call: HeldCall, one: HeldResource, state: str) -> None:
    one.described[state] = _DELETING
    one.due = (call.clock.now() + timedelta(seconds=2 * call.seconds), lambda _: False)


FAMILY = Family(
    kinds={_KIND: _make, _GROUP: _make_group},
    handlers={
        "elasticache:DescribeCacheClusters": _clusters,
        "elasticache:DescribeReplicationGroups": _groups,
        "elasticache:DescribeSnapshots": _snapshots,
        "elasticache:DeleteCacheCluster": _delete,
        "elasticache:DeleteReplicationGroup": _delete_group,
    },
)
