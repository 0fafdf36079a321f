"""What the ledger says about the undo of an act, and how the status and the story of the act show it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.scan_samples import recommendation, request

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import UndoStatus
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.decision import Choice, State, Vote, Voter
from finops.ledger.sentences import sentence_of
from finops.ledger.stories import stretches_of
from finops_operator.rules.undoing import (
    UNDO_FOR,
    answer_entry,
    undo_until,
    undoes_an_act,
    undone_entry,
    with_answer,
    with_end,
)
from finops_operator.upkeep.finished_requests import KEPT_AFTER_END

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_ASK = Vote("v1", "apv-1", "uid-rec1", "plan", Choice.UNDO, "", Voter("kubernetes", "bob"), _AT)


def record(entry: Entry, number: int = 1) -> Record:
    return Record(number, GENESIS_HASH, _AT, 1, entry)


def entry(kind: RecordKind, result: str, **detail: str) -> Entry:
    return Entry(f"{kind}:{result}", "operator", kind, "team-a/r/u", result=result, detail=dict(detail))


def ended(state: State) -> ActionRequest:
    found = request(recommendation(2), state)
    return found.model_copy(update={"metadata": found.metadata.model_copy(update={"name": "r-undo"})})


VERIFIED = record(entry(RecordKind.VERIFIED, "Succeeded"))


def test_an_act_can_be_undone_no_longer_than_its_request_is_kept() -> None:
    assert undo_until([VERIFIED]) == _AT + UNDO_FOR
    assert UNDO_FOR <= KEPT_AFTER_END


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(entry(RecordKind.OUTCOME, "Succeeded"))],
        [VERIFIED, record(entry(RecordKind.UNDONE, "ok"))],
        [record(entry(RecordKind.PROPOSED, "created", undoes="team-a/act/u0")), VERIFIED],
    ],
    ids=["nothing is recorded", "a dry run", "it was undone", "it is an undo itself"],
)
def test_there_is_nothing_to_undo_where_nothing_was_changed_or_not_any_more(records: list[Record]) -> None:
    assert undo_until(records) is None


def test_an_answer_to_an_ask_leaves_the_act_as_it_is() -> None:
    refused = record(entry(RecordKind.UNDONE, "refused"))

    assert undo_until([VERIFIED, refused]) == _AT + UNDO_FOR
    assert undoes_an_act([record(entry(RecordKind.PROPOSED, "created", undoes="team-a/act/u0"))])
    assert not undoes_an_act([record(entry(RecordKind.PROPOSED, "created"))])


def test_the_status_shows_the_answer_and_then_the_end_of_the_undo_it_is_about() -> None:
    act = request(recommendation(), State.SUCCEEDED)
    proposed = record(answer_entry(act, _ASK, "team-a/r-undo/u9", "k8s.bob asked."))

    asked = with_answer(UndoStatus(), proposed)
    assert (asked.answered, asked.request, asked.state, asked.message) == ("apv-1", "r-undo", None, "k8s.bob asked.")
    assert asked.is_open

    done = with_end(asked, ended(State.SUCCEEDED))
    assert done is not None
    assert done.is_done
    assert done.message == "Undone by request r-undo."
    assert with_end(done, ended(State.SUCCEEDED)) is None
    # Shown again after a crash, the answer does not take back how it ended.
    assert with_answer(done, proposed).is_done
    assert with_end(UndoStatus(request="another"), ended(State.DENIED)) is None
    assert with_end(asked, ended(State.PENDING)) is None


def test_a_refused_ask_says_why_and_names_no_request() -> None:
    act = request(recommendation(), State.SUCCEEDED)

    found = with_answer(None, record(answer_entry(act, _ASK, "", "Not undone: it was started.")))

    assert (found.request, found.message) == (None, "Not undone: it was started.")


def test_the_story_says_who_asked_and_what_came_of_it() -> None:
    act = request(recommendation(), State.SUCCEEDED)
    answers = [
        answer_entry(act, _ASK, "team-a/r-undo/u9", "k8s.bob asked."),
        answer_entry(act, _ASK, "", "Not undone: it was started."),
        undone_entry(act, ended(State.SUCCEEDED)),
    ]

    said = [sentence_of(record(one)) for one in answers]

    assert [(one.text, one.detail) for one in said] == [
        ("A request to undo it was made", "k8s.bob asked."),
        ("It is not undone", "Not undone: it was started."),
        ("It was undone", "Undone by request r-undo."),
    ]
    assert stretches_of([record(one) for one in answers]) == ()
