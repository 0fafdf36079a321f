"""IAM's name of the permission that a call needs, where the SDK calls the service or the operation otherwise.

Pure; used for the hint of a denial, which many services word without naming what is missing. Source: Service
Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PREFIXES: Final[Mapping[str, str]] = {
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
"""The SDK's name of a service → IAM's."""
_PERMISSIONS: Final[Mapping[str, str]] = {
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
}
"""Calls whose permission has another name."""


def permission_of(operation: str) -> str:
    """Return the permission of a call: `elasticloadbalancing:DescribeRules` of `elbv2:DescribeRules`."""
    service, _, call = operation.partition(":")
    return _PERMISSIONS.get(operation) or f"{_PREFIXES.get(service, service)}:{call}"
