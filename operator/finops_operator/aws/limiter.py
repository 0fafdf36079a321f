"""How fast we may call which service: by default half of AWS's figures; the rest stays the customer's.

The reader takes from these buckets before every request. Without a store (`finops doctor`, tests) `LocalRateLimits`
keeps them in the process. Where AWS publishes no figure a cautious one stands in: a service is never asked without a
limit. Sources, pages of docs.aws.amazon.com as they stood in 2026:

- EC2, ec2/latest/devguide/ec2-api-throttling: non-mutating calls 100 tokens, 20 a second.
- CloudWatch, AmazonCloudWatch/latest/monitoring/cloudwatch_limits: GetMetricData 500 a second and 396,000 datapoints a
  second when the window starts more than three hours ago; ListMetrics 25, DescribeAlarms 9 a second.
- Elastic Load Balancing, elasticloadbalancing/latest/userguide/elb-api-throttling: non-mutating calls 40 tokens, 10 a
  second; each of the two APIs has buckets of its own.
- Lambda, lambda/latest/dg/gettingstarted-limits: GetFunction 100 a second, all other calls of the control plane 15
  together.
- Route 53, Route53/latest/DeveloperGuide/DNSLimitations: 5 a second for the whole account. A newer page,
  throttling-api-requests, speaks of 10; the lower one stands.
- Kinesis, streams/latest/dev/service-sizes-and-limits: ListStreams and ListTagsForStream 5, DescribeStreamSummary 20 a
  second.
- CloudWatch Logs, AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl: DescribeLogGroups 10, DescribeLogStreams 25,
  ListTagsForResource, DescribeMetricFilters and DescribeSubscriptionFilters 5 a second.
- STS, IAM/latest/UserGuide/reference_iam-quotas: 600 a second, shared by AssumeRole, GetCallerIdentity and four others.
- ECS, AmazonECS/latest/developerguide/request-throttling: DescribeServices and ListServices 20 a second.
- SageMaker, general/latest/gr/sagemaker: DescribeEndpoint and DescribeEndpointConfig 5 a second.
- KMS, kms/latest/developerguide/requests-per-second: DescribeKey 100, GetKeyLastUsage 5 a second.
- Price List, Resource Groups Tagging, Service Quotas: each from its own reference.
- RDS, Auto Scaling, S3, ElastiCache and the others publish none for their listing calls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.ports.limits import Bucket


@dataclass(frozen=True, slots=True)
class Quota:
    """Burst and tokens per second."""

    burst: float
    per_second: float


DATAPOINTS: Final = "cloudwatch:datapoints"
"""The name of CloudWatch's budget of points, from which a request draws beside its own bucket."""
OTHERS: Final = "*"
"""The name of the figure for services that are not named."""

PUBLISHED: Final[Mapping[str, Quota]] = {
    "ec2": Quota(100, 20),
    "cloudwatch:GetMetricData": Quota(500, 500),
    "cloudwatch:ListMetrics": Quota(25, 25),
    "cloudwatch:DescribeAlarms": Quota(9, 9),
    DATAPOINTS: Quota(396_000, 396_000),
    "ecs:DescribeServices": Quota(20, 20),
    "ecs:ListServices": Quota(20, 20),
    "elb": Quota(40, 10),
    "elbv2": Quota(40, 10),
    "kinesis:DescribeStreamSummary": Quota(20, 20),
    "kinesis:ListStreams": Quota(5, 5),
    "kinesis:ListTagsForStream": Quota(5, 5),
    "kms:DescribeKey": Quota(100, 100),
    "kms:GetKeyLastUsage": Quota(5, 5),
    "lambda": Quota(15, 15),
    "lambda:GetFunction": Quota(100, 100),
    "logs:DescribeLogGroups": Quota(10, 10),
    "logs:DescribeLogStreams": Quota(25, 25),
    "logs:DescribeMetricFilters": Quota(5, 5),
    "logs:DescribeSubscriptionFilters": Quota(5, 5),
    "logs:ListTagsForResource": Quota(5, 5),
    "pricing": Quota(10, 5),
    "resourcegroupstaggingapi": Quota(15, 15),
    "route53": Quota(5, 5),
    "sagemaker:DescribeEndpoint": Quota(5, 5),
    "sagemaker:DescribeEndpointConfig": Quota(5, 5),
    "service-quotas": Quota(5, 5),
    "sts": Quota(600, 600),
    OTHERS: Quota(20, 10),
}
"""AWS's own figures by `service:Operation`, else by service (as the SDK names its client), and ours for all others."""


def share_of_published(percent: int) -> Mapping[str, Quota]:
    """Return `percent` of each published quota, and of what is assumed where none is published."""
    return {
        name: Quota(quota.burst * percent / 100, quota.per_second * percent / 100) for name, quota in PUBLISHED.items()
    }


OURS: Final[Mapping[str, Quota]] = share_of_published(50)
"""What scans use by default."""


def bucket_for(account: str, region: str, operation: str, quotas: Mapping[str, Quota] = OURS) -> Bucket:
    """Return the bucket that `operation` (`service:Operation`) draws from.

    Operations without a figure of their own share their service's bucket; services without one have one each.

    Args:
        account: whose quota it is.
        region: where the request goes.
        operation: what is asked.
        quotas: the figures; `OTHERS` among them.
    """
    service = operation.partition(":")[0]
    name = operation if operation in quotas else service
    quota = quotas.get(name) or quotas[OTHERS]
    return Bucket(account, region, name, quota.burst, quota.per_second)


@dataclass(slots=True)
class _Level:
    level: float
    at: float
    factor: float = 1.0


class LocalRateLimits:
    """RateLimits of one process; the same arithmetic as the shared ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, str, str], _Level] = {}

    def take(self, bucket: Bucket, tokens: float = 1.0) -> float:
        with self._lock:
            row = self._refilled(bucket)
            row.factor = min(1.0, row.factor + 0.02)
            row.level -= tokens
            return 0.0 if row.level >= 0 else -row.level / (bucket.refill * row.factor)

    def throttled(self, bucket: Bucket) -> None:
        with self._lock:
            row = self._refilled(bucket)
            row.factor = max(0.25, row.factor / 2)
            row.level = min(row.level, 0.0)

    def _refilled(self, bucket: Bucket) -> _Level:
        now = time.monotonic()
        key = (bucket.account, bucket.region, bucket.service)
        row = self._levels.setdefault(key, _Level(bucket.capacity, now))
        row.level = min(bucket.capacity, row.level + (now - row.at) * bucket.refill * row.factor)
        row.at = now
        return row
