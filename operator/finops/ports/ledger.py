"""The ledger as its writers see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from finops.domain.audit import Entry, Record


@dataclass(frozen=True, slots=True)
class TreeHead:
    """How far a ledger had come (RFC 9162, section 4.10): the root over its first `size` records, in hexadecimal."""

    size: int
    root: str


class Ledger(Protocol):
    """Append-only, durable in two sinks before `append` returns.

    Raises (append):
        LedgerUnavailable: a sink is not durable now; nothing was recorded, or it is not known to be.
        LedgerDiverged: the sinks disagree.
        FenceLost: another process holds a newer fence.
        Conflict: only with `after` or `unless`: the request's last record is another one by now, or such an operation
            was recorded; nothing was appended.

    `after` is the sequence of the last record of the entry's request that the caller has seen, 0 for none. What was
    decided from these records is appended only while there are no others. `unless` are operation ids: what was decided
    because there is no record of them is appended only while there is none. An entry that is there already is returned,
    whatever followed it.
    """

    def append(self, entry: Entry, *, after: int | None = None, unless: Sequence[str] = ()) -> Record: ...

    def find(self, operation_id: str) -> Record | None: ...

    def of_request(self, request_uid: str) -> tuple[Record, ...]: ...

    def tree_head(self) -> TreeHead:
        """Return how far the ledger has come in all of its sinks.

        Raises:
            LedgerUnavailable: a sink lacks records now, or nothing was read yet.
        """
        ...

    def read(self, start: int = 1) -> Iterator[Record]: ...

    def unfinished(self) -> Iterator[Record]:
        """Yield in order what whoever takes over needs, without reading the whole ledger.

        That is every record of an act that has not ended, and of requests about whose calls something was recorded
        lately; the last freeze; the last terms of each policy; the last loss that was accepted.
        """
        ...
