"""The ledger's two sinks side by side: how far both are known, and what they disagree on.

Used by `finops.ledger.durable` alone, under its lock. The stream gives the order and the file follows it; both are read
here, so that a sink which lost or changed records is found before anything is appended behind it.
"""

from __future__ import annotations

from typing import Final

from finops.domain.audit import Record
from finops.errors import LedgerDiverged
from finops.ledger.file_sink import FileSink, line_of
from finops.ledger.known_records import KnownRecords
from finops.store.ledger import Head, LedgerStream

_COMPARE: Final = "nothing is acted upon until a person has compared both sinks with `finops audit verify`"


class Sinks:
    """Stream and file of one ledger.

    Attributes:
        file: the second sink, None when there is none.
        known: what this process has read of the ledger itself; None before the first reading.
        current: whether nobody else is known to have appended to the stream since it was read last.
        diverged: what the sinks disagree on; empty while they agree.
    """

    def __init__(self, stream: LedgerStream, file: FileSink | None) -> None:
        self._stream = stream
        self.file = file
        self.known: KnownRecords | None = None
        self.current = False
        self.diverged = ""

    def reconcile(self) -> int:
        """Compare both sinks from the beginning and copy what the file lacks; returns the number of records copied.

        Raises:
            LedgerUnavailable: a sink does not answer.
            LedgerDiverged: the sinks disagree; `diverged` says so until a later comparison finds them equal.
        """
        self.known = None
        try:
            copied = self._compare()
        except LedgerDiverged as error:
            self.diverged = error.message
            raise
        self.diverged = ""
        return copied

    def followed(self) -> KnownRecords:
        """Return how far the ledger is known, after reading what others appended to the stream meanwhile."""
        known = self.known = self.known or KnownRecords()
        if not self.current:
            try:
                self._check_head(known)
                for record in self._stream.read(known.head.sequence + 1):
                    known.learn(record)
            except LedgerDiverged as error:
                self.diverged = error.message
                raise
            self.current = True
        return known

    def catch_up(self, record: Record) -> None:
        """Bring the file up to `record`; earlier records that it missed while it was down go first."""
        file = self.file
        if file is None or record.sequence <= file.sequence:
            return
        try:
            if record.sequence > file.sequence + 1:
                for earlier in self._stream.read(file.sequence + 1, count=record.sequence - file.sequence - 1):
                    file.append(earlier)
            file.append(record)
        except LedgerDiverged as error:
            self.diverged = error.message
            raise

    def _compare(self) -> int:
        known, file = KnownRecords(), self.file
        self.current = False
        if file is None:
            self.known = known
            self.followed()
            return 0
        file.open(lambda sequence: next(map(line_of, self._stream.read(sequence, count=1)), None), known.learn)
        if known.head.sequence:
            self._check_end(known.head)
        self.known = known
        copied = 0
        self._check_head(known)
        for record in self._stream.read(known.head.sequence + 1):
            known.learn(record)
            file.append(record)
            copied += 1
        self.current = True
        return copied

    def _check_head(self, known: KnownRecords) -> None:
        """Refuse a store that came back with less than the file or we ourselves have seen of it."""
        head = self._stream.head()
        seen = max(known.head.sequence, self.file.sequence if self.file is not None else 0)
        if seen > head.sequence:
            raise LedgerDiverged(_lost(seen, head.sequence), hint=_COMPARE)

    def _check_end(self, end: Head) -> None:
        """Compare the file's last record, which names all before it by its hash, with the keys and with the stream."""
        head = self._stream.head()
        if end.sequence > head.sequence:
            raise LedgerDiverged(_lost(end.sequence, head.sequence), hint=_COMPARE)
        if self._stream.at(end.sequence).hash != end.hash:
            raise LedgerDiverged(f"record {end.sequence} differs between the ledger's file and its stream")


def _lost(file: int, stream: int) -> str:
    return (
        f"the ledger's file ends at record {file}, its stream at {stream}: the store lost records or was restored "
        "from an older backup"
    )
