"""The acts that the tests of this folder walk: action, resource, parameters, and what AWS must have been changed by."""

from __future__ import annotations

from typing import Any

from tests.support.act_world import ACCOUNT, LONGEST_NAME, REGION, reference

from finops.domain.recommendation import ResourceRef
from finops_sandbox.aws.balancers import identity
from finops_sandbox.aws.estate import resource_id

_KINDS = {
    "old-data": "ebs-volume",
    "parked/1": "ebs-volume",
    "left-over": "elastic-ip",
    "of-gone-volume": "ebs-snapshot",
    "unused": "nat-gateway",
    "golden": "ami",
    **dict.fromkeys(("application", "audit-trail", LONGEST_NAME), "log-group"),
    **dict.fromkeys(("reports", "yearly"), "rds-instance"),
    **dict.fromkeys(("shop", "shop-of-last-year"), "rds-cluster"),
    "orders": "dynamodb-table",
    "main/web": "ecs-service",
    **dict.fromkeys(("finops-tests-media", "finops-tests-empty"), "s3-bucket"),
    "snapshot:before-upgrade": "rds-snapshot",
    "thumbnails": "lambda-function",
    "left-behind": "load-balancer",
    "workers": "auto-scaling-group",
    "sessions": "elasticache-cluster",
    "carts": "elasticache-replication-group",
    "search-of-last-year": "opensearch-domain",
    "main/nodes": "eks-nodegroup",
}
"""Kinds of the estate's resources by name; all others are instances."""


def find(name: str) -> ResourceRef:
    """Return the estate's resource of a name."""
    kind = _KINDS.get(name, "ec2-instance")
    words = {
        "ebs-volume": "volume",
        "ec2-instance": "instance",
        "elastic-ip": "address",
        "nat-gateway": "nat-gateway",
        "ebs-snapshot": "snapshot",
        "ami": "image",
    }
    if kind == "load-balancer":
        return reference(kind, identity(name))
    return reference(kind, resource_id(words[kind], ACCOUNT, REGION, name) if kind in words else name)


CASES: dict[str, tuple[str, dict[str, Any], dict[str, int]]] = {
    "ec2_instance_stop": ("web", {}, {"StopInstances": 1}),
    "ec2_instance_start": ("parked", {}, {"StartInstances": 1}),
    "ec2_instance_resize": (
        "web",
        {"instanceType": "m5.large"},
        {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1},
    ),
    "ebs_volume_modify": (
        "old-data",
        {"volumeType": "gp3", "iops": 3000, "throughput": 125},
        {"ModifyVolume": 1},
    ),
    "ebs_volume_delete": ("old-data", {"snapshotExpiryDays": 90}, {"CreateSnapshot": 2, "DeleteVolume": 1}),
    "ebs_volume_detach_delete": (
        "parked/1",
        {
            "instanceId": resource_id("instance", ACCOUNT, REGION, "parked"),
            "device": "/dev/sdf",
            "snapshotExpiryDays": 90,
        },
        {"CreateSnapshot": 2, "DetachVolume": 1, "DeleteVolume": 1},
    ),
    "ebs_snapshot_delete": ("of-gone-volume", {}, {"DeleteSnapshot": 1}),
    "elastic_ip_release": ("left-over", {}, {"ReleaseAddress": 1}),
    "image_deregister": ("golden", {}, {"DeregisterImage": 1}),
    "nat_gateway_delete": ("unused", {}, {"DeleteNatGateway": 1}),
    "load_balancer_delete": ("left-behind", {}, {"DeleteLoadBalancer": 1}),
    "auto_scaling_group_resize": ("workers", {"size": "1/1/4"}, {"UpdateAutoScalingGroup": 1}),
    "eks_nodegroup_resize": ("main/nodes", {"size": "1/1/4"}, {"UpdateNodegroupConfig": 1}),
    "elasticache_cluster_delete": ("sessions", {}, {"DeleteCacheCluster": 1}),
    "elasticache_replication_group_delete": ("carts", {}, {"DeleteReplicationGroup": 1}),
    "opensearch_domain_delete": ("search-of-last-year", {"snapshot": "backups/last-year"}, {"DeleteDomain": 1}),
    "log_group_set_retention": ("application", {"retentionInDays": 90}, {"PutRetentionPolicy": 1}),
    "rds_instance_stop": ("reports", {}, {"StopDBInstance": 1}),
    "rds_instance_start": ("yearly", {}, {"StartDBInstance": 1}),
    "rds_instance_delete": ("yearly", {}, {"DeleteDBInstance": 1}),
    # At once: in its window nothing is there yet for its watch to read.
    "rds_instance_resize": ("reports", {"dbInstanceClass": "db.m5.xlarge", "apply": "now"}, {"ModifyDBInstance": 1}),
    "rds_cluster_stop": ("shop", {}, {"StopDBCluster": 1}),
    "rds_cluster_start": ("shop-of-last-year", {}, {"StartDBCluster": 1}),
    "rds_snapshot_delete": ("snapshot:before-upgrade", {}, {"DeleteDBSnapshot": 1}),
    "s3_bucket_set_lifecycle": (
        "finops-tests-media",
        {"abortUploadsAfterDays": 7},
        {"PutBucketLifecycleConfiguration": 1},
    ),
    "dynamodb_table_set_mode": ("orders", {"billingMode": "PAY_PER_REQUEST"}, {"UpdateTable": 1}),
    "lambda_function_set_memory": ("thumbnails", {"memoryMb": 256}, {"UpdateFunctionConfiguration": 1}),
    "ecs_service_set_desired_count": ("main/web", {"desiredCount": 0}, {"UpdateService": 1}),
}
