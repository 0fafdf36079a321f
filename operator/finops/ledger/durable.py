"""The ledger as everybody writes it: an append returns when stream and file both have it on disk.

Constructed once by the operator's composition (`open_ledger`); implements `finops.ports.ledger.Ledger`. The stream
gives the sequence, the file follows in order. Without a file the ledger still records proposals and votes, but takes
no intent: no second sink, no act.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.errors import Conflict, FenceLost, LedgerDiverged, LedgerUnavailable
from finops.ledger.file_sink import FileSink, line_of
from finops.ports.clock import Clock
from finops.store.connection import Store
from finops.store.ledger import AppendResult, Head, LedgerStream

ACT_KINDS: Final = frozenset({RecordKind.INTENT, RecordKind.OUTCOME, RecordKind.VERIFIED, RecordKind.UNDONE})
"""Kinds that accompany a change in AWS: refused without a second sink."""

_ATTEMPTS: Final = 5
_COMPARE: Final = "nothing is acted upon until a person has compared both sinks with `finops audit verify`"


class DurableLedger:
    """Two sinks, one order. Thread-safe; see `finops.ports.ledger.Ledger` for what each method raises."""

    def __init__(
        self,
        stream: LedgerStream,
        file: FileSink | None,
        *,
        clock: Clock,
        fence: Callable[[], int],
        passage: Callable[[str], None],
    ) -> None:
        self._stream = stream
        self._file = file
        self._clock = clock
        self._fence = fence
        self._passage = passage
        self._lock = threading.RLock()
        self._head: Head | None = None
        self._diverged = ""

    @property
    def has_second_sink(self) -> bool:
        return self._file is not None

    def start(self) -> int:
        """Compare both sinks and copy what the file lacks; returns the number of records copied.

        Called at every acquisition of the lease, and again by hand once a divergence was cleared up.

        Raises:
            LedgerUnavailable: a sink does not answer.
            LedgerDiverged: the file is ahead of the stream or tells another story. Every later append raises it too.
        """
        with self._lock:
            self._head = None
            try:
                copied = self._reconcile()
            except LedgerDiverged as error:
                self._diverged = error.message
                raise
            self._diverged = ""
            return copied

    def append(self, entry: Entry, *, after: int | None = None) -> Record:
        with self._lock:
            if self._diverged:
                raise LedgerDiverged(
                    self._diverged, hint="nothing is acted upon until a person has compared both sinks"
                )
            if self._file is None and entry.kind in ACT_KINDS:
                raise LedgerUnavailable(
                    "the ledger has one sink only, nothing can be acted upon",
                    code="NoSecondSink",
                    hint="set FINOPS_LEDGER_PATH (chart: ledger.persistence)",
                )
            record = self._append_to_stream(entry, after)
            self._passage(f"ledger.{entry.kind.value}.after-stream")
            self._catch_up(record)
            return record

    def find(self, operation_id: str) -> Record | None:
        return self._stream.find(operation_id)

    def of_request(self, request_uid: str) -> tuple[Record, ...]:
        return self._stream.of_request(request_uid)

    def read(self, start: int = 1) -> Iterator[Record]:
        return self._stream.read(start)

    def head(self) -> Head:
        """Return the stream's head; its fence is the highest that ever wrote: a new lease must start above it."""
        return self._stream.head()

    def _append_to_stream(self, entry: Entry, after: int | None) -> Record:
        failure: LedgerUnavailable | None = None
        for _ in range(_ATTEMPTS):
            try:
                record = self._next_record(entry)
                answer = self._stream.append(record, after=after)
            except LedgerUnavailable as error:
                # Perhaps stored, perhaps not: the same operation id makes the next try tell.
                failure, self._head = error, None
                continue
            if answer.result is AppendResult.STORED:
                self._head = Head(record.sequence, record.hash, record.fence)
                return record
            if answer.result is AppendResult.EXISTING:
                return self._stream.at(answer.sequence)
            if answer.result is AppendResult.FENCED:
                raise FenceLost(f"fence {record.fence} is older than {answer.sequence}: another process has written")
            if answer.result is AppendResult.CHANGED:
                raise Conflict(
                    f"record {answer.sequence} followed record {after} of the request meanwhile", code="RecordsChanged"
                )
            self._head = None
        raise failure or LedgerUnavailable("the ledger's head moved under every try to append")

    def _next_record(self, entry: Entry) -> Record:
        if self._head is None:
            self._head = self._head_beside_file()
        return Record(self._head.sequence + 1, self._head.hash, self._clock.now(), self._fence(), entry)

    def _head_beside_file(self) -> Head:
        """Return the stream's head. A store that came back with less than the file has lost records."""
        head = self._stream.head()
        if self._file is not None and self._file.sequence > head.sequence:
            self._diverged = _lost(self._file.sequence, head.sequence)
            raise LedgerDiverged(self._diverged, hint=_COMPARE)
        return head

    def _catch_up(self, record: Record) -> None:
        """Bring the file up to `record`; earlier records that it missed while it was down go first."""
        file = self._file
        if file is None or record.sequence <= file.sequence:
            return
        try:
            if record.sequence > file.sequence + 1:
                for earlier in self._stream.read(file.sequence + 1, count=record.sequence - file.sequence - 1):
                    file.append(earlier)
            file.append(record)
        except LedgerDiverged as error:
            self._diverged = error.message
            raise

    def _reconcile(self) -> int:
        file = self._file
        if file is None:
            return 0
        file.open(lambda sequence: next(map(line_of, self._stream.read(sequence, count=1)), None))
        head = self._stream.head()
        if file.sequence > head.sequence:
            raise LedgerDiverged(_lost(file.sequence, head.sequence), hint=_COMPARE)
        self._compare(file)
        missing = head.sequence - file.sequence
        for record in self._stream.read(file.sequence + 1):
            file.append(record)
        return missing

    def _compare(self, file: FileSink) -> None:
        theirs = self._stream.read(1, count=file.sequence) if file.sequence else iter(())
        previous = GENESIS_HASH
        for ours, stored in zip(file.read(), theirs, strict=False):
            if ours.hash != stored.hash or stored.previous_hash != previous:
                raise LedgerDiverged(f"record {ours.sequence} differs between the ledger's file and its stream")
            previous = stored.hash
        if previous != file.hash:
            raise LedgerDiverged("the ledger's stream misses records that its file has")


def _lost(file: int, stream: int) -> str:
    return (
        f"the ledger's file ends at record {file}, its stream at {stream}: the store lost records or was restored "
        "from an older backup"
    )


def _no_passage(name: str) -> None:
    """Stand in for the kill points of the operator: the core does not know them."""


def open_ledger(
    store: Store,
    path: Path | None,
    *,
    clock: Clock,
    fence: Callable[[], int],
    file_timeout_seconds: float = 2.0,
    passage: Callable[[str], None] = _no_passage,
) -> DurableLedger:
    """Return the ledger on both sinks; call `start()` before the first append.

    Args:
        store: from `open_ledger_connection`: its client resends nothing.
        path: file of the second sink, None when there is none.
        clock: time of the records.
        fence: current fencing token of this process (`spec.leaseTransitions` of the Lease).
        file_timeout_seconds: after which a hanging volume counts as silent.
        passage: `killpoint` of the operator; told the name of each boundary.
    """
    file = None if path is None else FileSink(path, timeout_seconds=file_timeout_seconds)
    return DurableLedger(LedgerStream(store), file, clock=clock, fence=fence, passage=passage)
