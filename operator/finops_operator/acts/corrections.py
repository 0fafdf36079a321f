"""Finds outcomes that only repeat what another process had recorded, and corrects them by a record, never by an edit.

Two processes that both believed to hold the lease could each record how one call came out. The second record changes
nothing, and the verifier reports it until a `corrected` record names it by sequence and hash. Outcomes that contradict
each other are left as they are: a person has to compare them with AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.execution import DONE, Result

_FINAL: Final = frozenset(result.value for result in Result) - {Result.UNKNOWN.value}
_DONE: Final = frozenset(result.value for result in DONE)


@dataclass(slots=True)
class Duplicates:
    """Reads records in order; `found` are the repeated outcomes that nothing has corrected yet."""

    found: dict[int, Record] = field(default_factory=dict)
    _first: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Request, step and attempt → result of its first final outcome."""

    def see(self, record: Record) -> None:
        """Take in the next record of the ledger."""
        entry = record.entry
        if entry.kind is RecordKind.CORRECTED:
            self.found.pop(int(str(entry.detail["record"])), None)
        elif entry.kind is RecordKind.OUTCOME and entry.attempt > 0 and entry.result in _FINAL:
            key = (entry.request, entry.step, entry.attempt)
            first = self._first.get(key)
            if first is None:
                self._first[key] = entry.result
            elif (first in _DONE) == (entry.result in _DONE):
                self.found[record.sequence] = record


def correction(duplicate: Record) -> Entry:
    """Return the record that declares `duplicate` void."""
    entry = duplicate.entry
    return Entry(
        operation_id=f"corrected:{duplicate.sequence}",
        actor="operator",
        kind=RecordKind.CORRECTED,
        request=entry.request,
        step=entry.step,
        attempt=entry.attempt,
        plan_hash=entry.plan_hash,
        result="duplicate",
        detail={
            "record": duplicate.sequence,
            "hash": duplicate.hash,
            "reason": "It repeats the outcome that another process had recorded for this attempt.",
        },
    )
