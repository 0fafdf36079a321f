"""A freeze that an older release recorded, under an id of another form, is ended in the ledger once it is lifted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.support.ledger_lines import HONEST, lines

from finops.audit_verify import verify
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops_operator.upkeep.audit_notes import AuditNotes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Entry("frozen:7:0123456789abcdef", "operator", RecordKind.FROZEN, result="on", detail={"reason": "drill"})


class Ledger:
    """Records of freezes alone."""

    def __init__(self, *entries: Entry) -> None:
        self.entries = list(entries)

    def append(self, entry: Entry) -> Record:
        self.entries.append(entry)
        return self._record(len(self.entries))

    def find(self, operation_id: str) -> Record | None:
        found = [at for at, one in enumerate(self.entries, start=1) if one.operation_id == operation_id]
        return self._record(found[0]) if found else None

    def unfinished(self) -> tuple[Record, ...]:
        return (self._record(len(self.entries)),) if self.entries else ()

    def _record(self, sequence: int) -> Record:
        return Record(sequence, GENESIS_HASH, NOW, 1, self.entries[sequence - 1])


def noted(ledger: Ledger, *reasons: str) -> list[tuple[str, str]]:
    """Let processes that see the switch so, one after the other, note it twice; return what the ledger has then."""
    for reason in reasons:
        notes = AuditNotes(cast("Any", ledger), lambda _uids: {})
        for _ in range(2):
            notes.note((), (), reason)
            notes.start_again()
    return [(one.operation_id, one.result) for one in ledger.entries]


@pytest.mark.parametrize("reasons", [("",), ("drill", "")], ids=["lifted meanwhile", "lifted later"])
def test_the_lifting_of_a_freeze_of_an_older_release_is_recorded_and_acts_begin_again(reasons: tuple[str, ...]) -> None:
    ledger = Ledger(OLD)
    assert noted(ledger, *reasons) == [(OLD.operation_id, "on"), ("frozen:all:1", "off")]
    assert verify(lines((*ledger.entries, *HONEST))).problems == ()


def test_a_ledger_that_knows_no_freeze_gets_no_record_of_one_that_is_lifted() -> None:
    assert noted(Ledger(), "", "") == []
    assert noted(Ledger(), "drill", "", "again") == [
        ("frozen:all:1", "on"),
        ("frozen:all:2", "off"),
        ("frozen:all:3", "on"),
    ]
