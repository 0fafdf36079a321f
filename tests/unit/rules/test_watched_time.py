"""What the ledger says about the hours after an act, and how the status of its request shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.scan_samples import recommendation, request

from finops.crds.request_status import WatchState
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.watching import Health, Sign
from finops.ledger.sentences import sentence_of
from finops_operator.rules.watching import watch_entry, watch_shown, watched_time

_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACT = request(recommendation(), State.SUCCEEDED)
BAD = (Sign("CPU", Health.WORSE, "Its CPU is full."),)
GOOD = (Sign("CPU", Health.WELL, "Its CPU keeps to the promise."),)


def record(entry: Entry, minutes: float = 0) -> Record:
    return Record(1, GENESIS_HASH, _AT + timedelta(minutes=minutes), 1, entry)


def entry(kind: RecordKind, result: str, **detail: Json) -> Entry:
    return Entry(f"{kind}:{result}", "operator", kind, "team-a/r/u", result=result, detail=detail)


STARTED = record(entry(RecordKind.INTENT, ""), -5)
VERIFIED = record(entry(RecordKind.VERIFIED, "Succeeded"))
WORSE = record(watch_entry(ACT, BAD), 90)
END = record(watch_entry(ACT, GOOD, hours=24), 24 * 60)


def test_an_act_is_watched_from_its_verified_end_for_as_long_as_the_policy_says() -> None:
    time = watched_time([STARTED, VERIFIED], 24)
    assert time is not None
    assert (time.started, time.since, time.until) == (STARTED.time, _AT, _AT + timedelta(hours=24))
    assert time.goes_on
    shown = watch_shown(time, "")
    assert shown is not None
    assert (shown.state, shown.worse, shown.message) == (WatchState.WATCHING, None, None)


def test_an_undo_is_watched_like_the_act_that_it_undoes() -> None:
    proposed = record(entry(RecordKind.PROPOSED, "created", undoes="team-a/act/u0"), -60)
    time = watched_time([proposed, STARTED, VERIFIED], 24)
    assert time is not None
    assert time.goes_on


def test_how_it_was_before_the_act_is_what_the_first_announced_call_says() -> None:
    first = record(entry(RecordKind.INTENT, "", before={"status checks": "ok"}), -5)
    later = record(entry(RecordKind.INTENT, "", back=False), -3)
    time = watched_time([first, later, VERIFIED], 24)
    assert time is not None
    assert time.before == {"status checks": "ok"}
    forged = record(entry(RecordKind.OUTCOME, "ok", before={"status checks": "impaired"}), -6)
    unknown = watched_time([forged, STARTED, VERIFIED], 24)
    assert unknown is not None
    assert unknown.before == {}


@pytest.mark.parametrize(
    ("records", "hours"),
    [
        ([], 24),
        ([STARTED, record(entry(RecordKind.OUTCOME, "RolledBack"))], 24),
        ([VERIFIED], 0),
        ([VERIFIED, record(entry(RecordKind.UNDONE, "ok"))], 24),
    ],
    ids=["nothing was done", "it was rolled back", "the policy does not watch", "it was undone"],
)
def test_nothing_is_watched_or_shown_where_no_act_stands(records: list[Record], hours: int) -> None:
    time = watched_time(records, hours)
    assert time is None or not time.goes_on
    assert watch_shown(time, "") is None


def test_a_worse_state_is_shown_with_how_to_undo_it_and_stays_after_the_end() -> None:
    time = watched_time([VERIFIED, WORSE], 24)
    assert time is not None
    assert time.goes_on
    shown = watch_shown(time, "An approver can ask for its undo.")
    assert shown is not None
    assert (shown.state, shown.message) == (WatchState.WORSE, None)
    assert shown.worse == "Its CPU is full. An approver can ask for its undo."

    ended = watched_time([VERIFIED, WORSE, END], 48)
    assert ended is not None
    assert not ended.goes_on
    assert ended.until == _AT + timedelta(hours=24)
    shown = watch_shown(ended, "")
    assert shown is not None
    assert (shown.state, shown.worse) == (WatchState.WORSE, "Its CPU is full.")
    assert shown.message == "24 hours later: it does well. Its CPU keeps to the promise."


@pytest.mark.parametrize(
    ("signs", "state", "words"),
    [
        (GOOD, WatchState.WELL, "24 hours later: it does well. Its CPU keeps to the promise."),
        ((), WatchState.UNKNOWN, "24 hours later: not known whether it does well. Nothing was read."),
        (BAD, WatchState.WORSE, "24 hours later: it is worse than promised. Its CPU is full."),
    ],
)
def test_the_end_says_in_one_line_what_was_found(signs: tuple[Sign, ...], state: WatchState, words: str) -> None:
    shown = watch_shown(watched_time([VERIFIED, record(watch_entry(ACT, signs, hours=24))], 24), "")
    assert shown is not None
    assert (shown.state, shown.message) == (state, words)


def test_the_story_says_what_was_found() -> None:
    assert sentence_of(WORSE).text == "it is worse than promised"
    assert sentence_of(END).text == "24 hours later: it does well"
    unknown = record(watch_entry(ACT, (), hours=12))
    assert sentence_of(unknown).text == "12 hours later: not known whether it does well"
    assert sentence_of(unknown).detail == "Nothing was read."


def test_both_records_of_an_act_are_written_once() -> None:
    assert WORSE.entry.operation_id == watch_entry(ACT, BAD).operation_id
    assert WORSE.entry.operation_id != END.entry.operation_id == watch_entry(ACT, BAD, hours=24).operation_id


def test_the_hours_of_an_act_that_comes_into_force_later_count_from_then() -> None:
    begins = {"later": timedelta(hours=40)}
    kept = record(entry(RecordKind.INTENT, "", before={"window": "later"}), -5)
    time = watched_time([kept, VERIFIED], 24, lambda before, verified: verified + begins[before["window"]])
    assert time is not None
    assert (time.since, time.until) == (_AT + timedelta(hours=40), _AT + timedelta(hours=64))
    assert time.goes_on


@pytest.mark.parametrize(
    ("hours", "effect"),
    [(30, _AT + timedelta(hours=30)), (0, STARTED.time)],
    ids=["its window opens later", "its window was open already"],
)
def test_the_effect_of_an_act_that_comes_later_begins_when_it_may_come_and_not_when_its_hours_begin(
    hours: float, effect: datetime
) -> None:
    time = watched_time(
        [STARTED, VERIFIED],
        24,
        lambda _, verified: verified + timedelta(hours=40),
        lambda _, verified: verified + timedelta(hours=hours),
    )
    assert time is not None
    assert (time.since, time.effect) == (_AT + timedelta(hours=40), effect)


def test_an_act_that_is_in_force_at_once_has_its_effect_from_its_first_call_on() -> None:
    time = watched_time([STARTED, VERIFIED], 24)
    assert time is not None
    assert time.effect is None
