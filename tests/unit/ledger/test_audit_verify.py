"""The offline verifier: what it accepts, and that nothing edited gets past it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ledger_keys import PUBLIC_KEYS
from tests.support.ledger_lines import (
    HONEST,
    TWO_CALLS,
    decided,
    entry,
    intent,
    lines,
    of_plan,
    outcome,
    records,
    vote,
    whole,
)

from finops.audit_verify import verify
from finops.audit_verify.form import canonical, digest
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json, canonical_json, sha256_hex

_TEXT = st.text(max_size=20)
_JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_APPROVED = (vote("slack.U1"), vote("k8s.alice"), decided())


def codes(entries: tuple[Entry, ...], *, fences: tuple[int, ...] = ()) -> set[str]:
    return {problem.code for problem in verify(lines(whole(entries), fences=fences)).problems}


def codes_of_two_calls(*entries: Entry) -> set[str]:
    return codes(of_plan(TWO_CALLS, *whole((*_APPROVED, *entries))))


def test_an_honest_ledger_verifies_and_names_its_head() -> None:
    report = verify(lines())
    assert report.ok
    assert (report.records, report.sequence, report.head) == (9, 9, records()[-1].hash)
    assert report.open_intents == ()


def test_nobody_asks_for_the_undo_of_an_act_that_was_not_verified() -> None:
    assert codes((*HONEST[:-1], vote("k8s.alice", "Undo"))) == {"Undo"}
    assert codes((*HONEST[:-1], vote("k8s.mallory", "Undo", result="refused"))) == set()
    assert codes((*HONEST, vote("k8s.alice", "Undo"))) == set()


def test_an_ask_is_no_approval_and_takes_none_back() -> None:
    wished = (*HONEST[:2], vote("slack.U1"), vote("k8s.alice", "Undo"), decided(), *HONEST[5:])
    assert codes(wished) == {"Approval", "Undo"}
    changed = (*HONEST[:4], vote("k8s.alice", "Undo"), *HONEST[4:])
    assert codes(changed) == {"Undo"}


def test_an_empty_ledger_verifies_but_not_where_records_were_expected() -> None:
    assert verify([]).ok
    assert {problem.code for problem in verify([], expected_head="b" * 64, expected_records=1).problems} == {
        "Head",
        "Size",
    }


@given(_JSON)
def test_writer_and_verifier_agree_on_the_canonical_form_though_they_share_no_code(value: Json) -> None:
    parsed = json.loads(canonical_json(value).decode("utf-8", errors="surrogatepass"))
    assert canonical(parsed).encode("utf-8", errors="surrogatepass") == canonical_json(value)
    assert digest(parsed) == sha256_hex(value)


@given(st.data())
def test_any_flipped_byte_is_detected(data: st.DataObject) -> None:
    whole = "".join(lines()).encode()
    position = data.draw(st.integers(0, len(whole) - 1))
    replacement = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[position]))
    edited = whole[:position] + bytes([replacement]) + whole[position + 1 :]
    assert not verify(edited.splitlines(keepends=True), keys=PUBLIC_KEYS, expected_head=records()[-1].hash).ok


@given(st.integers(0, 6))
def test_any_deleted_record_is_detected(position: int) -> None:
    kept = lines()
    del kept[position]
    assert not verify(kept, expected_head=records()[-1].hash).ok


@given(st.integers(0, 5), st.integers(0, 5))
def test_any_two_swapped_records_are_detected(first: int, second: int) -> None:
    edited = lines()
    edited[first], edited[second + 1] = edited[second + 1], edited[first]
    assert verify(edited).ok is (first == second + 1)


@given(st.integers(0, 7), st.integers(0, 6))
def test_any_inserted_copy_is_detected(position: int, source: int) -> None:
    edited = lines()
    edited.insert(position, edited[source])
    assert not verify(edited).ok


@given(st.integers(0, 6), _TEXT.filter(lambda text: text != "operator" and not text.startswith(("slack", "k8s"))))
def test_a_record_rewritten_with_its_hash_breaks_the_chain_or_the_known_head(position: int, actor: str) -> None:
    edited = lines()
    document = json.loads(edited[position])
    document["record"]["actor"] = actor
    document["hash"] = digest(document["record"])
    edited[position] = canonical(document)
    assert not verify(edited, expected_head=records()[-1].hash).ok


def test_a_cut_tail_needs_a_known_head_to_be_seen() -> None:
    cut = lines()[:-2]
    assert verify(cut).ok
    assert not verify(cut, expected_head=records()[-1].hash).ok


def test_records_after_the_known_head_are_no_problem() -> None:
    assert verify(lines(), expected_head=records()[3].hash).ok


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"hash":"x","record":{}}',
        "[" * 5000,
        '{"hash":1.5,"record":{}}',
        '{"hash":NaN,"record":{}}',
        '{"hash":"a","hash":"b","record":{}}',
        "\udcff",
    ],
)
def test_a_line_that_is_no_record_is_reported_and_never_raises(line: str) -> None:
    assert [problem.code for problem in verify([line]).problems][:1] == ["Form"]


@given(st.binary(max_size=80))
def test_no_input_makes_the_verifier_raise(noise: bytes) -> None:
    assert not verify([noise]).ok


def test_a_falling_fence_is_a_writer_that_had_lost_the_lease() -> None:
    assert "Fence" in codes(HONEST, fences=(1, 1, 2, 2, 1, 2, 2))


def test_an_operation_recorded_twice_is_a_problem() -> None:
    assert "Operation" in codes((*_APPROVED, intent(), outcome(), outcome()))


def test_an_intent_without_any_decision_is_a_problem() -> None:
    assert codes((vote("slack.U1"), intent(), outcome())) == {"Approval"}


def test_an_intent_for_another_plan_than_the_approved_one_is_a_problem() -> None:
    assert codes((*_APPROVED, intent(plan="b" * 64), outcome())) == {"Approval", "Plan"}


def test_a_decision_with_too_few_people_is_a_problem() -> None:
    assert codes((vote("slack.U1"), decided(2), intent(), outcome())) == {"Approval"}


def test_a_decision_by_slack_alone_is_a_problem_where_one_vote_had_to_come_from_elsewhere() -> None:
    asked = replace(decided(2), detail={**decided(2).detail, "stepUp": True})
    alone = (vote("slack.U1"), vote("slack.U2"), asked, intent(), outcome())
    joined = (vote("slack.U1"), vote("k8s.alice"), asked, intent(), outcome())

    assert codes(alone) == {"Approval"}
    assert codes(joined) == set()


def test_the_same_person_twice_is_one_person() -> None:
    twice = (
        vote("slack.U1"),
        entry("again", RecordKind.VOTED, actor="slack.U1", result="counted", detail={"choice": "Approve"}),
    )
    assert codes((*twice, decided(2), intent(), outcome())) == {"Approval"}


def test_refused_votes_and_votes_for_another_plan_do_not_count() -> None:
    refused = vote("k8s.alice", result="refused")
    other = vote("k8s.bob", plan="b" * 64)
    assert codes((vote("slack.U1"), refused, other, decided(2), intent(), outcome())) == {"Approval"}


def test_a_vote_withdrawn_before_the_first_intent_is_a_problem() -> None:
    assert codes((*_APPROVED, vote("k8s.alice", "Withdraw"), intent(), outcome())) == {"Approval"}


def test_a_vote_withdrawn_beyond_the_quorum_leaves_the_approval_standing() -> None:
    spare = (*_APPROVED, vote("k8s.bob"), vote("k8s.bob", "Withdraw"), intent(), outcome())
    assert codes(spare) == set()


def test_a_denial_after_the_decision_is_a_problem_for_what_begins_after_it() -> None:
    assert codes((*_APPROVED, vote("k8s.bob", "Deny"), intent(), outcome())) == {"Approval"}


def test_an_act_begun_after_its_expiry_is_a_problem_but_finishing_after_it_is_not() -> None:
    votes = (vote("slack.U1"), vote("k8s.alice"))
    late = (*votes, decided(2, "2026-03-01T12:00:06+00:00"), intent(), outcome())
    assert codes(late) == {"Expiry"}
    in_time = decided(2, "2026-03-01T12:00:06.500000+00:00")
    finished = whole((*votes, in_time, intent("stop"), outcome("stop"), intent("start"), outcome("start")))
    assert codes(of_plan(TWO_CALLS, *finished)) == set()


@pytest.mark.parametrize("expiry", ["", "soon", "2026-03-04T12:00:00"])
def test_a_decision_without_a_usable_expiry_is_a_problem(expiry: str) -> None:
    assert codes((vote("slack.U1"), decided(1, expiry), intent(), outcome())) == {"Expiry"}


def test_an_outcome_without_its_intent_is_a_problem() -> None:
    assert codes((*_APPROVED, outcome())) == {"Pairing"}


def test_a_second_final_outcome_is_a_problem_but_an_unknown_one_may_be_settled() -> None:
    assert codes((*_APPROVED, intent(), outcome(result="ok"), outcome(result="rejected", name="again"))) == {"Pairing"}
    assert (
        codes((*_APPROVED, intent(), outcome(result="unknown"), outcome(result="recovered", name="settled"))) == set()
    )


def test_a_new_intent_before_the_last_has_an_outcome_is_a_problem() -> None:
    assert "Pairing" in codes_of_two_calls(intent("stop"), intent("start"), outcome("start"))
    assert "Pairing" in codes_of_two_calls(intent("stop"), outcome(result="unknown"), intent("start"))


def test_attempts_count_up_from_one() -> None:
    assert codes((*_APPROVED, intent(attempt=2))) == {"Pairing"}
    assert codes((*_APPROVED, intent(), outcome(result="absent"), intent(attempt=2), outcome(attempt=2))) == set()
    assert codes((*_APPROVED, intent(), outcome(result="absent"), intent(attempt=3))) == {"Pairing"}


def test_nothing_is_called_after_the_end() -> None:
    both = intent(), outcome(), intent("start"), outcome("start", result="rejected"), intent("start", 2)
    assert codes_of_two_calls(*both) == set()
    ended = entry("ended", RecordKind.OUTCOME, result="RolledBack")
    assert codes_of_two_calls(*both[:-1], ended, both[-1]) == {"Pairing"}


def test_an_open_intent_is_named_but_is_no_problem() -> None:
    report = verify(lines(whole((*_APPROVED, intent()))))
    assert report.ok
    assert report.open_intents == ("u1:intent:stop:1",)


def _pause(name: str, number: int = 1) -> Entry:
    return replace(entry("x", RecordKind.PAUSED, result="paused"), operation_id=f"acts paused:{name}:{number}")


def _resumption(name: str, vote_id: str, *, actor: str = "k8s.bob") -> Entry:
    made = entry("y", RecordKind.RESUMED, actor=actor, result="resumed", detail={"vote": vote_id})
    return replace(made, operation_id=f"acts resumed:{name}:1")


_SCOPE = "team-a/savings/ec2_instance_stop"
_WORD = vote("k8s.bob", "Resume")


def test_a_resumption_after_a_pause_by_a_counted_vote_is_honest() -> None:
    assert codes((*HONEST, _pause(_SCOPE), _WORD, _resumption(_SCOPE, _WORD.operation_id))) == set()


@pytest.mark.parametrize(
    "entries",
    [
        (_WORD, _resumption(_SCOPE, _WORD.operation_id)),
        (_WORD, _pause(_SCOPE), _resumption(_SCOPE, _WORD.operation_id)),
        (_pause(_SCOPE), _resumption(_SCOPE, "vote:none")),
        (_pause(_SCOPE), _WORD, _resumption(_SCOPE, _WORD.operation_id, actor="k8s.mallory")),
        (_pause(_SCOPE), _WORD, _resumption("team-b/savings/ec2_instance_stop", _WORD.operation_id)),
        (_pause(_SCOPE), vote("k8s.bob", "Resume", result="refused"), _resumption(_SCOPE, _WORD.operation_id)),
    ],
    ids=["nothing paused", "vote before the pause", "no vote", "somebody else", "another policy", "refused vote"],
)
def test_a_resumption_that_rests_on_nothing_is_found(entries: tuple[Entry, ...]) -> None:
    assert codes((*HONEST, *entries)) == {"Word"}


def test_a_word_to_resume_is_no_vote_on_its_request() -> None:
    assert "Approval" not in codes((vote("slack.U1"), vote("k8s.alice"), vote("k8s.alice", "Resume"), decided()))
