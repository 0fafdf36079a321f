"""The ledger as lines on stdout, which the cluster's log pipeline keeps: one line of an export for each record.

It cannot be read back, so that a start compares nothing with it: file and stream are compared, and the log is only
written. A start writes again what follows the checkpoint that is anchored outside the sinks. Everything before was
written before that checkpoint was made, so a killed process leaves no gap; a line may stand there twice. Whether a
pipeline has kept a line is not known here: the log stands beside the file and replaces it for no act.
"""

from __future__ import annotations

import threading
from typing import BinaryIO, Final

from finops.domain.audit import Record
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.lines import line_of
from finops.ledger.timed_writes import TimedWrites

_CHECK: Final = "check what reads the operator's stdout, or set FINOPS_LEDGER_LOG (chart: ledger.log.enabled) to false"


class LogSink:
    """Implements finops.ports.sink.Sink on a stream of bytes that nothing else writes to."""

    def __init__(self, stream: BinaryIO, *, timeout_seconds: float = 2.0) -> None:
        self._stream = stream
        self._writes = TimedWrites("the ledger's log", seconds=timeout_seconds, hint=_CHECK)
        self._lock = threading.Lock()
        self._torn = False
        self._sequence = 0

    @property
    def sequence(self) -> int:
        return self._sequence

    def go_on_after(self, sequence: int) -> None:
        """Take all records up to `sequence` as written by an earlier process."""
        with self._lock:
            self._sequence = max(self._sequence, sequence)

    def append(self, *records: Record) -> None:
        with self._lock:
            for record in records:
                if record.sequence > self._sequence:
                    self._append(record)

    def _append(self, record: Record) -> None:
        if record.sequence != self._sequence + 1:
            raise LedgerDiverged(f"the log ends at record {self._sequence}; record {record.sequence} leaves a gap")
        try:
            self._writes.run(lambda: self._write(line_of(record)))
        except (OSError, ValueError) as error:
            raise LedgerUnavailable(f"the ledger's log cannot be written: {error}", hint=_CHECK) from error
        self._sequence = record.sequence

    def _write(self, line: bytes) -> None:
        # What an earlier write left may be half a line: the next one begins on a line of its own.
        begin, self._torn = (b"\n" if self._torn else b""), True
        self._stream.write(begin + line)
        self._stream.flush()
        self._torn = False
