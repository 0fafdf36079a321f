"""A restore that was broken off goes on where it was, whatever leases the ledger has seen."""

from __future__ import annotations

import pytest
from tests.contract.ledger.test_backup_commands import RECORDS, Bench, bench, held
from tests.support.ledger_keys import KEYS

from finops.domain.audit import Entry, Record, RecordKind
from finops.errors import LedgerUnavailable
from finops.ledger.durable import open_ledger
from finops.ports.clock import SystemClock
from finops.store.backup import Target

__all__ = ["bench"]


def test_a_restore_that_was_broken_off_goes_on_with_a_ledger_of_several_leases(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fences = iter([*[1] * 10, *[2] * 1000])
    ledger = open_ledger(
        bench.store("first"), bench.folder / "l.jsonl", keys=KEYS, clock=SystemClock(), fence=lambda: next(fences)
    )
    ledger.start()
    for number in range(RECORDS):
        ledger.append(Entry(f"vote:{number}", "k8s.alice", RecordKind.VOTED, request="a/r/u1", result="refused"))
    bench.use("first")
    file = bench.backup()
    write, written = Target.write_record, iter(range(RECORDS - 5))

    def broken_off(target: Target, record: Record) -> None:
        if next(written, None) is None:
            raise LedgerUnavailable("the store does not answer")
        write(target, record)

    with monkeypatch.context() as patched:
        patched.setattr(Target, "write_record", broken_off)
        assert bench.restore(file)[0] == 1
    code, _, err = bench.restore(file)
    assert code == 0, err
    assert held(bench.store("second")) == held(bench.store("first"))
