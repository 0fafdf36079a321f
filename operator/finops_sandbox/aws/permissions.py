"""Rights of calls to services that the strict layer does not know: IAM action and ARN, from what the call names.

Source: service authorization reference, of each service. What a call names by an ARN, or by a name whose ARN has a
known form, is judged on that ARN; any other call on ``*``, which only a statement for all resources allows. Tags of
these resources are not known here: an Allow that asks for one does not match.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from finops_sandbox.aws.node_groups import node_group_arn
from finops_sandbox.aws.scaling_groups import group_arn

# Operations whose right has another name.
_RIGHTS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketAnalyticsConfiguration": "s3:GetAnalyticsConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketIntelligentTieringConfiguration": "s3:GetIntelligentTieringConfiguration",
    "s3:GetBucketInventoryConfiguration": "s3:GetInventoryConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketMetricsConfiguration": "s3:GetMetricsConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBucketAnalyticsConfigurations": "s3:GetAnalyticsConfiguration",
    "s3:ListBucketIntelligentTieringConfigurations": "s3:GetIntelligentTieringConfiguration",
    "s3:ListBucketInventoryConfigurations": "s3:GetInventoryConfiguration",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:UploadPart": "s3:PutObject",
    "s3:UploadPartCopy": "s3:PutObject",
}
# Rights that have another name when a call names the version of an object.
_OF_VERSIONS = {"s3:DeleteObject": "s3:DeleteObjectVersion", "s3:GetObject": "s3:GetObjectVersion"}
# Services whose rights begin otherwise than the name in their signature.
_PREFIXES = {"tagging": "tag"}
# Parameter → what follows account and region in the ARN.
_NAMED = {
    "dynamodb": {"TableName": "table/{}"},
    "elasticache": {
        "CacheClusterId": "cluster:{}",
        "FinalSnapshotIdentifier": "snapshot:{}",
        "ReplicationGroupId": "replicationgroup:{}",
    },
    "es": {"DomainName": "domain/{}"},
    "elasticloadbalancing": {"LoadBalancerName": "loadbalancer/{}"},
    "lambda": {"FunctionName": "function:{}"},
    # IAM judges calls about a log group on the ARN of its streams, none of them named.
    "logs": {"logGroupName": "log-group:{}:log-stream:"},
    "rds": {
        "DBClusterIdentifier": "cluster:{}",
        "DBClusterSnapshotIdentifier": "cluster-snapshot:{}",
        "DBInstanceIdentifier": "db:{}",
        "DBSnapshotIdentifier": "snapshot:{}",
    },
}


def needed(
    service: str, action: str, account: str, region: str, parameters: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Every (IAM action, ARN) that must be allowed for a call."""
    right = f"{_PREFIXES.get(service, service)}:{action}"
    right = _RIGHTS.get(right, right)
    if service == "s3":
        return list(_s3(right, parameters))
    arns = sorted(set(_arns(parameters)) | set(_from_names(service, account, region, parameters)))
    found = [(right, arn) for arn in arns] or [(right, "*")]
    return [*found, *_of_final_snapshots(right, parameters, account, region, arns)]


def _of_final_snapshots(
    right: str, parameters: Mapping[str, Any], account: str, region: str, arns: list[str]
) -> list[tuple[str, str]]:
    """A deletion that leaves a snapshot needs the right to make one as well."""
    if right == "rds:DeleteDBInstance" and parameters.get("FinalDBSnapshotIdentifier"):
        snapshot = f"arn:aws:rds:{region}:{account}:snapshot:{parameters['FinalDBSnapshotIdentifier']}"
        return [("rds:CreateDBSnapshot", arn) for arn in (*arns, snapshot)]
    if right.startswith("elasticache:") and parameters.get("FinalSnapshotIdentifier"):
        return [("elasticache:CreateSnapshot", arn) for arn in arns]
    return []


def _s3(right: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    bucket, key = parameters.get("Bucket"), parameters.get("Key")
    if right == "s3:DeleteObject" and not key:
        # Many keys at once: the body is not read, so all objects of the bucket must be allowed.
        key = "*"
    if key and parameters.get("VersionId"):
        right = _OF_VERSIONS.get(right, right)
    arn = "*" if not bucket else f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    yield right, arn
    if right == "s3:PutObject" and parameters.get("ObjectLockMode"):
        yield "s3:PutObjectRetention", arn
    if str(parameters.get("BypassGovernanceRetention", "")).lower() == "true":
        yield "s3:BypassGovernanceRetention", arn
    if source := parameters.get("CopySource"):
        yield "s3:GetObject", f"arn:aws:s3:::{str(source).lstrip('/').partition('?')[0]}"


def _from_names(service: str, account: str, region: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    if service == "ecs" and parameters.get("cluster") and isinstance(parameters.get("service"), str):
        # The right is judged on the service, whichever way a call names it and its cluster.
        cluster, name = (str(parameters[one]).rpartition("/")[2] for one in ("cluster", "service"))
        yield f"arn:aws:ecs:{region}:{account}:service/{cluster}/{name}"
    if service == "autoscaling" and isinstance(parameters.get("AutoScalingGroupName"), str):
        # The ARN has an id that no call names; a group of the estate has one that follows from its name.
        yield group_arn(account, region, str(parameters["AutoScalingGroupName"]))
    if service == "eks" and parameters.get("nodegroupName"):
        yield node_group_arn(account, region, f"{parameters['clusterName']}/{parameters['nodegroupName']}")
    if service == "logs":
        for group in parameters.get("logGroupNames") or ():
            yield f"arn:aws:logs:{region}:{account}:{_NAMED['logs']['logGroupName'].format(group)}"
    for name, form in _NAMED.get(service, {}).items():
        value = parameters.get(name)
        if isinstance(value, str) and value and not value.startswith("arn:"):
            yield f"arn:aws:{service}:{region}:{account}:{form.format(value)}"


def _arns(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("arn:"):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _arns(item)
    elif isinstance(value, list):
        for item in value:
            yield from _arns(item)
