"""What the offline verifier demands of a freeze: no act begins under it, and what had begun goes on."""

from __future__ import annotations

from dataclasses import replace

from tests.support.ledger_lines import HONEST, entry, lines

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind


def frozen(number: int, *, on: bool) -> Entry:
    made = entry(f"frozen:{number}", RecordKind.FROZEN, result="on" if on else "off", detail={"reason": "drill"})
    return replace(made, operation_id=f"frozen:all:{number}", request="", plan_hash="")


def problems(*entries: Entry) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in verify(lines(entries)).problems]


FIRST = next(index for index, one in enumerate(HONEST) if one.kind is RecordKind.INTENT)
BEFORE, AFTER = HONEST[:FIRST], HONEST[FIRST:]


def test_no_act_begins_while_all_are_frozen() -> None:
    ((code, message),) = problems(*BEFORE, frozen(1, on=True), *AFTER)
    assert code == "Freeze"
    assert f"record {FIRST + 1} froze all acts" in message


def test_an_act_may_begin_once_the_freeze_is_lifted_and_goes_on_when_it_comes_later() -> None:
    assert problems(*BEFORE, frozen(1, on=True), frozen(2, on=False), *AFTER) == []
    assert problems(*BEFORE, AFTER[0], frozen(1, on=True), *AFTER[1:]) == []
