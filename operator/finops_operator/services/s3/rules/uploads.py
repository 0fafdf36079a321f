"""Uploads in parts that are unfinished, and how much their parts hold, which S3 says of one upload at a time.

A bucket may have thousands of them, so that the questions are bounded: where more are needed, the sizes of that bucket
stay unknown, and none is asked in vain. Source: S3 API reference, ListMultipartUploads and ListParts (1,000 a page).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from finops.errors import AwsRejected
from finops.ports.aws_read import PageReader

UPLOADS: Final = "s3:ListMultipartUploads"
PARTS: Final = "s3:ListParts"
MOST_OF_BUCKET: Final = 20
"""Requests for parts of one bucket."""
MOST_OF_REGION: Final = 200
"""Requests for parts of all buckets of an account in a region."""
_PAGE: Final = 1000
_MOST_PAGES: Final = 10
_ENDED: Final = "NoSuchUpload"
_USUAL_CLASS: Final = "STANDARD"


@dataclass(frozen=True, slots=True)
class Upload:
    """One unfinished upload as S3 lists it; `begun` is the time as AWS gave it."""

    key: str
    id: str
    begun: str
    storage_class: str


@dataclass(frozen=True, slots=True)
class UploadSize:
    """How much the parts of one upload hold, bytes."""

    size: int
    storage_class: str
    begun: str

    @property
    def text(self) -> str:
        """It as facts hold it: `5242880 STANDARD 2026-03-01T00:00:00.000Z`."""
        return f"{self.size} {self.storage_class} {self.begun}"

    @classmethod
    def of(cls, text: str) -> UploadSize:
        """Return what `text` made; raises ValueError for another text."""
        size, storage_class, begun = text.split(" ", 2)
        return cls(int(size), storage_class, begun)


def unfinished(reader: PageReader, bucket: str) -> tuple[Upload, ...]:
    """Return the first 10,000 uploads that S3 lists; raises the errors of `PageReader`."""
    pages = reader.pages(UPLOADS, {"Bucket": bucket, "MaxUploads": _PAGE})
    return tuple(_upload(one) for page in islice(pages, _MOST_PAGES) for one in page.get("Uploads") or ())


def _upload(one: Mapping[str, Any]) -> Upload:
    return Upload(
        str(one.get("Key") or ""),
        str(one.get("UploadId") or ""),
        str(one.get("Initiated")),
        str(one.get("StorageClass") or _USUAL_CLASS),
    )


@dataclass(slots=True)
class PartsReading:
    """Asks for the parts of uploads while `left` requests are."""

    reader: PageReader
    left: int = MOST_OF_REGION

    def sizes(self, bucket: str, uploads: Sequence[Upload]) -> tuple[UploadSize, ...] | None:
        """Return the sizes of all uploads of a bucket, None where that takes more requests than are left.

        Raises the errors of `PageReader`.
        """
        if len(uploads) > min(MOST_OF_BUCKET, self.left):
            return None
        found: list[UploadSize] = []
        end = max(0, self.left - MOST_OF_BUCKET)
        for one in uploads:
            size = self._size(bucket, one, end)
            if size is None:
                return None
            found.append(UploadSize(size, one.storage_class, one.begun))
        return tuple(found)

    def _size(self, bucket: str, upload: Upload, end: int) -> int | None:
        """Return bytes, None once there are but `end` requests left."""
        held = 0
        if self.left <= end:
            return None
        wanted = {"Bucket": bucket, "Key": upload.key, "UploadId": upload.id, "MaxParts": _PAGE}
        pages = self.reader.pages(PARTS, wanted)
        try:
            # The first page is asked for whatever comes of it.
            self.left -= 1
            for page in pages:
                held += sum(int(part["Size"]) for part in page.get("Parts") or ())
                if not page.get("IsTruncated"):
                    return held
                if self.left <= end:
                    return None
                self.left -= 1
        except AwsRejected as error:
            # Finished or aborted since it was listed: nothing of it is left.
            if error.code != _ENDED:
                raise
            return 0
        return held
