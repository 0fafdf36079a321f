"""What the offline verifier demands of an undo: whom it undoes, that it was asked for, once, and by which calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.support.ledger_lines import (
    HONEST,
    SPEC,
    WHAT,
    decided,
    entry,
    intended,
    intent,
    lines,
    outcome,
    started,
    vote,
)

from finops.audit_verify import verify
from finops.audit_verify.plan import problem_of_undo
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.domain.plan import Plan, PlanStep

ACT, UNDO = "team-a/savings-1/u1", "team-a/savings-1-undo/u2"
START = Plan(
    WHAT.action,
    WHAT.resource,
    {"endState": "running"},
    (PlanStep("start", "ec2:StartInstances", {"InstanceIds": ["i-1"]}), PlanStep("wait_healthy")),
    {"state": "stopped"},
)


def of_undo(one: Entry, request: str = UNDO) -> Entry:
    """Return an entry about the request that undoes the act."""
    uid = request.rpartition("/")[2]
    return replace(one, operation_id=one.operation_id.replace("u1:", f"{uid}:", 1), request=request)


def proposed(undoes: str = ACT, plan: Plan = START, request: str = UNDO) -> Entry:
    made = entry(
        "proposed", RecordKind.PROPOSED, plan=plan.hash, result="created", detail={"specHash": SPEC, "undoes": undoes}
    )
    return of_undo(made, request)


def carried_out(plan: Plan = START, request: str = UNDO) -> tuple[Entry, ...]:
    """Return the votes and the act of an undo of one call."""
    call = plan.steps[0]
    made = intent(call.id, plan=plan.hash, operation=call.operation, parameters=dict(call.parameters))
    story = (
        vote("slack.U1", plan=plan.hash),
        vote("k8s.alice", plan=plan.hash),
        decided(plan=plan.hash),
        started(plan),
        made,
        outcome(call.id),
        entry("verified", RecordKind.VERIFIED, result="Succeeded", plan=plan.hash),
    )
    return tuple(of_undo(one, request) for one in story)


def answer(result: str, undo: str = UNDO, name: str = "") -> Entry:
    detail: dict[str, Json] = {"undoRequest": undo, "reason": "why"}
    return entry(f"undone-{result}{name}", RecordKind.UNDONE, result=result, detail=detail)


ACTED = HONEST
ASKED = (*ACTED, vote("k8s.alice", "Undo"))
UNDONE = (*ASKED, proposed(), answer("proposed"), *carried_out(), answer("ok"))


def under_names(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield of each undo what an operator records under its name before it has a uid."""
    undos = {one.request for one in entries if one.kind is RecordKind.PROPOSED and one.result == "created"}
    for number, request in enumerate(sorted(undos - {ACT})):
        name, _, uid = request.rpartition("/")
        if uid:
            yield replace(intended(START.hash), operation_id=f"intended:{number}", request=f"{name}/")


def problems(*entries: Entry) -> list[str]:
    report = verify(lines((*under_names(entries), *entries)))
    assert {one.code for one in report.problems} <= {"Undo"}
    return [one.message for one in report.problems]


def test_an_undo_that_was_asked_for_voted_on_and_carried_out_verifies() -> None:
    assert problems(*UNDONE) == []
    assert problems(*ASKED, answer("refused", "")) == []


@pytest.mark.parametrize("missing", [ASKED[-1], UNDONE[len(ASKED)]], ids=["the ask", "what it undoes"])
def test_an_undo_is_made_only_because_a_person_asked_and_names_its_act(missing: Entry) -> None:
    entries = [one for one in UNDONE if one is not missing]
    if missing is not ASKED[-1]:
        entries.insert(len(ASKED), replace(missing, detail={"specHash": SPEC}))
    assert problems(*entries)


def worse(*, asks: bool = True, result: str = "worse") -> Entry:
    detail: dict[str, Json] = {"reason": "Its CPU is full.", "signs": {"CPU": result}, "proposeUndo": asks}
    return entry("watch:worse", RecordKind.WATCHED, result=result, detail=detail)


def of_watch() -> Entry:
    made = proposed()
    return replace(made, detail={**made.detail, "askedBy": "watch"})


def test_an_undo_that_the_watch_asked_for_needs_the_same_votes_as_any_other() -> None:
    asked = (*ACTED, worse(), of_watch(), answer("proposed"))
    assert problems(*asked, *carried_out(), answer("ok")) == []
    without_votes = [one for one in carried_out() if one.kind is not RecordKind.VOTED]
    report = verify(lines((*asked, *without_votes)))
    assert report.problems


@pytest.mark.parametrize(
    "before",
    [(), (worse(asks=False),), (worse(result="well"),), (vote("k8s.alice", "Undo"),)],
    ids=["no watch", "a watch that asks for nothing", "nothing worse", "a person asked, not the watch"],
)
def test_no_undo_claims_a_watch_that_did_not_ask_for_it(before: tuple[Entry, ...]) -> None:
    assert problems(*ACTED, *before, of_watch()) == ["a request undoes an act, and its watch had not asked for it"]


def test_who_asked_stands_in_the_record_before_the_object_had_a_uid() -> None:
    intended = replace(of_watch(), operation_id="intended", request="team-a/savings-1-undo/", result="intent")
    assert problems(*ACTED, worse(), intended, proposed()) == []
    by_person = replace(intended, detail={**intended.detail, "askedBy": "k8s.alice"})
    assert set(problems(*ACTED, worse(), by_person, proposed())) == {
        "a request undoes an act, and no person had asked for it"
    }


def test_what_a_watch_asks_for_is_no_persons_wish() -> None:
    assert problems(*ACTED, worse(), proposed()) == ["a request undoes an act, and no person had asked for it"]


def test_an_undo_of_an_act_that_did_not_succeed_is_a_problem() -> None:
    assert "a request undoes an act that was not verified before" in problems(*ACTED[:-1], proposed())
    assert "a request undoes an act that was not verified before" in problems(*ASKED, proposed("team-a/other/u9"))


def test_an_undo_is_not_undone() -> None:
    asked = of_undo(vote("k8s.alice", "Undo", plan=START.hash))
    assert problems(*UNDONE, asked, proposed(UNDO, WHAT, "team-a/third/u3")) == ["a request undoes an undo"]


def test_an_act_is_undone_once() -> None:
    second = "team-a/savings-1-again/u3"
    again = (proposed(request=second), *carried_out(request=second))
    assert problems(*UNDONE, *again) == [
        "a request undoes an act that was undone before",
        f"a call of an undo after request {UNDO} had undone the act",
    ]
    both_open = (*ASKED, proposed(), proposed(request=second), *carried_out(), *carried_out(request=second))
    assert problems(*both_open) == [f"a call of an undo after request {UNDO} had undone the act"]
    assert problems(*UNDONE, answer("ok", name="-again")) == ["an act is recorded as undone twice"]


def test_an_act_is_recorded_as_undone_by_the_request_that_was_verified_as_its_undo() -> None:
    assert problems(*ASKED, proposed(), answer("ok")) == [
        "an act is recorded as undone by a request that was not verified"
    ]
    for other in ("", ACT, "team-a/unknown/u9"):
        assert problems(*ASKED, proposed(), answer("proposed", other)) == [
            "the record of an undo names no request that undoes this act"
        ]


@pytest.mark.parametrize(
    "plan",
    [
        replace(START, steps=WHAT.steps),
        replace(START, steps=(PlanStep("start", "ec2:StartInstances", {"InstanceIds": ["i-2"]}),)),
        replace(START, action="ec2_instance_resize"),
        replace(START, resource=replace(WHAT.resource, id="i-2")),
    ],
    ids=["the act's own call", "another instance", "another action", "another resource"],
)
def test_an_undo_makes_the_calls_that_lead_its_act_back(plan: Plan) -> None:
    assert problems(*ASKED, proposed(plan=plan), *carried_out(plan))


def resize(kind: str, before: str, *, running: bool = True) -> Plan:
    ids: dict[str, Json] = {"InstanceIds": ["i-1"]}
    change = PlanStep(
        "modify_type", "ec2:ModifyInstanceAttribute", {"InstanceId": "i-1", "InstanceType": {"Value": kind}}
    )
    stop, start = PlanStep("stop", "ec2:StopInstances", ids), PlanStep("start", "ec2:StartInstances", ids)
    steps = (stop, change, start) if running else (change,)
    return Plan("ec2_instance_resize", WHAT.resource, {"instanceType": kind}, steps, {"instanceType": before})


def undo_problem(act: Plan, undo: Plan) -> str:
    return problem_of_undo(act.to_json(), undo.to_json())


def memory(size: int, before: str, revision: str, bound: str = "") -> Plan:
    call: dict[str, Json] = {"FunctionName": "i-1", "MemorySize": size, "RevisionId": bound or revision}
    step = PlanStep("set_memory", "lambda:UpdateFunctionConfiguration", call)
    found = {"memoryMb": before, "revisionId": revision}
    return Plan("lambda_function_set_memory", WHAT.resource, {"memoryMb": size}, (step,), found)


def test_a_functions_undo_sets_the_old_size_of_the_revision_that_its_own_plan_found() -> None:
    act = memory(256, "1024", "r-1")

    assert undo_problem(act, memory(1024, "256", "r-2")) == ""
    assert undo_problem(act, memory(512, "256", "r-2"))
    assert undo_problem(act, memory(1024, "256", "r-2", bound="r-9"))


def test_a_resize_is_undone_to_the_type_it_had_whether_it_runs_or_not() -> None:
    act = resize("m5.large", "m5.xlarge")
    assert undo_problem(act, resize("m5.xlarge", "m5.large")) == ""
    assert undo_problem(act, resize("m5.xlarge", "m5.large", running=False)) == ""
    assert undo_problem(resize("m5.large", "m5.xlarge", running=False), resize("m5.xlarge", "m5.large")) == ""
    assert "something else" in undo_problem(act, resize("m5.2xlarge", "m5.large"))
    whole = resize("m5.xlarge", "m5.large")
    for steps in (whole.steps[:2], whole.steps[1:], tuple(reversed(whole.steps)), whole.steps[::2]):
        assert undo_problem(act, replace(whole, steps=steps)), steps


def volume(before: str, **parameters: Json) -> Plan:
    call = PlanStep("modify", "ec2:ModifyVolume", {"VolumeId": "i-1", **parameters})
    return Plan("ebs_volume_modify", WHAT.resource, {}, (call,), {"volumeType": before})


def test_a_volume_goes_back_to_the_type_whose_figures_follow_from_its_size() -> None:
    act = volume("gp2", VolumeType="gp3", Iops=3000, Throughput=125)
    assert undo_problem(act, volume("gp3", VolumeType="gp2")) == ""
    assert "something else" in undo_problem(act, volume("gp3", VolumeType="io2", Iops=64000))
    assert "does not say" in undo_problem(volume("io1", VolumeType="gp3"), volume("gp3", VolumeType="gp2"))


def test_what_nothing_known_leads_back_is_not_undone() -> None:
    gone = Plan(
        "ebs_volume_delete", WHAT.resource, {}, (PlanStep("delete", "ec2:DeleteVolume", {"VolumeId": "i-1"}),), {}
    )
    assert "does not say" in undo_problem(gone, gone)
    broken: dict[str, Json] = {"steps": [{"operation": "ec2:ModifyVolume", "parameters": 5}]}
    assert "does not say" in problem_of_undo(broken, broken)
    assert "does not say" in problem_of_undo({"steps": 5}, {"steps": 5})


def test_each_record_of_the_honest_story_stands_on_those_before_it() -> None:
    """Whoever moves the record of the undo before the act's end, or the ask behind it, is found."""
    for one, two in pairwise(range(len(ACTED) - 1, len(ASKED) + 1)):
        swapped = list(UNDONE)
        swapped[one], swapped[two] = swapped[two], swapped[one]
        assert problems(*swapped), (one, two)


def test_what_is_found_after_an_act_stands_only_after_it_was_verified() -> None:
    found = entry("watch:worse", RecordKind.WATCHED, result="worse", detail={"reason": "Its CPU is full."})

    assert problems(*ACTED, found) == []
    report = verify(lines((*ACTED[:-1], found)))
    assert [(one.code, one.message) for one in report.problems] == [
        ("Watch", "what was found after an act that was not verified before")
    ]


def test_an_undo_is_decided_by_no_fewer_approvals_than_its_act() -> None:
    few = of_undo(decided(1, plan=START.hash))
    fewer = [few if one.kind is RecordKind.DECIDED and one.request == UNDO else one for one in UNDONE]
    assert problems(*fewer) == ["an undo was decided by 1 of the 2 approvals that its act needed"]
