"""Verifies the part of the file that a start did not read, a little at a time while there is nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from finops.domain.audit import Record
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.file_sink import Place, next_place
from finops.ledger.lines import record_of


class Scrub:
    """Reads from the first record up to where a picture was made."""

    def __init__(self, path: Path, check: Callable[[Record], None], until: Place) -> None:
        self._path = path
        self._check = check
        self._until = until
        self._place = Place()

    @property
    def done(self) -> bool:
        return self._place.sequence >= self._until.sequence

    def step(self, records: int) -> None:
        """Verify the next records: form, hash, chain and signature.

        Raises:
            LedgerDiverged: a line was changed since it was written.
            LedgerUnavailable: the file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._place.ends)
                for _ in range(min(records, self._until.sequence - self._place.sequence)):
                    self._take(file.readline())
        except OSError as error:
            raise LedgerUnavailable(f"the ledger's file {self._path} cannot be read: {error.strerror}") from error
        if self.done and self._place != self._until:
            raise LedgerDiverged(f"record {self._until.sequence} of {self._path} is not the one that was read before")

    def _take(self, line: bytes) -> None:
        number = self._place.sequence + 1
        if not line.endswith(b"\n"):
            raise LedgerDiverged(f"{self._path} ends before record {number}: it was cut")
        record = record_of(line)
        if record.sequence != number or record.previous_hash != self._place.hash:
            raise LedgerDiverged(f"line {number} of {self._path} does not continue the chain: it was edited")
        self._check(record)
        self._place = next_place(self._place, record, line)
