"""The ledger's second sink: one line of JSON per record in a file on a volume, synced before it counts.

Called by `finops.ledger.durable`. A line is the canonical JSON of `{"hash": …, "record": …, "signature": …}`, which
`finops audit export` prints as well, so that a copy of the file is an export. A power cut can tear the last line;
`open` drops it only when it is the beginning of a line that the stream knows: nothing but our own copy is repaired.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Final

from finops.domain.audit import GENESIS_HASH, Record, record_from_json
from finops.domain.canonical import Json, canonical_json
from finops.errors import LedgerDiverged, LedgerUnavailable

_MODE: Final = 0o640
_CHECK_VOLUME: Final = "check the volume under the file"


def line_of(record: Record) -> bytes:
    """Return the line, with its newline, that stands for `record` in the file and in an export."""
    document: dict[str, Json] = {"hash": record.hash, "record": record.to_json(), "signature": record.signature}
    return canonical_json(document) + b"\n"


def record_of(line: bytes) -> Record:
    """Return the record of one line.

    Raises:
        LedgerDiverged: the line is not the line of a record.
    """
    try:
        document = json.loads(line)
        record = record_from_json(document["record"], str(document["signature"]))
        intact = document["hash"] == record.hash and line_of(record) == line
    except (KeyError, ValueError, TypeError) as error:
        raise LedgerDiverged(f"a line of the ledger's file is not a record: {error}") from error
    if not intact:
        raise LedgerDiverged(f"line {record.sequence} of the ledger's file does not have the hash written beside it")
    return record


class FileSink:
    """Appends lines in order; every write is synced in a worker thread so that a hanging volume cannot hang us.

    Raises (append): LedgerUnavailable when the volume fails or takes longer than `timeout_seconds`; LedgerDiverged
    when somebody else changed the file. After a time-out nothing more is written until the stuck write has ended.
    """

    def __init__(self, path: Path, *, timeout_seconds: float = 2.0, sync: Callable[[int], None] = os.fsync) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._sync = sync
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-file")
        self._running: Future[None] | None = None
        self._lock = threading.Lock()
        self._size = 0
        self.sequence = 0
        self.hash = GENESIS_HASH

    @property
    def path(self) -> Path:
        return self._path

    def close(self) -> None:
        """Stop the worker; a stuck write is left to the operating system."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def open(self, stream_line: Callable[[int], bytes | None], seen: Callable[[Record], None]) -> None:
        """Create the file if absent, drop our own torn last line, and find where the file ends.

        Args:
            stream_line: the line that the first sink would write for a sequence, None when it has no such record.
            seen: called with every record, in order.

        Raises:
            LedgerUnavailable: the folder is missing or cannot be written.
            LedgerDiverged: a line is damaged, or the torn end is not the beginning of the stream's line.
        """
        if self._running is not None and not self._running.done():
            raise LedgerUnavailable(f"the ledger's file {self._path} still hangs", hint=_CHECK_VOLUME)
        try:
            _create(self._path)
            end = 0
            self.sequence, self.hash = 0, GENESIS_HASH
            for line in self._lines():
                if not line.endswith(b"\n"):
                    _check_torn(line, stream_line(self.sequence + 1))
                    os.truncate(self._path, end)
                    break
                record = record_of(line)
                if record.sequence != self.sequence + 1 or record.previous_hash != self.hash:
                    raise LedgerDiverged(f"line {self.sequence + 1} of {self._path} does not continue the chain")
                self.sequence, self.hash = record.sequence, record.hash
                seen(record)
                end += len(line)
            self._size = end
        except OSError as error:
            raise _unavailable(self._path, error) from error

    def append(self, record: Record) -> None:
        """Write and sync one record; returns when it is durable. Records already in the file are skipped."""
        with self._lock:
            if record.sequence <= self.sequence:
                return
            if record.sequence != self.sequence + 1 or record.previous_hash != self.hash:
                raise LedgerDiverged(
                    f"{self._path} ends at record {self.sequence}; record {record.sequence} does not continue it"
                )
            if self._running is not None and not self._running.done():
                raise LedgerUnavailable(f"the ledger's file {self._path} still hangs", hint=_CHECK_VOLUME)
            self._running = self._pool.submit(self._write, record)
            try:
                self._running.result(self._timeout_seconds)
            except FutureTimeout as error:
                raise LedgerUnavailable(
                    f"the ledger's file {self._path} took longer than {self._timeout_seconds} seconds",
                    hint=_CHECK_VOLUME,
                ) from error
            except OSError as error:
                raise _unavailable(self._path, error) from error

    def read(self) -> Iterator[Record]:
        """Yield the records of the file."""
        for line in self._lines():
            yield record_of(line)

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            yield from file

    def _write(self, record: Record) -> None:
        line = line_of(record)
        descriptor = os.open(self._path, os.O_WRONLY)
        try:
            found = os.fstat(descriptor).st_size
            # Behind our position lies at most what an earlier write of ours left when it failed half way.
            if found < self._size or found > self._size + len(line):
                raise LedgerDiverged(
                    f"{self._path} has {found} bytes where {self._size} were written: somebody else changed it"
                )
            _write_all(descriptor, line, self._size)
            os.ftruncate(descriptor, self._size + len(line))
            self._sync(descriptor)
        finally:
            os.close(descriptor)
        self._size += len(line)
        self.sequence, self.hash = record.sequence, record.hash


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


def _unavailable(path: Path, error: OSError) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"the ledger's file {path} cannot be written: {error.strerror or error}",
        hint="FINOPS_LEDGER_PATH must name a file on a writable, durable volume",
    )
