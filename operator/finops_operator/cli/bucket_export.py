"""`finops audit export --from s3://…`: the ledger as its bucket holds it, whatever the store says."""

from __future__ import annotations

import os

from finops.ledger.bucket_sink import exported
from finops.ports.bucket import Stored
from finops.ports.clock import SystemClock
from finops.settings import from_environment
from finops_operator.aws.bucket_place import BucketPlace, bucket_and_prefix
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.locked_bucket import S3Bucket
from finops_operator.aws.session import SdkSessions
from finops_operator.cli.output import note
from finops_operator.cli.stdout import write_bytes


def export_bucket(url: str) -> None:
    """Write the lines of every object to stdout, in order.

    Raises:
        InvalidInput: `url` is no address of a bucket.
        AwsError: S3 refuses a call or does not answer.
        OutputFailed: nobody reads stdout.
    """
    name, prefix = bucket_and_prefix(url, "--from")
    settings = from_environment(os.environ)
    place = BucketPlace(name, prefix, settings.ledger_s3_region, settings.ledger_s3_role_arn)
    bucket = S3Bucket(SdkSessions(CallCounter(), demo=settings.demo), place, SystemClock())

    def touched(stored: Stored) -> None:
        note(f"{bucket.url}{stored.name} was written again or deleted later; this is its first version")

    for content in exported(bucket, touched):
        write_bytes(content)
