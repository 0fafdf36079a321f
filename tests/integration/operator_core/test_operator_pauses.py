"""After an act failed, others of its kind and policy wait until an approver resumes them; the ledger alone says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from kubernetes import client
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.audit_verify import verify
from finops.crds.action_request import ActionRequest
from finops.crds.conditions import Condition, find_condition
from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.domain.execution import Call, StopKind
from finops.errors import FinopsError, LedgerUnavailable
from finops.k8s.kinds import aws_accounts
from finops.ledger.stories import latest_stories, story_of
from finops_operator.acts.journal import intent_entry, started_entry
from finops_operator.decisions.pauses import WORSE, Failure, Pauses
from finops_operator.decisions.spoken import scope_of
from finops_operator.plugins.action import with_request
from finops_operator.rules.votes import request_reference

TERMS = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}]}


@pytest.fixture(autouse=True)
def _granted(parts: Parts) -> Iterator[None]:
    # The API server's stamps have whole seconds and go on by themselves: records are made some seconds before.
    parts.clock.at -= timedelta(seconds=30)
    parts.policies.create(policy(approval=TERMS))
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def approved(parts: Parts, number: int) -> ActionRequest:
    made = parts.propose(number, approval=TERMS)
    parts.vote(made)
    return parts.decider.advance(made)


def fail(parts: Parts, request: ActionRequest, reason: str = "AWS had no m5.large capacity") -> ActionRequest:
    """End a request's act as the executor does when it leads the resource back."""
    failure = Failure(State.ROLLED_BACK, reason)
    Pauses(parts.ledger).pause(scope_of(request), request_reference(request), request.spec.plan_hash, failure)
    return parts.requests.write_status(request, lambda now: {**now.status.to_dict(), "state": "RolledBack"})


def got_worse(parts: Parts, request: ActionRequest) -> ActionRequest:
    """End a request's act well, and let its watch find it worse than promised."""
    failure = Failure(WORSE, "Its CPU is full.")
    Pauses(parts.ledger).pause(scope_of(request), request_reference(request), request.spec.plan_hash, failure)
    watch = {"state": "Worse", "until": "2026-12-24T00:00:00Z", "worse": "Its CPU is full."}
    changed = {"state": "Succeeded", "watch": watch}
    return parts.requests.write_status(request, lambda now: {**now.status.to_dict(), **changed})


def resume(parts: Parts, on: ActionRequest, person: str = "bob", **changes: Any) -> tuple[str, str]:
    """Vote to resume, let the operator judge it, and return result and reason of its answer."""
    vote = parts.vote(on, person, decision="Resume", **{"reason": "capacity is back", **changes})
    parts.decider.advance(parts.requests.fresh(on))
    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert answer.status.result is not None
    return answer.status.result.value, answer.status.reason or ""


def condition(parts: Parts) -> Condition | None:
    found = parts.policies.api.get(NAMESPACE, "p")
    assert found is not None
    return find_condition(found.status.conditions, "ActsPaused")


def test_an_approved_act_waits_after_another_of_its_kind_failed_and_says_how_to_resume(parts: Parts) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    assert parts.gate.may_start(act_of(waiting)) is None
    fail(parts, failed)

    for asked in (parts.gate.may_start, parts.gate.still_allowed):
        stop = asked(act_of(waiting))
        assert stop is not None
        assert stop.kind is StopKind.HOLD
        assert stop.message == (
            f"Waiting: {waiting.spec.action} of policy p is paused: {failed.metadata.name} was rolled back: AWS had no "
            f"m5.large capacity. Find out why, then resume: finops resume {waiting.metadata.name} "
            f"-n {NAMESPACE} --reason WHY"
        )


@pytest.mark.parametrize("on_failed", [True, False])
def test_an_approver_resumes_the_acts_by_either_request_and_the_ledger_says_who(
    parts: Parts, *, on_failed: bool
) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    failed = fail(parts, failed)

    assert resume(parts, failed if on_failed else waiting) == ("Counted", "Resume")

    assert parts.gate.still_allowed(act_of(waiting)) is None
    ended = next(one for one in parts.ledger.read() if one.entry.kind is RecordKind.RESUMED)
    assert ended.entry.request == request_reference(failed)
    assert (ended.entry.actor, ended.entry.detail["reason"]) == ("k8s.bob", "capacity is back")
    assert parts.requests.fresh(waiting).status.state is State.APPROVED, "a resumption is no vote on a request"


def test_whoever_is_no_approver_of_the_policy_as_it_is_now_resumes_nothing(parts: Parts) -> None:
    failed, waiting = fail(parts, approved(parts, 1)), approved(parts, 2)
    current = parts.policies.api.get(NAMESPACE, "p")
    assert current is not None
    # Bob could vote when both were proposed; he has left since.
    parts.policies.api.delete(NAMESPACE, "p")
    parts.policies.create(policy(approval={"approvers": [{"kubernetesUser": "alice"}]}))

    assert resume(parts, failed, "mallory") == ("Refused", "NotEligible")
    assert resume(parts, failed, "bob") == ("Refused", "NotEligible")
    assert parts.gate.still_allowed(act_of(waiting)) is not None
    assert resume(parts, failed, "alice") == ("Counted", "Resume")


def test_a_resumption_needs_a_reason_and_something_that_is_paused(parts: Parts) -> None:
    waiting = approved(parts, 2)
    assert resume(parts, waiting) == ("Refused", "NotPaused")
    fail(parts, approved(parts, 1))
    assert resume(parts, waiting, "alice", reason=None) == ("Refused", "ReasonMissing")
    assert parts.gate.still_allowed(act_of(waiting)) is not None


def test_an_act_that_fails_after_a_resumption_pauses_the_kind_again(parts: Parts) -> None:
    first, second, waiting = approved(parts, 1), approved(parts, 2), approved(parts, 3)
    first = fail(parts, first)
    assert resume(parts, waiting) == ("Counted", "Resume")
    fail(parts, second, "stop failed: IncorrectState")

    stop = parts.gate.still_allowed(act_of(waiting))
    assert stop is not None
    assert f"{second.metadata.name} was rolled back: stop failed: IncorrectState." in stop.message
    assert resume(parts, waiting) == ("Counted", "Resume")
    assert parts.gate.still_allowed(act_of(waiting)) is None


def test_a_vote_to_resume_does_not_cover_a_failure_that_comes_after_it(parts: Parts) -> None:
    first, second, waiting = approved(parts, 1), approved(parts, 2), approved(parts, 3)
    fail(parts, first)
    resume(parts, waiting)
    fail(parts, second)
    vote = next(one for one in parts.ledger.read() if one.entry.detail.get("choice") == "Resume")
    # As after a crash between the vote's record and the next step, with a failure in between.
    assert parts.decider.advance(parts.requests.fresh(waiting)).status.state is State.APPROVED
    pauses = Pauses(parts.ledger).in_force(scope_of(waiting))
    assert [pause.request for pause in pauses] == [second.metadata.name]
    assert pauses[0].record.sequence > vote.sequence


def test_a_crash_between_the_vote_and_its_effect_is_made_up_for(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    fail(parts, failed)
    with monkeypatch.context() as patched:

        def broken(*_: object) -> None:
            raise LedgerUnavailable("the store does not answer")

        patched.setattr(Pauses, "resume", broken)
        vote = parts.vote(waiting, "bob", decision="Resume", reason="capacity is back")
        with pytest.raises(FinopsError):
            parts.decider.advance(waiting)
    assert parts.gate.still_allowed(act_of(waiting)) is not None, "counted, and not carried out yet"

    parts.decider.start_again()
    parts.decider.advance(parts.requests.fresh(waiting))

    assert parts.gate.still_allowed(act_of(waiting)) is None
    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert answer.status.message == "Resumed: approved acts of this kind begin again."


def test_other_kinds_other_policies_dry_runs_and_the_act_itself_are_not_paused(parts: Parts) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    fail(parts, failed)
    pauses, scope = Pauses(parts.ledger), scope_of(waiting)
    assert pauses.in_force(scope)
    assert not pauses.in_force(type(scope)(scope.namespace, "another", scope.action))
    assert not pauses.in_force(type(scope)(scope.namespace, scope.policy, "ebs_volume_delete"))
    stopped = parts.gate._paused(act_of(failed))
    assert stopped is None, "an act in trouble does not wait for itself"


def test_without_the_ledger_nothing_begins(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = approved(parts, 1)
    found = parts.ledger.find

    def silent(operation_id: str) -> Any:
        if operation_id.startswith("acts paused:"):
            raise LedgerUnavailable("the store does not answer")
        return found(operation_id)

    monkeypatch.setattr(parts.ledger, "find", silent)
    stop = parts.gate.still_allowed(act_of(waiting))
    assert stop is not None
    assert stop.kind is StopKind.HOLD


def test_the_policy_shows_what_is_paused_until_it_is_resumed(parts: Parts) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    parts.housekeeping.run_duties()
    assert condition(parts) is None, "nothing has ever been paused"
    seen = client.EventsV1Api(parts.connection.api).list_namespaced_event(NAMESPACE).items
    before = sum(one.reason == "ActFailed" for one in seen)
    fail(parts, failed)
    parts.housekeeping.run_duties()
    parts.housekeeping.run_duties()

    shown = condition(parts)
    assert shown is not None
    assert (shown.status, shown.reason) == ("True", "ActFailed")
    assert failed.metadata.name in shown.message
    assert f"finops resume {failed.metadata.name}" in shown.message
    labels = {"namespace": NAMESPACE, "policy": "p", "action": waiting.spec.action}
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) == 1.0
    events = client.EventsV1Api(parts.connection.api).list_namespaced_event(NAMESPACE).items
    notes = [one.note for one in events if one.reason == "ActFailed" and one.type == "Warning"]
    assert len(notes) == before + 1, "once, at the turn"
    assert shown.message in notes

    resume(parts, failed)
    parts.housekeeping.run_duties()
    after = condition(parts)
    assert after is not None
    assert (after.status, after.reason) == ("False", "NonePaused")
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) == 0.0


def test_the_request_that_paused_others_is_kept_until_they_are_resumed(parts: Parts) -> None:
    failed = fail(parts, approved(parts, 1))
    parts.clock.sleep(timedelta(days=40).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, failed.metadata.name) is not None
    resume(parts, failed)
    parts.clock.sleep(timedelta(days=40).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, failed.metadata.name) is None


def test_the_story_has_the_pause_and_who_ended_it_and_not_as_time_of_the_act(parts: Parts) -> None:
    failed = fail(parts, approved(parts, 1))
    before = story_of(parts.ledger._stream, request_reference(failed))
    assert before is not None
    parts.clock.at += timedelta(hours=100)
    assert resume(parts, failed)[0] == "Counted"
    story = story_of(parts.ledger._stream, request_reference(failed))
    assert story is not None
    assert (story.lasted, story.stretches) == (before.lasted, before.stretches)
    sentences = [event.sentence.whole for event in story.events]
    action = failed.spec.action
    assert f"Policy p {action} is paused until a person resumes it" in sentences
    assert f"k8s.bob resumed {action} of policy p" in sentences
    assert latest_stories(parts.ledger._stream, 10).stories


def test_the_verifier_finds_acts_resumed_without_a_vote(parts: Parts) -> None:
    failed = fail(parts, approved(parts, 1))
    resume(parts, failed)
    honest = parts.ledger_path.read_text(encoding="utf-8").splitlines()
    assert verify(honest).problems == ()
    without = [line for line in honest if json.loads(line)["record"]["detail"].get("choice") != "Resume"]
    assert "Word" in {problem.code for problem in verify(without).problems}


def test_the_verifier_finds_an_act_that_began_before_its_kind_was_resumed(parts: Parts) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    fail(parts, failed)
    assert resume(parts, failed)[0] == "Counted"
    begun = act_of(waiting)
    step = next(one for one in begun.plan.steps if one.changes)
    call = intent_entry(begun, Call(step, 1), with_request(step.parameters, begun.uid), {}, back=False)
    for entry in (started_entry(begun), call):
        parts.ledger.append(entry)
    honest = parts.ledger_path.read_text(encoding="utf-8").splitlines()
    assert verify(honest).problems == ()
    without = [line for line in honest if json.loads(line)["record"]["kind"] != "acts resumed"]
    assert "Pause" in {problem.code for problem in verify(without).problems}


def test_a_failure_after_a_word_to_resume_was_sent_is_not_ended_by_it(parts: Parts) -> None:
    first, second, waiting = approved(parts, 1), approved(parts, 2), approved(parts, 3)
    fail(parts, first)
    sent = parts.vote(waiting, "bob", decision="Resume", reason="capacity is back")
    # The operator stands still in between: the second act fails, and only then the word is judged.
    parts.clock.at += timedelta(minutes=1)
    second = fail(parts, second, "stop failed: IncorrectState")
    parts.decider.advance(parts.requests.fresh(waiting))

    answer = parts.approvals.api.get(NAMESPACE, sent.metadata.name)
    assert answer is not None
    assert answer.status.reason == "Resume"
    left = Pauses(parts.ledger).in_force(scope_of(waiting))
    assert [pause.request for pause in left] == [second.metadata.name]
    assert parts.gate.still_allowed(act_of(waiting)) is not None


def test_a_word_to_resume_from_before_every_failure_is_refused_and_says_what_failed(parts: Parts) -> None:
    failed, waiting = approved(parts, 1), approved(parts, 2)
    sent = parts.vote(waiting, "bob", decision="Resume", reason="I resume in advance")
    parts.clock.at += timedelta(minutes=1)
    failed = fail(parts, failed)
    parts.decider.advance(parts.requests.fresh(waiting))

    answer = parts.approvals.api.get(NAMESPACE, sent.metadata.name)
    assert answer is not None
    assert answer.status.reason == "NotPaused"
    assert answer.status.message == (
        f"After you sent this, {failed.metadata.name} was rolled back: AWS had no m5.large capacity. "
        "Find out why, then resume again."
    )
    assert parts.gate.still_allowed(act_of(waiting)) is not None


def shown_on(parts: Parts, request: ActionRequest) -> Condition | None:
    return find_condition(parts.requests.fresh(request).status.conditions, "ActsPaused")


def test_requests_say_whether_they_paused_others_or_wait_for_a_resumption(parts: Parts) -> None:
    failed, waiting, pending = approved(parts, 1), approved(parts, 2), parts.propose(3, approval=TERMS)
    failed = fail(parts, failed)
    parts.housekeeping.run_duties()
    for one in (failed, waiting):
        condition = shown_on(parts, one)
        assert condition is not None
        assert (condition.status, condition.reason) == ("True", "ActFailed")
        assert f"finops resume {one.metadata.name} -n {NAMESPACE} --reason WHY" in condition.message
    assert shown_on(parts, pending) is None, "nothing of it waits before it is approved"

    another = fail(parts, approved(parts, 4), "stop failed: IncorrectState")
    parts.housekeeping.run_duties()
    condition = shown_on(parts, waiting)
    assert condition is not None
    assert f"{another.metadata.name} was rolled back: stop failed: IncorrectState. (2 such acts" in condition.message

    resume(parts, waiting)
    parts.housekeeping.run_duties()
    for one in (failed, waiting):
        condition = shown_on(parts, one)
        assert condition is not None
        assert (condition.status, condition.reason) == ("False", "NonePaused")


ACTION = "ec2_instance_stop"


def edit(parts: Parts, **actions: Any) -> None:
    current = parts.policies.api.get(NAMESPACE, "p")
    assert current is not None
    wanted = {"actions": {"allowed": [ACTION], "mode": "Approve", **actions}}
    client.CustomObjectsApi(parts.connection.api).patch_namespaced_custom_object(
        "finops.dev", "v1alpha1", NAMESPACE, "scanpolicies", "p", {"spec": wanted}
    )
    parts.policies.read_again()


@pytest.mark.parametrize("change", [{"mode": "Recommend"}, {"mode": "DryRun"}, {"allowed": ["ebs_volume_delete"]}])
def test_what_a_policy_shows_follows_its_edits_and_an_edit_is_not_called_a_resumption(
    parts: Parts, change: dict[str, Any]
) -> None:
    failed = fail(parts, approved(parts, 1))
    parts.housekeeping.run_duties()
    labels = {"namespace": NAMESPACE, "policy": "p", "action": failed.spec.action}
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) == 1.0

    edit(parts, **change)
    parts.housekeeping.run_duties()
    shown = condition(parts)
    assert shown is not None
    assert (shown.status, shown.reason) == ("False", "NonePaused")
    assert shown.message.startswith("The policy no longer lets the operator do the acts that are paused")
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) is None

    edit(parts)
    parts.housekeeping.run_duties()
    shown = condition(parts)
    assert shown is not None
    assert (shown.status, shown.reason) == ("True", "ActFailed")
    current = parts.policies.api.get(NAMESPACE, "p")
    assert current is not None
    assert shown.observed_generation == current.metadata.generation
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) == 1.0


def test_a_process_that_gives_up_the_lease_takes_its_gauge_back(parts: Parts) -> None:
    failed = fail(parts, approved(parts, 1))
    parts.housekeeping.run_duties()
    labels = {"namespace": NAMESPACE, "policy": "p", "action": failed.spec.action}
    parts.paused_kinds.forget()
    assert parts.telemetry.registry.get_sample_value("finops_acts_paused", labels) is None


def test_an_act_that_did_worse_than_promised_holds_the_others_until_a_person_resumes_them(parts: Parts) -> None:
    bad, waiting = approved(parts, 1), approved(parts, 2)
    bad = got_worse(parts, bad)

    stop = parts.gate.still_allowed(act_of(waiting))
    assert stop is not None
    assert f"{bad.metadata.name} did worse than promised: Its CPU is full. Find out why" in stop.message
    parts.housekeeping.run_duties()
    shown = shown_on(parts, bad)
    assert shown is not None
    assert (shown.status.value, shown.reason) == ("True", "ActFailed")

    assert resume(parts, bad) == ("Counted", "Resume")

    assert parts.gate.still_allowed(act_of(waiting)) is None
    parts.housekeeping.run_duties()
    shown = shown_on(parts, bad)
    assert shown is not None
    assert shown.status.value == "False"
