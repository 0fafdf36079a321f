"""Buckets with Object Lock on the AWS double, and the ledger's sink on one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from finops.ledger.bucket_sink import BucketSink
from finops.ports.clock import Clock, SystemClock
from finops_operator.aws.bucket_place import BucketPlace
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.locked_bucket import S3Bucket
from finops_operator.aws.session import SdkSessions
from finops_operator.cli.iam_documents import ledger_policy
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.roles import BASE_ACCESS_KEY, BASE_SECRET_KEY, BASE_USER_ARN, base_policy

PREFIX = "team/ledger/"
OWNER_ARN = "arn:aws:iam::111111111111:user/owner"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
ESTATE: dict[str, Any] = {
    "accounts": {"111111111111": {"name": "production"}},
    "users": [
        {
            "arn": BASE_USER_ARN,
            "accessKey": BASE_ACCESS_KEY,
            "secretKey": BASE_SECRET_KEY,
            "policies": [ledger_policy("ledger-*", PREFIX), base_policy()],
        },
        {
            "arn": OWNER_ARN,
            "accessKey": "AKIASANDBOXOWNER0001",
            "secretKey": "sandbox-owner-secret",
            "policies": [_EVERYTHING],
        },
    ],
}
"""The operator has exactly the documented rights to its bucket, and somebody else has all of S3."""


@dataclass
class Buckets:
    """Makes buckets on one double; `s3` is a person who may do everything there."""

    double: AwsDouble
    s3: Any
    made: list[BucketSink] = field(default_factory=list)
    sdk: SdkSessions = field(default_factory=lambda: SdkSessions(CallCounter()))

    def make(self, *, locked: bool = True, default_days: int = 0) -> str:
        """Make a bucket of a new name, versioned and with Object Lock unless said otherwise."""
        name = f"ledger-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
        if default_days:
            retention = {"Mode": "GOVERNANCE", "Days": default_days}
            self.s3.put_object_lock_configuration(
                Bucket=name,
                ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
            )
        return name

    def bucket(self, name: str, *, days: int = 30, role: str = "", clock: Clock | None = None) -> S3Bucket:
        """Return the edge as the operator makes it."""
        place = BucketPlace(name, PREFIX, region="us-east-1", role_arn=role, days=days)
        return S3Bucket(self.sdk, place, clock or SystemClock())

    def sink(self, name: str, *, timeout_seconds: float = 10.0) -> BucketSink:
        """Return a sink that found where the bucket ends, as after a start."""
        sink = BucketSink(self.bucket(name), timeout_seconds=timeout_seconds)
        self.made.append(sink)
        sink.open(lambda _sequence: None, lambda _record: None)
        return sink

    def close(self) -> None:
        """Stop the sinks' threads."""
        for sink in self.made:
            sink.close()
        self.made.clear()

    def keys(self, name: str) -> list[str]:
        """Return the keys of a bucket as everybody lists them."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=name).get("Contents", ())]

    def content(self, name: str) -> bytes:
        """Return the objects one after the other, as a listing and a download give them."""
        return b"".join(self.s3.get_object(Bucket=name, Key=key)["Body"].read() for key in self.keys(name))

    def retention(self, name: str, key: str) -> tuple[str, timedelta]:
        """Return how an object is locked, and for how long from when it was written."""
        found = self.s3.head_object(Bucket=name, Key=key)
        return found["ObjectLockMode"], found["ObjectLockRetainUntilDate"] - found["LastModified"]
