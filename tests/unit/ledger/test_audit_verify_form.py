"""What one line must look like: each rule of the format broken once, with a hash that fits the broken record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ledger_lines import decided, entry, intent, lines, outcome, records, vote, whole

from finops.audit_verify import form, verify
from finops.audit_verify.form import NotARecord, canonical, digest
from finops.domain.audit import Entry, RecordKind, record_from_json
from finops.errors import LedgerDiverged
from finops.ledger.lines import record_of


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
    assert codes == ["Approval", "Approval", "Approval"]


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


_TEXT = st.text(st.characters(exclude_categories=()), max_size=6)
_JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)


_NAMES = st.text(max_size=6)


@given(_JSON, _NAMES, _NAMES)
def test_the_quick_way_to_read_a_line_finds_what_the_rules_in_words_find(
    detail: object, signature: str, actor: str
) -> None:
    document = json.loads(lines()[0])
    document["record"] |= {"actor": actor, "detail": {"a": detail}}
    document["hash"] = digest(document["record"])
    line = canonical({**document, "signature": signature})
    quick, found = form._usual(line), form._any(line)
    assert form.parse(line) == found
    if not any(form._quoted(one) != f'"{one}"' for one in (signature, actor)):
        assert quick == found


@pytest.mark.parametrize(
    "edit",
    [
        lambda line: line.replace('"fence":1,', '"fence":1,"fence":1,'),
        lambda line: line.replace('"detail":{', '"detail":{ '),
        lambda line: line.replace('"detail":{}', '"detail":{"a":1.0}'),
        lambda line: line.replace('"detail":{}', '"detail":{"b":1,"a":1}'),
        lambda line: line.replace('"detail":{}', '"detail":{"a":1,"a":1}'),
        lambda line: line.replace('"fence":1', '"fence":01'),
        lambda line: line.replace('"fence":1', '"fence":-0'),
        lambda line: line.replace('"actor":"operator"', '"actor":"\\u006fperator"'),
        lambda line: line + " ",
        lambda line: line.replace("2026-03-01T", "2026-03-32T"),
    ],
)
def test_the_quick_way_leaves_what_writers_do_not_write(edit: Callable[[str], str]) -> None:
    line = lines((entry("plain", RecordKind.POSTED),))[0].removesuffix("\n")
    assert edit(line) != line
    fitting = with_fitting_hash(edit(line))
    assert form._usual(fitting) is None
    with pytest.raises(NotARecord):
        form.parse(fitting)


@given(st.data())
def test_no_edit_of_a_line_is_read_by_the_quick_way_alone(data: st.DataObject) -> None:
    line = lines()[data.draw(st.integers(0, 5))].removesuffix("\n")
    place = data.draw(st.integers(0, len(line) - 1))
    put = data.draw(st.text(alphabet='{}[]",:\\ 0123456789.aefnNE-\n\u2028', max_size=4))
    edited = line[:place] + put + line[place + data.draw(st.integers(0, 3)) :]
    for one in (edited, with_fitting_hash(edited)):
        assert read_by(form.parse, one) == read_by(form._any, one)


def test_a_key_that_stands_twice_is_no_record_and_neither_is_a_float() -> None:
    line = lines()[0].removesuffix("\n")
    for edited in (line.replace('"fence":1', '"fence":1,"fence":1'), line.replace('"fence":1', '"fence":1.0')):
        assert edited != line
        assert [problem.code for problem in verify([edited]).problems] == ["Form"]


def read_by(reader: Callable[[str], object], line: str) -> object:
    try:
        return reader(line)
    except NotARecord:
        return None


def with_fitting_hash(line: str) -> str:
    """Return an edited line with the hash of what stands in it as the record, so that its form alone is judged."""
    head, _, rest = line.partition('"record":')
    text, comma, signed = rest.rpartition(',"signature"')
    return f'{{"hash":"{form._digest_of(text)}","record":{text}{comma}{signed}' if head and comma else line
