"""A bucket whose objects are written once and kept: S3 with Object Lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the bucket lists it.

    Attributes:
        name: below the prefix that the bucket was made with.
        version: of its first version, which nothing written later can replace.
        changes: how many versions and deletions followed the first version; 0 for one that nobody touched.
    """

    name: str
    version: str
    changes: int = 0


class LockedBucket(Protocol):
    """Objects below one prefix. Every method raises AwsError when S3 refuses the call or does not answer."""

    @property
    def url(self) -> str:
        """`s3://BUCKET/PREFIX`, for people."""
        ...

    def check(self) -> None:
        """Make sure that what is written will be locked.

        Raises:
            LedgerUnavailable: the bucket's Object Lock is off, or nothing says for how long objects are kept.
        """
        ...

    def put(self, name: str, content: bytes) -> bool:
        """Write an object that does not exist; return False, having written nothing, when it does.

        Raises:
            AwsError: not written, or not known to be; the same call may be made again.
        """
        ...

    def stored(self, after: Stored | None = None) -> Iterator[Stored]:
        """Yield the objects whose names sort behind that of another one, in order, those that were deleted included."""
        ...

    def find(self, name: str) -> Stored | None:
        """Return one object, None when there never was one of that name."""
        ...

    def read(self, stored: Stored) -> bytes:
        """Return the content of the first version of an object."""
        ...


class LockedObjects(Protocol):
    """Objects whose locks are made longer. Every method raises AwsError when S3 refuses the call or does not answer."""

    def stored(self, after: Stored | None = None) -> Iterator[Stored]:
        """Yield the objects whose names sort behind that of another one, in order, those that were deleted included."""
        ...

    def period(self) -> timedelta:
        """Return for how long an object is locked that is written now. Raises LedgerUnavailable: nothing says so."""
        ...

    def locked_until(self, stored: Stored) -> datetime | None:
        """Return until when the first version of an object is locked; None when it is not, or we may not know."""
        ...

    def lock_until(self, stored: Stored, until: datetime) -> None:
        """Lock the first version of an object until then; S3 refuses to make a lock shorter."""
        ...
