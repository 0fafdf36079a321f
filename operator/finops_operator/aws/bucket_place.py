"""Which bucket keeps the ledger, how it is written, and with which rights; needs no SDK, as an approver has none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from finops.errors import InvalidInput
from finops.settings import Settings, variable_of

BUCKET_PERMISSIONS: Final = ("s3:GetBucketObjectLockConfiguration", "s3:ListBucketVersions")
"""What is called on the bucket."""
OBJECT_PERMISSIONS: Final = (
    "s3:GetObjectRetention",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:PutObjectRetention",
)
"""What is called on its objects; nothing deletes one, and nothing shortens how long it is kept."""

_SCHEME: Final = "s3://"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 user guide, "General purpose bucket naming rules"; what AWS refuses besides, it says itself."""


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """Which bucket, and how it is written.

    Attributes:
        bucket: its name.
        prefix: with which the names of all objects begin; empty, or ending in a slash.
        region: of the bucket; empty: that of the SDK's own configuration.
        role_arn: role that is assumed for it; empty: the process's own identity.
        mode: `COMPLIANCE` or `GOVERNANCE`.
        days: for how long each object is locked; 0: for as long as the bucket's default retention says.
    """

    bucket: str
    prefix: str = ""
    region: str = ""
    role_arn: str = ""
    mode: str = "COMPLIANCE"
    days: int = 0

    @property
    def url(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}"


def bucket_of(settings: Settings) -> BucketPlace | None:
    """Return where the settings say that the ledger is kept, None when they name no bucket.

    Raises:
        InvalidInput: what they name is no bucket.
    """
    if not settings.ledger_s3:
        return None
    bucket, prefix = bucket_and_prefix(settings.ledger_s3, variable_of("ledger_s3"))
    return BucketPlace(
        bucket,
        prefix,
        region=settings.ledger_s3_region,
        role_arn=settings.ledger_s3_role_arn,
        mode=settings.ledger_s3_mode.upper(),
        days=settings.ledger_s3_retention_days,
    )


def bucket_and_prefix(url: str, field: str) -> tuple[str, str]:
    """Return the two of `s3://BUCKET/PREFIX`; the prefix is a folder, with or without a slash at its end.

    Raises:
        InvalidInput: it is no such address; `field` names where it stood.
    """
    bucket, _, prefix = url.removeprefix(_SCHEME).partition("/")
    if not url.startswith(_SCHEME) or not _BUCKET.fullmatch(bucket):
        raise InvalidInput(f"{url!r} is no address of a bucket", field=field, hint="use s3://BUCKET/PREFIX")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""
