"""What one line must look like: each rule of the format broken once, with a hash that fits the broken record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.ledger_lines import decided, entry, intent, lines, outcome, records, vote, whole

from finops.audit_verify import verify
from finops.audit_verify.form import NotARecord, canonical, digest
from finops.domain.audit import Entry, RecordKind, record_from_json
from finops.errors import LedgerDiverged
from finops.ledger.file_sink import record_of


def broken(**changes: Any) -> str:
    """The first line of an honest ledger with fields of the record replaced, and its hash made to fit."""
    document = json.loads(lines()[0])
    for name, value in changes.items():
        if value is ...:
            del document["record"][name]
        else:
            document["record"][name] = value
    document["hash"] = digest(document["record"])
    return canonical(document)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": "x"},
        {"result": ...},
        {"actor": 5},
        {"detail": []},
        {"sequence": "1"},
        {"sequence": True},
        {"fence": -1},
        {"kind": "rumour"},
        {"time": "2026-03-01 12:00:00"},
        {"time": "2026-13-01T12:00:00.000000Z"},
        {"previousHash": "G" * 64},
        {"operationId": ""},
    ],
)
def test_a_record_outside_the_format_is_no_record(changes: dict[str, Any]) -> None:
    assert [problem.code for problem in verify([broken(**changes)]).problems] == ["Form"]


def test_the_unbroken_record_passes_the_same_way() -> None:
    assert verify([broken()]).ok


def test_white_space_and_needless_escapes_are_edits() -> None:
    line = lines()[0].removesuffix("\n")
    assert not verify([line.replace('"hash":', '"hash": ')]).ok
    assert not verify([line.replace("operator", "\\u006fperator")]).ok


def test_control_characters_in_texts_have_one_spelling() -> None:
    value = {"a": 'quote " slash \\ line \n tab \t bell \x07 del \x7f'}
    assert json.loads(canonical(value)) == value
    with pytest.raises(NotARecord):
        canonical({"a": 1.5})


def test_a_record_about_an_act_names_its_request() -> None:
    nameless = Entry(operation_id="x", actor="operator", kind=RecordKind.INTENT)
    assert [problem.code for problem in verify(lines((nameless,))).problems] == ["Form"]
    freeze = Entry(operation_id="x", actor="k8s.alice", kind=RecordKind.FROZEN, result="on")
    assert verify(lines((freeze,))).ok


def test_a_line_that_is_not_utf8_is_reported() -> None:
    assert [problem.code for problem in verify([b"\xff\xfe"]).problems] == ["Form"]


def test_a_denial_is_not_an_approval_and_a_decision_other_than_approved_needs_no_votes() -> None:
    denied = entry("decided", RecordKind.DECIDED, result="Denied")
    assert verify(lines((vote("slack.U1", "Deny"), denied))).ok
    codes = {p.code for p in verify(lines(whole((vote("slack.U1", "Deny"), decided(1), intent(), outcome())))).problems}
    assert codes == {"Approval"}


def test_a_person_who_comes_back_after_withdrawing_counts_again() -> None:
    back = entry("again", RecordKind.VOTED, actor="slack.U1", result="counted", detail={"choice": "Approve"})
    story = (vote("slack.U1"), vote("slack.U1", "Withdraw"), back, decided(1), intent(), outcome())
    assert verify(lines(whole(story))).ok


def test_votes_of_another_kind_and_decisions_without_a_number_are_seen_through() -> None:
    snooze = entry("s", RecordKind.VOTED, actor="slack.U1", result="counted", detail={"choice": "Snooze"})
    silent = entry("decided", RecordKind.DECIDED, result="Approved", detail={})
    codes = [p.code for p in verify(lines(whole((snooze, silent, intent(), outcome())))).problems]
    assert codes == ["Approval", "Approval"]


def test_two_handles_of_one_person_count_once() -> None:
    first = entry(
        "v1", RecordKind.VOTED, actor="slack.U1", result="counted", detail={"choice": "Approve", "person": "a"}
    )
    second = entry("v2", RecordKind.VOTED, actor="k8s.a", result="counted", detail={"choice": "Approve", "person": "a"})
    assert {p.code for p in verify(lines(whole((first, second, decided(2), intent(), outcome())))).problems} == {
        "Approval"
    }


def test_a_record_survives_its_document_and_its_line() -> None:
    for record, line in zip(records(), lines(), strict=True):
        assert record_from_json(record.to_json(), record.signature) == record
        assert record_of(line.encode()) == record


@pytest.mark.parametrize("line", [b"{}", b"[]", b"nonsense", b'{"hash":"x","record":{"detail":[]}}'])
def test_a_line_that_is_no_record_freezes_the_writer_too(line: bytes) -> None:
    with pytest.raises(LedgerDiverged):
        record_of(line)


def test_a_record_whose_hash_does_not_fit_freezes_the_writer_too() -> None:
    with pytest.raises(LedgerDiverged, match="hash"):
        record_of(lines()[0].replace("operator", "somebody").encode())
