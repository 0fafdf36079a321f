"""The ledger in a bucket whose objects nobody can change or delete before their time: S3 with Object Lock.

An object holds the lines of consecutive records, as the ledger's file and an export have them, and is named after the
first one: `000000000042.jsonl`. Names sort by number, so that the objects in the order of a listing are the export.

Nothing is overwritten: an object is written only where there is none. After a kill or a lost answer the same records
find their object there, and what it holds is compared: the same is success, anything else is a broken ledger. Two
writers of one stream that cut it into other objects meet at the first name that both want. Only the first version of
an object counts, which Object Lock keeps; one that was written again or deleted since says that somebody tried.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Final

from finops.domain.audit import Record
from finops.errors import AwsError, LedgerDiverged, LedgerUnavailable
from finops.ledger.lines import line_of, record_of
from finops.ledger.timed_writes import TimedWrites
from finops.ports.bucket import LockedBucket, Stored
from finops.ports.sink import Place

LARGEST_OBJECT: Final = 4 * 1024 * 1024
"""Bytes of one object, sent in one request well within its time."""

_NAME: Final = re.compile(r"[0-9]{12}\.jsonl")
_READERS: Final = 8
"""Objects that are fetched ahead of the one that is compared."""
_CHECK: Final = "check the bucket, its region and the rights of the role that writes it: `finops doctor`"
_TOUCHED: Final = (
    "its first version is kept and is what counts: compare with `finops audit export --from` and `finops audit verify`"
)


class BucketSink:
    """Implements finops.ports.sink.KeptSink on a bucket; a worker writes, so that a hanging request cannot hang us."""

    name: Final = "s3"
    title: Final = "the ledger's bucket"

    def __init__(self, bucket: LockedBucket, *, timeout_seconds: float = 10.0) -> None:
        self._bucket = bucket
        self._writes = TimedWrites(f"the ledger's bucket {bucket.url}", seconds=timeout_seconds, hint=_CHECK)
        self._readers = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="ledger-bucket")
        self._lock = threading.Lock()
        self._place = Place()

    @property
    def place(self) -> Place:
        return self._place

    @property
    def sequence(self) -> int:
        """Where the bucket ends."""
        return self._place.sequence

    def close(self) -> None:
        """Stop the workers; a request that hangs ends by its own time-out."""
        self._writes.close()
        self._readers.shutdown(wait=False, cancel_futures=True)

    def open(
        self,
        stream_line: Callable[[int], bytes | None],  # noqa: ARG002 - the port's: an object is whole or not there
        seen: Callable[[Record], None],
        since: Place | None = None,
    ) -> None:
        """Make sure that the bucket locks what is written, and find where it ends; see `KeptSink.open`."""
        self._writes.check()
        with self._lock, self._reached("read"):
            self._bucket.check()
            self._place = since or Place()
            for record, place in self.after(self._place):
                if record.sequence != self.sequence + 1 or record.previous_hash != self._place.hash:
                    raise LedgerDiverged(
                        f"{self._url(place.begins)} does not continue the chain after record {self.sequence}"
                    )
                self._place = place
                seen(record)

    def append(self, *records: Record) -> None:
        """Write records into as few objects as their bytes allow; returns once S3 has them."""
        with self._lock:
            self._writes.check()
            new = [one for one in records if one.sequence > self.sequence]
            self._check_chain(new)
            for lines in _objects(new):
                with self._reached("written"):
                    self._writes.run(lambda lines=lines: self._write(lines))  # type: ignore[misc]

    def holds(self, place: Place) -> bool:
        with self._reached("read"):
            stored = self._bucket.find(_name_of(place.begins))
            if stored is None or stored.changes:
                return False
            try:
                *_, last = self._lines(stored)
                record = record_of(last)
            except (LedgerDiverged, ValueError):
                return False
        return (record.sequence, record.hash) == (place.sequence, place.hash)

    def after(self, place: Place) -> Iterator[tuple[Record, Place]]:
        with self._reached("read"):
            for first, lines in self._contents(place):
                records = [record_of(line) for line in lines]
                if not records or records[0].sequence != first:
                    raise LedgerDiverged(f"{self._url(first)} does not begin with record {first}")
                ends = records[-1].sequence
                for record in records:
                    if record.sequence > place.sequence:
                        yield record, Place(record.sequence, record.hash, first, ends)

    def _contents(self, place: Place) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the lines of each object behind a place, or around it, with the sequence that its name says."""
        begin: Stored | None = None
        if place.sequence:
            begin = self._bucket.find(_name_of(place.begins))
            if begin is None:
                raise LedgerDiverged(f"{self._url(place.begins)} is gone: the bucket was emptied or replaced")
            if place.sequence < place.ends:
                yield place.begins, self._lines(begin)
        listed = (one for one in self._bucket.stored(begin) if _NAME.fullmatch(one.name))
        while window := list(islice(listed, _READERS)):
            for stored, lines in zip(window, self._readers.map(self._lines, window), strict=True):
                yield int(stored.name[:12]), lines

    def _lines(self, stored: Stored) -> list[bytes]:
        if stored.changes:
            what = f"{self._bucket.url}{stored.name} was written again or deleted after it was written"
            raise LedgerDiverged(what, hint=_TOUCHED)
        return self._bucket.read(stored).splitlines(keepends=True)

    def _check_chain(self, records: Sequence[Record]) -> None:
        sequence, digest = self.sequence, self._place.hash
        for record in records:
            if record.sequence != sequence + 1 or record.previous_hash != digest:
                raise LedgerDiverged(
                    f"{self._bucket.url} ends at record {sequence}; record {record.sequence} does not continue it"
                )
            sequence, digest = record.sequence, record.hash

    def _write(self, lines: Sequence[tuple[Record, bytes]]) -> None:
        """Write one object, or find it written. Runs in the worker."""
        while lines:
            first, content = lines[0][0].sequence, b"".join(line for _, line in lines)
            written = len(lines)
            if not self._bucket.put(_name_of(first), content):
                written = self._compare(first, content)
            last = lines[written - 1][0]
            self._place = Place(last.sequence, last.hash, first, last.sequence)
            lines = lines[written:]

    def _compare(self, first: int, content: bytes) -> int:
        """Return how many lines of `content` an object holds that was there already.

        Raises:
            LedgerDiverged: it holds something else.
            LedgerUnavailable: it holds more, which another process of this ledger has read from the stream before us.
        """
        stored = self._bucket.find(_name_of(first))
        if stored is None:
            raise LedgerUnavailable(f"{self._url(first)} was there and is not any more", hint=_CHECK)
        found = b"".join(self._lines(stored))
        if found != content and found.startswith(content):
            raise LedgerUnavailable(f"{self._url(first)} has more records than were read: another process wrote them")
        if not found or not content.startswith(found) or not found.endswith(b"\n"):
            raise LedgerDiverged(
                f"{self._url(first)} holds another record {first} than the stream: somebody else wrote it",
                hint="compare both with `finops audit export --from` and `finops audit verify`",
            )
        return found.count(b"\n")

    def _url(self, first: int) -> str:
        return f"{self._bucket.url}{_name_of(first)}"

    @contextmanager
    def _reached(self, what: str) -> Iterator[None]:
        """Say what S3 refused as what it means for the ledger."""
        try:
            yield
        except AwsError as error:
            hint = error.hint or _CHECK
            raise LedgerUnavailable(f"the ledger's bucket cannot be {what}: {error.message}", hint=hint) from error


def exported(bucket: LockedBucket, touched: Callable[[Stored], None]) -> Iterator[bytes]:
    """Yield what the first versions of all objects hold, in order: an export, of which nothing is believed.

    Args:
        bucket: where the ledger is kept.
        touched: called with each object that was written again or deleted since.

    Raises:
        AwsError: S3 refuses a call or does not answer.
    """
    for stored in bucket.stored():
        if _NAME.fullmatch(stored.name):
            if stored.changes:
                touched(stored)
            yield bucket.read(stored)


def _name_of(sequence: int) -> str:
    return f"{sequence:012d}.jsonl"


def _objects(records: Sequence[Record]) -> Iterator[list[tuple[Record, bytes]]]:
    """Yield the records, with their lines, that go into one object each."""
    part: list[tuple[Record, bytes]] = []
    size = 0
    for record in records:
        line = line_of(record)
        if part and size + len(line) > LARGEST_OBJECT:
            yield part
            part, size = [], 0
        part.append((record, line))
        size += len(line)
    if part:
        yield part
