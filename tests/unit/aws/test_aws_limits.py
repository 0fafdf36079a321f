"""Token buckets of one process: our half of AWS's figures, slower after throttling, and back again."""

from __future__ import annotations

import pytest

from finops.ports.limits import Bucket
from finops_operator.aws.limiter import PUBLISHED, LocalRateLimits, bucket_for, share_of_published


def test_we_take_half_of_what_aws_publishes() -> None:
    bucket = bucket_for("111111111111", "us-east-1", "ec2:DescribeVolumes")
    assert bucket == Bucket("111111111111", "us-east-1", "ec2", 50.0, 10.0)


def test_operations_with_a_quota_of_their_own_have_a_bucket_of_their_own() -> None:
    listing = bucket_for("1", "r", "cloudwatch:ListMetrics")
    reading = bucket_for("1", "r", "cloudwatch:GetMetricData")
    assert (listing.refill, reading.refill) == (12.5, 250.0)
    assert listing.service != reading.service


@pytest.mark.parametrize("operation", ["rds:DescribeDBInstances", "autoscaling:DescribeAutoScalingGroups", "new:List"])
def test_a_service_without_published_figures_gets_cautious_ones_and_a_bucket_of_its_own(operation: str) -> None:
    service = operation.partition(":")[0]
    assert bucket_for("1", "r", operation) == Bucket("1", "r", service, 10.0, 5.0)


@pytest.mark.parametrize("percent", [1, 50, 400])
def test_no_operation_is_ever_unlimited(percent: int) -> None:
    for operation in (*PUBLISHED, "sts:AssumeRole", "s3:ListBuckets"):
        bucket = bucket_for("1", "r", operation, share_of_published(percent))
        assert bucket.capacity > 0
        assert bucket.refill > 0


@pytest.mark.parametrize(
    ("operation", "published"),
    [
        ("logs:DescribeLogGroups", 10),
        ("logs:ListTagsForResource", 5),
        ("sagemaker:DescribeEndpoint", 5),
        ("ecs:DescribeServices", 20),
        ("route53:ListHealthChecks", 5),
        ("kinesis:ListStreams", 5),
    ],
)
def test_an_operation_is_never_asked_faster_than_aws_publishes(operation: str, published: float) -> None:
    whole = bucket_for("1", "r", operation, share_of_published(100))
    assert (whole.capacity, whole.refill) == (published, published)


def test_operations_that_share_a_quota_share_a_bucket() -> None:
    assert bucket_for("1", "r", "lambda:ListFunctions") == bucket_for("1", "r", "lambda:ListTags")
    assert bucket_for("1", "r", "lambda:GetFunction") != bucket_for("1", "r", "lambda:ListTags")


def test_a_full_bucket_serves_its_burst_at_once_and_then_makes_wait_in_turn() -> None:
    limits, bucket = LocalRateLimits(), Bucket("1", "r", "ec2", 3.0, 10.0)
    waits = [limits.take(bucket) for _ in range(5)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert 0 < waits[3] <= 0.1
    assert 0.1 < waits[4] <= 0.2


def test_throttling_halves_the_speed() -> None:
    limits, bucket = LocalRateLimits(), Bucket("1", "r", "ec2", 3.0, 10.0)
    limits.throttled(bucket)
    assert limits.take(bucket) == pytest.approx(1 / (10 * 0.52), rel=0.05)


def test_accounts_do_not_share_buckets() -> None:
    limits = LocalRateLimits()
    limits.take(Bucket("1", "r", "ec2", 1.0, 1.0))
    assert limits.take(Bucket("2", "r", "ec2", 1.0, 1.0)) == 0.0


def test_who_had_quotas_raised_may_take_more_of_them() -> None:
    bucket = bucket_for("1", "r", "cloudwatch:datapoints", share_of_published(400))
    assert (bucket.capacity, bucket.refill) == (1_584_000, 1_584_000)
