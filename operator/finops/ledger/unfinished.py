"""Which records whoever takes over still needs: open acts, the last freeze, each policy's last terms, the last loss.

Follows the ledger record by record, so that taking over reads these and not the whole ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from finops.domain.audit import Entry, Record, RecordKind, is_loss, request_uid
from finops.domain.canonical import Json
from finops.domain.decision import TERMINAL

_STARTED: Final = "started"
_ENDS: Final = frozenset(state.value for state in TERMINAL)
_FROZEN: Final = "frozen"
_LOSS: Final = "loss"


@dataclass(slots=True)
class Unfinished:
    """What is still needed.

    Attributes:
        acts: uids of requests whose act began and has not ended.
        fresh: uids of requests about whose calls this process has read a record: one may repeat another.
        notes: `frozen`, `loss`, or the uid of a policy → sequence of the last record about it.
    """

    acts: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    notes: dict[str, int] = field(default_factory=dict)

    def learn(self, record: Record) -> None:
        """Take in the next record."""
        entry, uid = record.entry, request_uid(record.entry.request)
        if entry.kind is RecordKind.FROZEN:
            self.notes[_FROZEN] = record.sequence
        elif is_loss(record):
            self.notes[_LOSS] = record.sequence
        elif entry.kind is RecordKind.POLICY_CHANGED:
            self.notes[str(entry.detail.get("uid", ""))] = record.sequence
        elif entry.kind is RecordKind.VERIFIED or (entry.kind is RecordKind.OUTCOME and entry.result in _ENDS):
            # Calling a person ends nothing, but stands in no state that is an end either.
            self.acts.discard(uid)
        elif begins_act(entry):
            self.acts.add(uid)
        elif entry.kind is RecordKind.OUTCOME and entry.attempt > 0:
            self.fresh.add(uid)

    @property
    def requests(self) -> frozenset[str]:
        """Uids of the requests whose records are needed."""
        return frozenset(self.acts | self.fresh)

    def to_json(self) -> dict[str, Json]:
        """Return what another process goes on from; what is fresh is so in one process only."""
        return {"acts": sorted(self.acts), "notes": dict(self.notes)}


def begins_act(entry: Entry) -> bool:
    """Return whether an entry is the one that an act begins with, before its first call."""
    return entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and entry.result == _STARTED


def unfinished_from_json(document: Mapping[str, Any]) -> Unfinished:
    """Return what `to_json` gave. Raises KeyError, TypeError, ValueError: it did not."""
    notes = {str(name): int(sequence) for name, sequence in document["notes"].items()}
    return Unfinished({str(uid) for uid in document["acts"]}, notes=notes)
