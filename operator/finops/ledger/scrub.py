"""Verifies the part of a sink that a start did not read, a little at a time while there is nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from finops.domain.audit import Record
from finops.errors import LedgerDiverged
from finops.ports.sink import KeptSink, Place


class Scrub:
    """Reads from the first record up to where a picture was made."""

    def __init__(self, sink: KeptSink, check: Callable[[Record], None], until: Place) -> None:
        self._sink = sink
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
            LedgerUnavailable: the sink cannot be read.
        """
        wanted = min(self._place.sequence + records, self._until.sequence)
        for record, place in islice(self._sink.after(self._place), wanted - self._place.sequence):
            self._take(record, place)
        if self._place.sequence < wanted:
            raise LedgerDiverged(f"{self._sink.title} ends before record {self._place.sequence + 1}: it was cut")
        if self.done and self._place != self._until:
            what = f"record {self._until.sequence} of {self._sink.title} is not the one that was read before"
            raise LedgerDiverged(what)

    def _take(self, record: Record, place: Place) -> None:
        number = self._place.sequence + 1
        if record.sequence != number or record.previous_hash != self._place.hash:
            raise LedgerDiverged(f"record {number} of {self._sink.title} does not continue the chain: it was edited")
        self._check(record)
        self._place = place
