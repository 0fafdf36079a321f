"""A sink that follows the ledger's stream record by record."""

from __future__ import annotations

from typing import Protocol

from finops.domain.audit import Record


class Sink(Protocol):
    """Holds the records up to `sequence`, in order and without a gap from where it began."""

    @property
    def sequence(self) -> int:
        """The last record that it has taken."""
        ...

    def append(self, record: Record) -> None:
        """Return once the sink has the record; one that it has already is skipped.

        Raises:
            LedgerUnavailable: not written, or not known to be; the same record may be appended again.
            LedgerDiverged: the record does not continue what the sink holds.
        """
        ...
