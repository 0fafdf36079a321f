"""Sinks that follow the ledger's stream record by record, and those of them that can be read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from finops.domain.audit import GENESIS_HASH, Record


@dataclass(frozen=True, slots=True)
class Place:
    """A record in a sink: its sequence and hash, and from where to where the sink has it.

    `begins` and `ends` are the sink's own: bytes of a file, sequences of the first and last record of an object.
    """

    sequence: int = 0
    hash: str = GENESIS_HASH
    begins: int = 0
    ends: int = 0


class Sink(Protocol):
    """Holds the records up to `sequence`, in order and without a gap from where it began."""

    @property
    def sequence(self) -> int:
        """The last record that it has taken."""
        ...

    def append(self, *records: Record) -> None:
        """Return once the sink has the records, given in order; one that it has already is skipped.

        Raises:
            LedgerUnavailable: not all written, or not known to be; the same records may be appended again.
            LedgerDiverged: a record does not continue what the sink holds.
        """
        ...


class KeptSink(Sink, Protocol):
    """A sink that keeps what it was given and can be read: a start compares it with the stream.

    Every method raises LedgerUnavailable when the medium cannot be read or written now.
    """

    @property
    def name(self) -> str:
        """One word, by which what is known of the sink is found again after a restart."""
        ...

    @property
    def title(self) -> str:
        """How a sentence calls it: `the ledger's file`."""
        ...

    @property
    def place(self) -> Place:
        """The last record that it has taken, and where."""
        ...

    def open(
        self, stream_line: Callable[[int], bytes | None], seen: Callable[[Record], None], since: Place | None = None
    ) -> None:
        """Find where the sink ends, and make it ready for `append`.

        Args:
            stream_line: the line that the stream has for a sequence, None when it has no such record.
            seen: called with every record that is read, in order.
            since: a place that the sink holds; what is before it is not read again.

        Raises:
            LedgerDiverged: what it holds is damaged, or is no chain.
        """
        ...

    def holds(self, place: Place) -> bool:
        """Return whether a record stands at a place."""
        ...

    def after(self, place: Place) -> Iterator[tuple[Record, Place]]:
        """Yield the records behind a place, each with its own place, as they are found: nothing is compared.

        Raises:
            LedgerDiverged: what stands there is no record.
        """
        ...

    def close(self) -> None:
        """Stop what works for it; a write that hangs is left to itself."""
        ...
