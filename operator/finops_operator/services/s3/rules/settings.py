"""Settings of buckets, which S3 gives for one bucket and one setting at a time.

A bucket's own policy may forbid a question that others allow, so every bucket is asked; what failed is counted and left
as one Gap for each question and code. A setting that a bucket does not have is an error to S3, and no Gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from finops.domain.resource import Gap
from finops.errors import AwsError, AwsRejected
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of
from finops_operator.services.s3.rules.lifecycle import ENABLED, is_whole
from finops_operator.services.s3.rules.uploads import PartsReading, UploadSize, unfinished

LIFECYCLE: Final = "s3:GetBucketLifecycleConfiguration"
VERSIONING: Final = "s3:GetBucketVersioning"
REQUEST_METRICS: Final = "s3:ListBucketMetricsConfigurations"
NO_LIFECYCLE: Final = "NoSuchLifecycleConfiguration"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set for one bucket; None: it could not be read.

    Attributes:
        versioning: `Enabled`, `Suspended`, empty where it was never enabled.
        lifecycle_rules: enabled rules.
        aborts_uploads_days: days after which a rule for the whole bucket aborts incomplete uploads, 0: none does.
        expires_noncurrent: whether a rule for the whole bucket removes versions that are not current.
        incomplete_uploads: of the first 10,000 that S3 lists.
        oldest_upload: ISO time at which the oldest of these began, empty for none.
        upload_sizes: bytes, storage class and time of each, see `UploadSize`; None also where there is none, where a
            rule aborts them anyway, and where it takes too many requests.
        request_filter: id of the request metrics of the whole bucket, empty for none.
    """

    versioning: str | None = None
    lifecycle_rules: int | None = None
    aborts_uploads_days: int | None = None
    expires_noncurrent: bool | None = None
    incomplete_uploads: int | None = None
    oldest_upload: str | None = None
    upload_sizes: tuple[str, ...] | None = None
    request_filter: str | None = None


@dataclass(slots=True)
class SettingsReading:
    """Asks bucket by bucket and remembers what failed."""

    reader: PageReader
    parts: PartsReading
    failures: dict[tuple[str, str], Gap] = field(default_factory=dict)

    @classmethod
    def by(cls, reader: PageReader) -> SettingsReading:
        """Return one that asks `reader`."""
        return cls(reader, PartsReading(reader))

    def of(self, bucket: str) -> Settings:
        """Return the settings of a bucket."""
        versioning = self._asked(lambda: self.reader.once(VERSIONING, {"Bucket": bucket}))
        rules = self._asked(lambda: self._rules(bucket))
        uploads = self._asked(lambda: unfinished(self.reader, bucket))
        by_rules = Settings() if rules is None else _by_rules(rules)
        sizes: tuple[UploadSize, ...] | None = None
        if uploads and by_rules.aborts_uploads_days == 0:
            sizes = self._asked(lambda: self.parts.sizes(bucket, uploads))
        return replace(
            by_rules,
            versioning=None if versioning is None else str(versioning.get("Status") or ""),
            incomplete_uploads=None if uploads is None else len(uploads),
            oldest_upload=None if uploads is None else min((one.begun for one in uploads), default=""),
            upload_sizes=None if sizes is None else tuple(one.text for one in sizes),
            request_filter=self._asked(lambda: self._request_filter(bucket)),
        )

    def gaps(self) -> Iterator[Gap]:
        """Yield one Gap for each question and code, with the number of buckets and what the first answer said."""
        yield from self.failures.values()

    def _asked(self, question: Callable[[], Answer]) -> Answer | None:
        try:
            return question()
        except AwsError as error:
            gap = gap_of(error, self.reader)
            first = self.failures.get((gap.operation, gap.code), gap)
            self.failures[gap.operation, gap.code] = replace(first, resources=(first.resources or 0) + 1)
            return None

    def _rules(self, bucket: str) -> Sequence[Mapping[str, Any]]:
        try:
            answer = self.reader.once(LIFECYCLE, {"Bucket": bucket})
        except AwsRejected as error:
            if error.code != NO_LIFECYCLE:
                raise
            return ()
        return [rule for rule in answer.get("Rules", ()) if rule.get("Status") == ENABLED]

    def _request_filter(self, bucket: str) -> str:
        for page in self.reader.pages(REQUEST_METRICS, {"Bucket": bucket}):
            for one in page.get("MetricsConfigurationList") or ():
                if not one.get("Filter"):
                    return str(one["Id"])
        return ""


def _by_rules(rules: Sequence[Mapping[str, Any]]) -> Settings:
    whole = [rule for rule in rules if is_whole(rule)]
    aborted = [(rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation") for rule in whole]
    return Settings(
        lifecycle_rules=len(rules),
        aborts_uploads_days=min((int(days) for days in aborted if days), default=0),
        expires_noncurrent=any(rule.get("NoncurrentVersionExpiration") for rule in whole),
    )
