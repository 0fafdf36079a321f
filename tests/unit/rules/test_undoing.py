"""What the ledger says about the undo of an act, and how the status and the story of the act show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.scan_samples import recommendation, request

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import Approver, Choice, Electorate, State, Vote, Voter, eligible_by
from finops.domain.watching import Health, Sign
from finops.ledger.sentences import sentence_of
from finops.ledger.stories import stretches_of
from finops_operator.rules.undoing import (
    UNDO_FOR,
    answer_entry,
    latest_undo,
    unanswered_asks,
    undo_shown,
    undo_until,
    undone_act,
    undone_entry,
)
from finops_operator.rules.watching import watch_entry
from finops_operator.upkeep.finished_requests import KEPT_AFTER_END

_AT = datetime(2026, 3, 1, tzinfo=UTC)
_ASK = Vote("v1", "apv-1", "uid-rec1", "plan", Choice.UNDO, "", Voter("kubernetes", "bob"), _AT)


def record(entry: Entry, number: int = 1) -> Record:
    return Record(number, GENESIS_HASH, _AT, 1, entry)


def entry(kind: RecordKind, result: str, **detail: str) -> Entry:
    return Entry(f"{kind}:{result}", "operator", kind, "team-a/r/u", result=result, detail=dict(detail))


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
    assert undone_act([record(entry(RecordKind.PROPOSED, "created", undoes="team-a/act/u0"))]) == "team-a/act/u0"
    assert undone_act([record(entry(RecordKind.PROPOSED, "created"))]) == ""


def test_an_act_that_cannot_be_undone_as_it_was_is_not_offered_and_says_why() -> None:
    shown = undo_shown([VERIFIED], (), possible=True, obstacle="It was on an Outpost.")
    assert shown is not None
    assert (shown.until, shown.message, shown.is_open, shown.is_done) == (None, "It was on an Outpost.", False, False)


ACT = request(recommendation(), State.SUCCEEDED)
UNDO = "team-a/r-undo/u9"
PROPOSED = record(answer_entry(ACT, _ASK, UNDO, "k8s.bob asked."), 2)
REFUSED = record(answer_entry(ACT, replace(_ASK, uid="v2", name="apv-2"), "", "Not undone: it was started."), 9)


def ends(kind: RecordKind, result: str, number: int = 5) -> Record:
    return record(Entry(f"u9:{result}", "operator", kind, UNDO, result=result), number)


def shown(*act: Record, undo: tuple[Record, ...] = ()) -> tuple[str | None, str | None, State | None, str | None]:
    found = undo_shown((VERIFIED, *act), undo, possible=True)
    assert found is not None
    return found.answered, found.request, found.state, found.message


def test_the_status_shows_the_answer_and_then_the_end_of_the_undo_it_is_about() -> None:
    assert latest_undo([VERIFIED]) == ""
    assert latest_undo([VERIFIED, PROPOSED, REFUSED]) == UNDO
    assert shown(PROPOSED) == ("apv-1", "r-undo", None, "k8s.bob asked.")
    for end, state in (
        (ends(RecordKind.VERIFIED, "Succeeded"), State.SUCCEEDED),
        (ends(RecordKind.OUTCOME, "RolledBack"), State.ROLLED_BACK),
        (ends(RecordKind.DECIDED, "Denied"), State.DENIED),
    ):
        done = state is State.SUCCEEDED
        message = "Undone by request r-undo." if done else f"Not undone: request r-undo is {state}."
        assert shown(PROPOSED, undo=(end,)) == ("apv-1", "r-undo", state, message)
        # An ask that is refused after the end says why, but for an undo that was done: that stays so.
        late = message if done else "Not undone: it was started."
        assert shown(PROPOSED, REFUSED, undo=(end,)) == ("apv-2", "r-undo", state, late)


def test_an_undo_that_has_begun_in_spite_of_a_decision_has_not_ended() -> None:
    begun = (ends(RecordKind.DECIDED, "Withdrawn"), ends(RecordKind.INTENT, "", 6))
    assert shown(PROPOSED, undo=begun)[2] is None
    assert shown(PROPOSED, undo=(*begun, ends(RecordKind.VERIFIED, "Succeeded", 7)))[2] is State.SUCCEEDED
    approved = (ends(RecordKind.DECIDED, "Approved"), ends(RecordKind.OUTCOME, "NeedsHuman"))
    assert shown(PROPOSED, undo=approved)[2] is None


def test_a_refused_ask_says_why_and_names_no_request() -> None:
    assert shown(REFUSED) == ("apv-2", None, None, "Not undone: it was started.")


def test_until_when_it_can_be_undone_is_shown_only_where_it_can() -> None:
    can = undo_shown([VERIFIED], (), possible=True)
    assert can is not None
    assert can.until == _AT + UNDO_FOR
    assert undo_shown([VERIFIED], (), possible=False) is None
    assert undo_shown([], (), possible=True) is None
    done = undo_shown([VERIFIED, record(entry(RecordKind.UNDONE, "ok", undoRequest=UNDO))], (), possible=True)
    assert done is not None
    assert (done.until, done.request) == (None, "r-undo")


def test_each_counted_ask_waits_for_its_answer() -> None:
    def asked(uid: str, choice: str = "Undo", result: str = "counted") -> Record:
        voter: Json = {"source": "kubernetes", "handle": "k8s.bob", "groups": [], "username": "bob"}
        detail: dict[str, Json] = {"choice": choice, "approval": f"apv-{uid}", "reason": "", "voter": voter}
        return record(Entry(f"vote:{uid}", "k8s.bob", RecordKind.VOTED, "team-a/r/u", result=result, detail=detail))

    records = [asked("v0", "Approve"), asked("v1"), asked("v3", result="refused"), asked("v4"), PROPOSED]

    assert [one.uid for one in unanswered_asks(records)] == ["v4"]


def test_the_story_says_who_asked_and_what_came_of_it() -> None:
    act = request(recommendation(), State.SUCCEEDED)
    answers = [
        answer_entry(act, _ASK, "team-a/r-undo/u9", "k8s.bob asked."),
        answer_entry(act, _ASK, "", "Not undone: it was started."),
        undone_entry(VERIFIED, ends(RecordKind.VERIFIED, "Succeeded")),
    ]

    said = [sentence_of(record(one)) for one in answers]

    assert [(one.text, one.detail) for one in said] == [
        ("A request to undo it was made", "k8s.bob asked."),
        ("It is not undone", "Not undone: it was started."),
        ("It was undone", "Undone by request r-undo."),
    ]
    assert stretches_of([record(one) for one in answers]) == ()


def test_the_watch_asks_once_by_its_record_of_a_worse_state_and_is_no_person() -> None:
    bad, good = Sign("CPU", Health.WORSE, "Its CPU is full."), Sign("CPU", Health.WELL, "It does well.")
    found = record(watch_entry(ACT, [bad], propose_undo=True), 3)

    (ask,) = unanswered_asks([VERIFIED, found])

    assert (ask.uid, ask.choice, ask.voter.handle, ask.reason) == (
        f"watch-{ACT.metadata.uid}",
        Choice.UNDO,
        "watch",
        "Its CPU is full.",
    )
    everybody = (Approver(kubernetes_user="watch"), Approver(kubernetes_group="watch"), Approver(slack_user="watch"))
    assert eligible_by(replace(ask.voter, username="watch", groups=("watch",)), everybody, Electorate({})) is None
    answered = answer_entry(ACT, ask, UNDO, "Its watch asked.")
    assert answered.actor == "operator"
    assert unanswered_asks([VERIFIED, found, record(answered, 4)]) == ()
    assert shown(record(answered, 4)) == (None, "r-undo", None, "Its watch asked.")
    for silent in (
        watch_entry(ACT, [bad]),
        watch_entry(ACT, [good], propose_undo=True),
        watch_entry(ACT, [bad], hours=24, propose_undo=True),
    ):
        assert unanswered_asks([VERIFIED, record(silent, 3)]) == ()
