"""The ledger's second sink: one line of JSON per record in a file on a volume, synced before it counts.

Called by `finops.ledger.durable`. A line is the canonical JSON of `{"hash": …, "record": …, "signature": …}`, which
`finops audit export` prints as well, so that a copy of the file is an export. A power cut can tear the last line;
`open` drops it only when it is the beginning of a line that the stream knows: nothing but our own copy is repaired.

A holder of the lease that stood still may write beside its successor. So whoever writes holds the file's lock (flock)
from the reading of its end to the sync, writes only where the end or the beginning of this very line is, and cuts
nothing off. The lock goes with its process; while a process that stands still has it, nothing is written.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from finops.domain.audit import Record
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.lines import line_of, record_of
from finops.ledger.timed_writes import TimedWrites
from finops.ports.sink import Place

_MODE: Final = 0o640
_CHECK_VOLUME: Final = (
    "check the volume under the file, which must support locks (flock), and that no other process writes or locks it"
)
_LOCK_SHARE: Final = 0.75
"""Part of a write's time after which the lock is given up: no thread is left behind in the wait for it."""
_LOCK_PAUSE_SECONDS: Final = 0.02


class FileSink:
    """Implements finops.ports.sink.KeptSink; a worker syncs every write, so that a hanging volume cannot hang us.

    Raises (append): LedgerUnavailable when the volume fails or takes longer than `timeout_seconds`; LedgerDiverged
    when somebody else changed the file. After a time-out nothing more is written until the stuck write has ended.
    """

    name: Final = "file"
    title: Final = "the ledger's file"

    def __init__(self, path: Path, *, timeout_seconds: float = 2.0, sync: Callable[[int], None] = os.fsync) -> None:
        self._path = path
        self._lock_seconds = timeout_seconds * _LOCK_SHARE
        self._writes = TimedWrites(f"the ledger's file {path}", seconds=timeout_seconds, hint=_CHECK_VOLUME)
        self._sync = sync
        self._lock = threading.Lock()
        self.place = Place()

    @property
    def path(self) -> Path:
        return self._path

    @property
    def sequence(self) -> int:
        """Where the file ends."""
        return self.place.sequence

    def close(self) -> None:
        """Stop the worker; a stuck write is left to the operating system."""
        self._writes.close()

    def open(
        self, stream_line: Callable[[int], bytes | None], seen: Callable[[Record], None], since: Place | None = None
    ) -> None:
        """Create the file if absent, drop our own torn last line, and find where the file ends.

        Args:
            stream_line: the line that the first sink would write for a sequence, None when it has no such record.
            seen: called with every record that is read, in order.
            since: a place that the file holds; what is before it is not read again.

        Raises:
            LedgerUnavailable: the folder is missing or cannot be written.
            LedgerDiverged: a line is damaged, or the torn end is not the beginning of the stream's line.
        """
        self._writes.check()
        try:
            _create(self._path)
            self.place = since or Place()
            for line in self._lines(self.place.ends):
                if not line.endswith(b"\n"):
                    expected = stream_line(self.sequence + 1)
                    self._in_time(partial(self._drop_torn, expected))
                    break
                record = record_of(line)
                if record.sequence != self.sequence + 1 or record.previous_hash != self.place.hash:
                    raise LedgerDiverged(f"line {self.sequence + 1} of {self._path} does not continue the chain")
                self.place = next_place(self.place, record, line)
                seen(record)
        except OSError as error:
            raise _unavailable(self._path, error) from error

    def append(self, *records: Record) -> None:
        """Write and sync each record; returns when all are durable. Records already in the file are skipped."""
        with self._lock:
            for record in records:
                self._append(record)

    def _append(self, record: Record) -> None:
        # A write that took too long may have ended meanwhile: only once none is under way is the end known.
        self._writes.check()
        if record.sequence > self.sequence:
            if record.sequence != self.sequence + 1 or record.previous_hash != self.place.hash:
                raise LedgerDiverged(
                    f"{self._path} ends at record {self.sequence}; record {record.sequence} does not continue it"
                )
            self._in_time(lambda: self._write(record))

    def keep_beside(self, suffix: str, content: bytes) -> None:
        """Write a file of its own beside this one, whole or not at all. Raises LedgerUnavailable as `append`."""
        with self._lock:
            self._in_time(lambda: _replace(self._path.with_name(self._path.name + suffix), content, self._sync))

    def holds(self, place: Place) -> bool:
        """Return whether a record stands at a place of the file. Raises LedgerUnavailable: it cannot be read."""
        try:
            if not self._path.exists():
                return False
            with self._path.open("rb") as file:
                file.seek(place.begins)
                line = file.read(place.ends - place.begins)
            record = record_of(line) if line.endswith(b"\n") else None
        except LedgerDiverged:
            return False
        except OSError as error:
            raise _unavailable(self._path, error) from error
        return record is not None and (record.sequence, record.hash) == (place.sequence, place.hash)

    def _in_time(self, write: Callable[[], None]) -> None:
        """Run a write in the worker. Raises LedgerUnavailable when it fails or takes too long."""
        try:
            self._writes.run(write)
        except OSError as error:
            raise _unavailable(self._path, error) from error

    def read(self) -> Iterator[Record]:
        """Yield the records of the file."""
        for line in self._lines():
            yield record_of(line)

    def after(self, place: Place) -> Iterator[tuple[Record, Place]]:
        """Yield the records behind a place, each with its own; half a line at the end is none."""
        try:
            for line in self._lines(place.ends):
                if not line.endswith(b"\n"):
                    return
                record = record_of(line)
                place = next_place(place, record, line)
                yield record, place
        except OSError as error:
            raise _unavailable(self._path, error, "read") from error

    def _lines(self, begin: int = 0) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(begin)
            yield from file

    def _drop_torn(self, expected: bytes | None) -> None:
        """Cut off half a line, unless it became a whole one meanwhile: then another process writes the file."""
        end = self.place.ends
        with _alone(self._path, self._lock_seconds) as descriptor:
            torn = _read_behind(descriptor, end, os.fstat(descriptor).st_size - end)
            if b"\n" in torn:
                raise LedgerUnavailable(f"{self._path} is written by another process", hint=_CHECK_VOLUME)
            _check_torn(torn, expected)
            os.ftruncate(descriptor, end)

    def _write(self, record: Record) -> None:
        line, end = line_of(record), self.place.ends
        with _alone(self._path, self._lock_seconds) as descriptor:
            found = os.fstat(descriptor).st_size
            # Behind our position lies at most what an earlier write left when it failed half way, or this whole line.
            if found < end or not line.startswith(_read_behind(descriptor, end, len(line) + 1)):
                raise LedgerDiverged(
                    f"{self._path} has {found} bytes where {end} were written: somebody else changed it"
                )
            _write_all(descriptor, line, end)
            self._sync(descriptor)
        self.place = next_place(self.place, record, line)


def next_place(place: Place, record: Record, line: bytes) -> Place:
    """Return where `record` stands when its line follows a place."""
    return Place(record.sequence, record.hash, place.ends, place.ends + len(line))


@contextmanager
def _alone(path: Path, seconds: float) -> Iterator[int]:
    """Give the open file while its lock is held.

    Raises:
        LedgerUnavailable: another process holds it for so long, or the volume under it knows no locks.
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        _lock(descriptor, path, time.monotonic() + seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LedgerUnavailable(f"{path} is locked by another process", hint=_CHECK_VOLUME) from error
        except OSError as error:
            raise LedgerUnavailable(f"{path} cannot be locked: {error.strerror}", hint=_CHECK_VOLUME) from error
        else:
            return
        time.sleep(_LOCK_PAUSE_SECONDS)


def _read_behind(descriptor: int, offset: int, most: int) -> bytes:
    """Return what stands behind an offset, `most` bytes of it."""
    found = b""
    while len(found) < most and (more := os.pread(descriptor, most - len(found), offset + len(found))):
        found += more
    return found


def _write_all(descriptor: int, line: bytes, offset: int) -> None:
    written = 0
    while written < len(line):
        written += os.pwrite(descriptor, line[written:], offset + written)


def _create(path: Path) -> None:
    if path.exists():
        return
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, _MODE)
    os.fsync(descriptor)
    os.close(descriptor)
    _sync_folder(path)


def _replace(path: Path, content: bytes, sync: Callable[[int], None]) -> None:
    written = path.with_name(f"{path.name}.new")
    descriptor = os.open(written, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, _MODE)
    try:
        _write_all(descriptor, content, 0)
        sync(descriptor)
    finally:
        os.close(descriptor)
    written.replace(path)
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    # A file whose directory entry was never synced can vanish with the power.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_torn(torn: bytes, expected: bytes | None) -> None:
    if expected is None or not expected.startswith(torn):
        raise LedgerDiverged(
            "the ledger's file ends in half a line that the stream does not know",
            hint="compare both with `finops audit export` and `finops audit verify --file`",
        )


def _unavailable(path: Path, error: OSError, what: str = "written") -> LedgerUnavailable:
    return LedgerUnavailable(
        f"the ledger's file {path} cannot be {what}: {error.strerror or error}",
        hint="FINOPS_LEDGER_PATH must name a file on a writable, durable volume",
    )
