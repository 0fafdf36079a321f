"""The ledger as its writers see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from finops.domain.audit import Entry, Record


class Ledger(Protocol):
    """Append-only, durable in two sinks before `append` returns.

    Raises (append):
        LedgerUnavailable: a sink is not durable now; nothing was recorded, or it is not known to be.
        LedgerDiverged: the sinks disagree.
        FenceLost: another process holds a newer fence.
    """

    def append(self, entry: Entry) -> Record: ...

    def find(self, operation_id: str) -> Record | None: ...

    def of_request(self, request_uid: str) -> tuple[Record, ...]: ...

    def read(self, start: int = 1) -> Iterator[Record]: ...
