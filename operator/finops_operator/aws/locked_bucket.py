"""A bucket of S3 with Object Lock, in which the ledger keeps its records.

Implements `finops.ports.bucket.LockedBucket` and `LockedObjects`; made by the operator's composition, by `finops audit
export --from` and by `finops doctor`. Every request is sent once: a lost answer is asked about by the ledger, which
finds what it wrote. Sources: S3 API reference, PutObject (`If-None-Match`, `x-amz-object-lock-…`), ListObjectVersions,
GetObjectLockConfiguration, HeadObject, PutObjectRetention.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby
from typing import Any, Final

from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError
from botocore.session import Session

from finops.errors import LedgerUnavailable
from finops.ports.bucket import Stored
from finops.ports.clock import Clock
from finops_operator.aws.assume import assume_role, session_word
from finops_operator.aws.bucket_place import BucketPlace
from finops_operator.aws.errors import SDK_ERRORS, CallContext, translate
from finops_operator.aws.session import SdkSessions, read_config

_TIMEOUT_SECONDS: Final = 5.0
_SESSION_SECONDS: Final = 3600
_DAYS_OF_A_YEAR: Final = 365
_HOME: Final = "us-east-1"
_EXISTS: Final = "PreconditionFailed"
_NO_LOCK: Final = frozenset({"ObjectLockConfigurationNotFoundError", "ObjectLockConfigurationNotFound"})
_MAKE_ONE: Final = "docs/how-to/ledger-in-s3.md says how to make the bucket; S3 can also turn Object Lock on later"


class S3Bucket:
    """Talks to S3 for one prefix of one bucket; thread-safe. Nothing is sent before the first call."""

    def __init__(self, sdk: SdkSessions, place: BucketPlace, clock: Clock) -> None:
        self._sdk = sdk
        self._at = place
        self._clock = clock
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def url(self) -> str:
        return self._at.url

    def check(self) -> None:
        try:
            with self._calling("GetObjectLockConfiguration"):
                answer = self._client().get_object_lock_configuration(Bucket=self._at.bucket)
        except _Answered as error:
            if error.code not in _NO_LOCK:
                raise error.translated from error
            answer = {}
        found: Mapping[str, Any] = answer.get("ObjectLockConfiguration") or {}
        if found.get("ObjectLockEnabled") != "Enabled":
            raise LedgerUnavailable(
                f"Object Lock of the ledger's bucket {self._at.bucket} is off: what is written there can be deleted",
                code="ObjectLockOff",
                hint=_MAKE_ONE,
            )
        if not self._at.days and not (found.get("Rule") or {}).get("DefaultRetention"):
            raise _no_retention(self._at.bucket)

    def period(self) -> timedelta:
        if self._at.days:
            return timedelta(days=self._at.days)
        with self._asking("GetObjectLockConfiguration"):
            answer = self._client().get_object_lock_configuration(Bucket=self._at.bucket)
        rule = (answer["ObjectLockConfiguration"].get("Rule") or {}).get("DefaultRetention") or {}
        days = int(rule.get("Days") or 0) + int(rule.get("Years") or 0) * _DAYS_OF_A_YEAR
        if not days:
            raise _no_retention(self._at.bucket)
        return timedelta(days=days)

    def locked_until(self, stored: Stored) -> datetime | None:
        return self._lock_of(stored)[1]

    def lock_until(self, stored: Stored, until: datetime) -> None:
        # An object keeps its mode: one in compliance mode can have no other, whatever the settings say now.
        mode = self._lock_of(stored)[0] or self._at.mode
        with self._asking("PutObjectRetention"):
            self._client().put_object_retention(
                Bucket=self._at.bucket,
                Key=self._at.prefix + stored.name,
                VersionId=stored.version,
                Retention={"Mode": mode, "RetainUntilDate": until},
                ChecksumAlgorithm="SHA256",
            )

    def _lock_of(self, stored: Stored) -> tuple[str, datetime | None]:
        """Return mode and end of an object's lock; S3 answers nothing of it without `s3:GetObjectRetention`."""
        with self._asking("HeadObject"):
            answer = self._client().head_object(
                Bucket=self._at.bucket, Key=self._at.prefix + stored.name, VersionId=stored.version
            )
        until = answer.get("ObjectLockRetainUntilDate")
        return str(answer.get("ObjectLockMode") or ""), None if until is None else datetime.fromisoformat(str(until))

    def put(self, name: str, content: bytes) -> bool:
        lock: dict[str, Any] = {}
        if self._at.days:
            until = self._clock.now() + timedelta(days=self._at.days)
            lock = {"ObjectLockMode": self._at.mode, "ObjectLockRetainUntilDate": until}
        try:
            with self._calling("PutObject"):
                self._client().put_object(
                    Bucket=self._at.bucket,
                    Key=self._at.prefix + name,
                    Body=content,
                    ContentType="application/x-ndjson",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode("ascii"),
                    IfNoneMatch="*",
                    **lock,
                )
        except _Answered as error:
            if error.code == _EXISTS:
                return False
            raise error.translated from error
        return True

    def stored(self, after: Stored | None = None) -> Iterator[Stored]:
        # The first version of a key is the last one listed: what follows it are the next keys.
        marker = {"KeyMarker": self._at.prefix + after.name, "VersionIdMarker": after.version} if after else {}
        return _grouped(self._at.prefix, self._versions(self._at.prefix, marker))

    def find(self, name: str) -> Stored | None:
        # Names that begin with this one sort right behind it.
        found = next(_grouped(self._at.prefix, self._versions(self._at.prefix + name, {})), None)
        return found if found is not None and found.name == name else None

    def read(self, stored: Stored) -> bytes:
        with self._asking("GetObject"):
            answer = self._client().get_object(
                Bucket=self._at.bucket,
                Key=self._at.prefix + stored.name,
                VersionId=stored.version,
                ChecksumMode="ENABLED",
            )
            content: bytes = answer["Body"].read()
            return content

    def _versions(self, prefix: str, at: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Yield versions and deletions by key, page by page, from a marker on."""
        while True:
            with self._asking("ListObjectVersions"):
                page = self._client().list_object_versions(Bucket=self._at.bucket, Prefix=prefix, **at)
            yield from merge(
                page.get("Versions") or (), page.get("DeleteMarkers") or (), key=lambda one: str(one["Key"])
            )
            if not page.get("IsTruncated"):
                return
            at = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    @contextmanager
    def _asking(self, operation: str) -> Iterator[None]:
        """Raise our error for whatever S3 or the SDK says."""
        try:
            with self._calling(operation):
                yield
        except _Answered as error:
            raise error.translated from error

    @contextmanager
    def _calling(self, operation: str) -> Iterator[None]:
        """Raise `_Answered` for a refusal, whose code some callers expect, and our error for anything else."""
        context = CallContext(f"s3:{operation}", region=self._at.region)
        try:
            yield
        except ClientError as error:
            raise _Answered(error, context) from error
        except SDK_ERRORS as error:
            raise translate(error, context) from error

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                base = self._sdk.base
                region = self._at.region or str(base.get_config_variable("region") or _HOME)
                session = _assumed(self._sdk, self._at.role_arn, region, self._clock) if self._at.role_arn else base
                self._made = self._sdk.client(session, "s3", region, read_config(timeout_seconds=_TIMEOUT_SECONDS))
            return self._made


class _Answered(Exception):
    """S3 answered with an error."""

    def __init__(self, error: ClientError, context: CallContext) -> None:
        super().__init__(str(error))
        self.code = str(error.response.get("Error", {}).get("Code", ""))
        self.translated = translate(error, context)


def _no_retention(bucket: str) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"nothing says for how long the ledger's bucket {bucket} keeps objects",
        code="NoRetention",
        hint="set FINOPS_LEDGER_S3_RETENTION_DAYS (ledger.s3.retentionDays), or give the bucket a default",
    )


def _grouped(prefix: str, versions: Iterator[Mapping[str, Any]]) -> Iterator[Stored]:
    for key, group in groupby(versions, key=lambda one: str(one["Key"])):
        entries = list(group)
        # S3 lists the latest version of a key first; a deletion has no content.
        written = [one for one in entries if "Size" in one]
        if written:
            version = str(written[-1]["VersionId"])
            yield Stored(key.removeprefix(prefix), version, len(entries) - 1)


def _assumed(sdk: SdkSessions, role: str, region: str, clock: Clock) -> Session:
    sts = sdk.client(sdk.base, "sts", region, read_config(timeout_seconds=_TIMEOUT_SECONDS))
    refresh = _refresher(sts, role, region, clock)
    return sdk.with_credentials(DeferredRefreshableCredentials(refresh, "finops-assume-role"))


def _refresher(sts: Any, role: str, region: str, clock: Clock) -> Callable[[], dict[str, str]]:
    request = {
        "RoleArn": role,
        "RoleSessionName": session_word("finops-ledger", "finops-ledger"),
        "DurationSeconds": _SESSION_SECONDS,
    }

    def refresh() -> dict[str, str]:
        found = assume_role(sts, request, CallContext("sts:AssumeRole", region=region), clock)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": str(found["Expiration"]),
        }

    return refresh
