"""What the offline verifier asks of every call that needs permission: the first ones, and each that destroys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import (
    TWO_CALLS,
    WHAT,
    decided,
    entry,
    intent,
    lines,
    of_plan,
    outcome,
    proposed,
    records,
    started,
    verified,
    vote,
)

from finops.audit_verify import verify
from finops.audit_verify.plan import destroys
from finops.domain.audit import GENESIS_HASH, Entry, RecordKind
from finops.domain.canonical import Json
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.ledger.lines import line_of
from finops_operator.plugins.loaded import load_actions, load_kinds

_VOLUME: dict[str, Json] = {"VolumeId": "i-1"}
_DELETION = Plan(
    "ebs_volume_delete",
    replace(WHAT.resource, kind="ebs-volume"),
    {},
    (
        PlanStep("create_snapshot", "ec2:CreateSnapshot", _VOLUME),
        PlanStep("wait_snapshot"),
        PlanStep("delete_volume", "ec2:DeleteVolume", _VOLUME),
    ),
    {"state": "available"},
)


def call(step: str, result: str = "ok", attempt: int = 1) -> tuple[Entry, Entry]:
    operation = next(one.operation for one in (*_DELETION.steps, *TWO_CALLS.steps) if one.id == step)
    parameters = _VOLUME if operation.startswith("ec2:C") or "Volume" in operation else {"InstanceIds": ["i-1"]}
    return intent(step, attempt, operation=operation, parameters=parameters), outcome(step, attempt, result)


_VOTES = (vote("k8s.ann"), vote("k8s.bob"))
_BEGUN = (*proposed(), *_VOTES, decided(), started())
_SNAPSHOT, _DELETE = call("create_snapshot"), call("delete_volume")


def problems(*story: Entry, plan: Plan = _DELETION) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in verify(lines(of_plan(plan, *story))).problems]


def frozen() -> Entry:
    made = entry("frozen", RecordKind.FROZEN, result="on", detail={"reason": "drill"}, plan="")
    return replace(made, operation_id="frozen:all:1", request="")


def paused() -> Entry:
    made = entry("paused", RecordKind.PAUSED, result="paused")
    kind = f"team-a/None/{_DELETION.action}"
    return replace(made, operation_id=f"acts paused:{kind}:1", request="team-a/savings-f/f")


def test_an_honest_deletion_verifies() -> None:
    assert problems(*_BEGUN, *_SNAPSHOT, *_DELETE, verified()) == []


@pytest.mark.parametrize(
    ("between", "code"),
    [
        ((frozen(),), "Freeze"),
        ((paused(),), "Pause"),
        ((vote("k8s.eve", "Deny"),), "Approval"),
        ((vote("k8s.ann", "Withdraw"),), "Approval"),
        ((entry("ended", RecordKind.DECIDED, result="Withdrawn", detail={"required": 2}),), "Approval"),
    ],
    ids=["frozen", "paused", "denied", "a vote taken back", "ended by a decision"],
)
def test_what_forbids_an_act_forbids_its_deletion_after_the_snapshot_too(between: tuple[Entry, ...], code: str) -> None:
    assert [one for one, _ in problems(*_BEGUN, *_SNAPSHOT, *between, *_DELETE)] == [code]
    # What only finishes what began goes on.
    first, last = call("stop"), call("start")
    assert problems(*_BEGUN, *first, *between, *last, plan=TWO_CALLS) == []


def test_a_deletion_after_the_expiry_is_found_and_the_start_of_a_stopped_instance_is_not() -> None:
    late = (*proposed(), *_VOTES, decided(2, "2026-03-01T12:00:06.500000+00:00"), started())
    assert [code for code, _ in problems(*late, *_SNAPSHOT, *_DELETE)] == ["Expiry"]
    assert problems(*late, *call("stop"), *call("start"), plan=TWO_CALLS) == []


@pytest.mark.parametrize("result", ["rejected", "absent"])
def test_a_repetition_asks_again_as_long_as_nothing_has_changed(result: str) -> None:
    repeated = call("stop", attempt=2)
    assert problems(*_BEGUN, *call("stop", result), *repeated, *call("start"), plan=TWO_CALLS) == []
    denied = (*_BEGUN, *call("stop", result), vote("k8s.eve", "Deny"), *repeated)
    assert problems(*denied, plan=TWO_CALLS) == [
        ("Approval", "a call of an act that had changed nothing was made although a person had denied or snoozed it")
    ]


@pytest.mark.parametrize("before", [(), call("create_snapshot", "rejected"), call("create_snapshot", "foreign")])
def test_nothing_is_deleted_before_the_steps_that_the_plan_has_first(before: tuple[Entry, ...]) -> None:
    assert "Plan" in [code for code, _ in problems(*_BEGUN, *before, *_DELETE)]


def test_a_snapshot_is_not_made_after_the_deletion() -> None:
    late = call("create_snapshot", attempt=2)
    assert [code for code, _ in problems(*_BEGUN, *_SNAPSHOT, *_DELETE, *late)] == ["Plan"]


def test_a_call_that_was_answered_is_not_made_again() -> None:
    again = call("stop", attempt=2)
    assert problems(*_BEGUN, *call("stop"), *again, plan=TWO_CALLS) == [
        ("Plan", "step 'stop' was called again though its last call came to 'ok'")
    ]
    assert problems(*_BEGUN, *call("stop", "absent"), *again, plan=TWO_CALLS) == []


def test_an_effect_that_shows_late_leads_on() -> None:
    refused = call("stop", "rejected", attempt=2)
    assert problems(*_BEGUN, *call("stop", "absent"), *refused, *call("start"), verified(), plan=TWO_CALLS) == []


@pytest.mark.parametrize("done", [(), _SNAPSHOT, (*_SNAPSHOT, *call("delete_volume", "rejected"))])
def test_an_act_is_verified_only_after_every_call_of_its_plan_took_effect(done: tuple[Entry, ...]) -> None:
    assert [code for code, _ in problems(*_BEGUN, *done, verified())] == ["Plan"]


def test_an_act_that_turned_back_succeeds_only_where_something_may_be_gone() -> None:
    turned = entry("compensating", RecordKind.OUTCOME, result="compensating")
    assert problems(*_BEGUN, *_SNAPSHOT, turned, verified()) == [("Plan", "verified after the act had turned back")]
    gone = call("delete_volume", "foreign")
    assert problems(*_BEGUN, *_SNAPSHOT, *gone, turned, verified()) == []


def test_approvals_from_two_channels_are_of_one_person_where_something_is_destroyed_unless_both_are_mapped() -> None:
    def story(**more: Json) -> tuple[Entry, ...]:
        decision = decided()
        decision = replace(decision, detail={**decision.detail, **more})
        return *proposed(), vote("slack.U1"), vote("k8s.ann"), decision, started()

    alone = [("Approval", "an act that destroys was approved by 1 of 2 people who are surely not the same")]
    assert problems(*story(mapped=[])) == alone
    assert problems(*story(mapped=["slack.U1"])) == alone
    assert problems(*story(mapped=["slack.U1", "k8s.ann"])) == []
    assert problems(*story(mapped=[]), plan=TWO_CALLS) == []
    of_an_older_release = story()
    assert problems(*of_an_older_release) == []


def dated(story: tuple[Entry, ...], place: int, by: timedelta) -> list[tuple[str, str]]:
    """Return what is wrong with a story whose record at `place` was dated back and signed as such."""
    made, previous = [], GENESIS_HASH
    for number, one in enumerate(records(of_plan(TWO_CALLS, *story))):
        time = one.time - by if number == place else one.time
        record = KEYS.sign(replace(one, time=time, previous_hash=previous))
        made.append(line_of(record).decode())
        previous = record.hash
    return [(one.code, one.message) for one in verify(made, keys=PUBLIC_KEYS).problems]


def test_a_call_that_is_dated_back_is_judged_by_the_records_before_it() -> None:
    expired = (*proposed(), *_VOTES, decided(2, "2026-03-01T12:00:04.500000+00:00"), started(), *call("stop"))
    ((code, _),) = dated(expired, 6, timedelta(seconds=4))
    assert code == "Expiry"


def test_a_clock_may_be_put_back_by_as_much_as_aws_takes_and_no_more() -> None:
    story = (*_BEGUN, *call("stop"))
    assert dated(story, 6, timedelta(minutes=4)) == []
    ((code, _),) = dated(story, 6, timedelta(minutes=6))
    assert code == "Time"


@pytest.mark.parametrize("name", sorted(load_actions()))
def test_the_verifier_knows_by_its_name_each_operation_that_an_action_holds_for_a_point_of_no_return(name: str) -> None:
    action = load_actions()[name]
    kind = load_kinds()[min(action.kinds)]
    _, _, _, region, account, _ = kind.sample.arn.split(":", 5)
    resource = ResourceRef(kind.id, kind.sample.id, kind.sample.arn, account, region)
    plan = action.plan(resource, action.sample.parameters, action.sample.assumed)
    for step in plan.steps:
        if step.changes:
            assert destroys(step.operation) == action.procedure.steps[step.id].destroys, step.operation
            assert action.destructive or not destroys(step.operation)


@pytest.mark.parametrize("operation", [["ec2:DeleteVolume"], {"a": 1}, None, 5])
def test_an_operation_of_another_type_is_outside_of_the_plan_and_the_report_goes_on(operation: Json) -> None:
    made = intent("delete_volume", 1, operation=operation, parameters={})
    assert "Plan" in {code for code, _ in problems(*_BEGUN, *_SNAPSHOT, made)}


def by(actor: str, person: str, choice: str = "Approve", also: tuple[str, ...] = ()) -> Entry:
    one = vote(actor, choice)
    return replace(one, detail={**one.detail, "person": person, **({"alsoAs": list(also)} if also else {})})


def of_people(required: int, **people: str) -> Entry:
    one = decided(required)
    named: dict[str, Json] = {handle.replace("_", "."): person for handle, person in people.items()}
    return replace(one, detail={**one.detail, "people": named})


def judged(*story: Entry) -> list[str]:
    done = (started(), intent(), outcome(), verified())
    return [one.message for one in verify(lines((*proposed(), *story, *done)), keys=PUBLIC_KEYS).problems]


@pytest.mark.parametrize("changed", ["Withdraw", "Approve"])
def test_an_honest_change_of_mind_after_a_denial_verifies(changed: str) -> None:
    """Both words can be read in one pass, and a crash may lie between them and a decision."""
    denied = vote("k8s.alice", "Deny")
    assert judged(denied, vote("k8s.alice", changed), vote("k8s.bob"), decided(1)) == []
    assert any(
        "had denied or snoozed it" in one
        for one in judged(vote("k8s.alice", changed), denied, vote("k8s.bob"), decided(1))
    )


def test_a_snooze_stands_against_the_act_until_its_author_takes_it_back() -> None:
    snoozed, approved = vote("k8s.alice", "Snooze"), vote("k8s.bob")
    for before in ((snoozed,), (vote("k8s.alice", "Deny"), snoozed), (vote("k8s.alice", "Withdraw"), snoozed)):
        assert any("had denied or snoozed it" in one for one in judged(*before, approved, decided(1)))
    assert any("had denied or snoozed it" in one for one in judged(approved, decided(1), snoozed))
    for back in ("Withdraw", "Approve"):
        assert judged(snoozed, vote("k8s.alice", back), approved, decided(1)) == []


def test_a_mapping_that_was_corrected_since_the_votes_makes_two_people_of_one() -> None:
    votes = (by("slack.U9", "k8s.alice"), by("k8s.alice", "k8s.alice"))
    assert judged(*votes, of_people(2, slack_U9="k8s.carol", k8s_alice="k8s.alice")) == []
    assert any("approved by 1 of 2" in one for one in judged(*votes, decided(2)))


def test_a_mapping_that_was_made_since_the_votes_makes_one_person_of_two() -> None:
    votes = (by("slack.U1", "slack.U1"), by("k8s.alice", "k8s.alice"))
    assert judged(*votes, decided(2)) == []
    one = judged(*votes, of_people(2, slack_U1="k8s.alice", k8s_alice="k8s.alice"))
    assert any("approved by 1 of 2" in said for said in one)


def warned(*story: Entry) -> list[tuple[int, str]]:
    """Return line and message of each warning, of a ledger that breaks no rule."""
    report = verify(lines((*proposed(), *story, started(), intent(), outcome(), verified())), keys=PUBLIC_KEYS)
    assert report.ok, report.problems
    assert {one.code for one in report.warnings} <= {"People"}
    return [(one.line, one.message) for one in report.warnings]


PARTED: dict[str, tuple[Entry, Entry]] = {
    "by their person": (by("slack.U9", "k8s.alice"), by("k8s.alice", "k8s.alice")),
    "by another handle": (by("slack.U9", "slack.U9"), by("k8s.alice", "k8s.alice", also=("slack.U9",))),
    "by a third name": (by("slack.U9", "k8s.al"), by("k8s.alice", "k8s.al")),
}


@pytest.mark.parametrize("how", PARTED)
def test_a_decision_that_parts_whom_votes_recorded_as_one_person_is_a_warning(how: str) -> None:
    """The mapping may have been wrong before, or is now: nothing in the ledger says which."""
    (found,) = warned(*PARTED[how], of_people(2, slack_U9="k8s.carol", k8s_alice="k8s.alice"))
    assert found[0] == 5, "the line of the decision"
    assert "record 5 calls k8s.alice and slack.U9 two people" in found[1]


def test_a_vote_that_a_parted_handle_took_back_is_a_warning_too() -> None:
    """By the decision somebody else took the approval back through another channel, and so it stands."""
    back = by("k8s.alice", "k8s.alice", "Withdraw", ("slack.U9",))
    story = (by("slack.U9", "k8s.alice"), back, vote("k8s.bob"))
    (found,) = warned(*story, of_people(2, slack_U9="k8s.carol", k8s_alice="k8s.alice", k8s_bob="k8s.bob"))
    assert found[0] == 6


@pytest.mark.parametrize(
    "story",
    [
        (by("slack.U9", "k8s.carol"), by("k8s.alice", "k8s.alice"), of_people(2, slack_U9="k8s.carol", k8s_alice="a")),
        (by("slack.U9", "k8s.alice"), vote("k8s.bob"), of_people(2, slack_U9="k8s.carol", k8s_bob="k8s.bob")),
        (by("slack.U1", "slack.U1"), vote("k8s.bob"), decided(2)),
        (
            *(by("slack.U9", "k8s.alice", "Withdraw"), by("k8s.alice", "k8s.alice", "Withdraw")),
            *(vote("k8s.bob"), of_people(1, slack_U9="x", k8s_alice="y", k8s_bob="k8s.bob")),
        ),
    ],
    ids=["always two people", "one of two has not voted", "a decision that names nobody", "neither approves"],
)
def test_where_no_approval_rests_on_a_parted_person_nothing_is_warned_of(story: tuple[Entry, ...]) -> None:
    assert warned(*story) == []


@pytest.mark.parametrize("taken_back", ["Withdraw", "Deny"])
def test_a_vote_that_is_taken_back_through_another_channel_does_not_count(taken_back: str) -> None:
    votes = (by("slack.U1", "slack.U1"), vote("k8s.bob"))
    back = by("k8s.alice", "k8s.alice", taken_back, ("slack.U1",))
    assert judged(*votes, decided(2)) == []
    assert judged(*votes, back, decided(2)) != []
    assert judged(*votes, decided(2), back) != [], "also where it was taken back after the decision"


def test_a_mapping_that_was_wrong_at_the_vote_and_corrected_before_the_decision_takes_nothing_back() -> None:
    votes = (by("slack.U9", "slack.U9"), by("k8s.alice", "k8s.alice", also=("slack.U9",)))
    assert judged(*votes, of_people(2, slack_U9="slack.U9", k8s_alice="k8s.alice")) == []
    assert judged(*votes, decided(2)) != []


def test_a_denial_is_not_taken_back_by_somebody_whom_the_decision_calls_another_person() -> None:
    denied = by("slack.U1", "k8s.alice", "Deny")
    others = (by("k8s.mallory", "k8s.mallory", also=("slack.U1",)), by("k8s.bob", "k8s.bob"))
    people = {"slack_U1": "k8s.alice", "k8s_mallory": "k8s.mallory", "k8s_bob": "k8s.bob"}
    said = judged(denied, *others, of_people(2, **people))
    assert any("had denied or snoozed it" in one for one in said)
