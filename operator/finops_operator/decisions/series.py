"""Numbered records about one subject in the ledger: each begins something, and a later one ends all of them so far.

Pauses and snoozes are such series. Operation ids are `BEGINS:SUBJECT:N` and `ENDS:SUBJECT:N`, so that whether something
is in force is found by a few reads, and never remembered beside the ledger. What ends by itself, such as a denial,
needs the numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from finops.domain.audit import Entry, Record, RecordKind
from finops.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record that began something, with its number."""

    number: int
    record: Record


@dataclass(frozen=True, slots=True)
class Numbers:
    """The records of one kind about one subject, numbered from 1; operation ids are `KIND:SUBJECT:N`.

    Every method raises LedgerUnavailable, LedgerDiverged; `add` FenceLost too.
    """

    ledger: Ledger
    kind: RecordKind
    subject: str

    def add(self, entry: Entry) -> None:
        """Record `entry` under the next number; the operation id and the kind are given here."""
        number = self.last()
        while True:
            number += 1
            numbered = replace(entry, operation_id=self._id(number), kind=self.kind)
            # Another thread may have taken the number meanwhile: then its record comes back.
            if self.ledger.append(numbered).entry == numbered:
                return

    def put(self, number: int, entry: Entry) -> None:
        """Record `entry` under this number; may be repeated."""
        self.ledger.append(replace(entry, operation_id=self._id(number), kind=self.kind))

    def get(self, number: int) -> Record | None:
        """Return the record of a number, None when there is none."""
        return self.ledger.find(self._id(number))

    def last(self) -> int:
        """Return the highest number, 0 without one; in steps that double, for there may be hundreds."""
        low, step = 0, 1
        while self.get(low + step) is not None:
            low, step = low + step, step * 2
        while step > 1:
            step //= 2
            if self.get(low + step) is not None:
                low += step
        return low

    def next_id(self) -> str:
        """Return the operation id of the record that `add` would make now."""
        return self._id(self.last() + 1)

    def _id(self, number: int) -> str:
        return f"{self.kind.value}:{self.subject}:{number}"


@dataclass(frozen=True, slots=True)
class Series:
    """Every method raises LedgerUnavailable, LedgerDiverged; those that write FenceLost too.

    Attributes:
        begins, ends: kinds of the records.
        subject: what they are about.
    """

    ledger: Ledger
    begins: RecordKind
    ends: RecordKind
    subject: str

    def in_force(self) -> tuple[Numbered, ...]:
        """Return what began and was not ended, the latest first."""
        return tuple(self._in_force())

    def begin(self, entry: Entry) -> None:
        """Record that something begins; the operation id is given here."""
        self._begun.add(entry)

    def next_id(self) -> str:
        """Return the operation id of what begins next: while there is none, nothing has begun since."""
        return self._begun.next_id()

    def end(self, number: int, entry: Entry) -> None:
        """Record that the one of this number and all before it end; may be repeated."""
        self._ended.put(number, entry)

    def last_end(self) -> Record | None:
        """Return the record that ended something last, None when nothing was ever ended."""
        ends = (self._ended.get(number) for number in range(self._begun.last(), 0, -1))
        return next((one for one in ends if one is not None), None)

    def _in_force(self) -> Iterator[Numbered]:
        for number in range(self._begun.last(), 0, -1):
            if self._ended.get(number) is not None:
                return
            record = self._begun.get(number)
            if record is not None:
                yield Numbered(number, record)

    @property
    def _begun(self) -> Numbers:
        return Numbers(self.ledger, self.begins, self.subject)

    @property
    def _ended(self) -> Numbers:
        return Numbers(self.ledger, self.ends, self.subject)
