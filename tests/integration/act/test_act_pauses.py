"""An act that fails on the AWS double pauses its kind in the ledger, before its own end is recorded, and once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.integration.act.act_checker import check
from tests.integration.act.act_story import at, prepare, run_to_end, run_until
from tests.support.act_cases import CASES
from tests.support.act_world import TENANT, FakeGate, World

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import Choice, State, Vote, Voter
from finops.domain.execution import Stop, StopKind
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.decisions.pauses import Failure, Pause, Pauses, Scope, held_by
from finops_sandbox.aws.double import AwsDouble

RESIZE = Scope(TENANT.namespace, TENANT.policy, "ec2_instance_resize")


class _Killed(Exception):
    """The process ends here."""


def pauses(ledger: DurableLedger, scope: Scope = RESIZE) -> list[tuple[str, str]]:
    return [(pause.request, str(pause.record.entry.detail["state"])) for pause in Pauses(ledger).in_force(scope)]


def test_a_rolled_back_act_pauses_its_kind_and_says_why(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "instanceType": "m5.large"})
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK

    (pause,) = Pauses(ledger).in_force(RESIZE)
    assert isinstance(pause, Pause)
    assert pause.why.startswith(f"{request.name} was rolled back: AWS had no m5.large capacity in us-east-1")
    ended = ledger.find(f"{request.uid}:ended")
    assert ended is not None
    assert pause.record.sequence < ended.sequence, "a crash in between leaves the kind paused, never the reverse"
    assert pauses(ledger, Scope(TENANT.namespace, TENANT.policy, "ec2_instance_stop")) == []
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("boundary", ["ledger.acts paused.after-stream", "finish.after"])
def test_a_process_that_dies_around_the_record_leaves_one_pause(boundary: str, world: World, aws: AwsDouble) -> None:
    def die() -> None:
        raise _Killed

    world.passage = at(boundary, die)
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "instanceType": "m5.large"})
    with pytest.raises(_Killed):
        run_to_end(world, request, ledger)

    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    assert pauses(ledger) == [(request.name, "RolledBack")]
    check(aws.calls, world.ledger_path, session=request.name)


def test_an_act_that_needs_a_person_pauses_its_kind_while_it_is_still_tried(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "notTypes": ["none"]})
    run_until(world, request, ledger, lambda _: State.NEEDS_HUMAN in world.status.states)
    assert pauses(ledger) == [(request.name, "NeedsHuman")]

    aws.control.clear_faults()
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    assert pauses(ledger) == [(request.name, "NeedsHuman"), (request.name, "RolledBack")]


def test_an_act_that_still_fails_after_the_others_were_resumed_pauses_them_again(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "notTypes": ["none"]})
    run_until(world, request, ledger, lambda _: State.NEEDS_HUMAN in world.status.states)
    (failed,) = Pauses(ledger).in_force(RESIZE)
    before = len(intents(ledger))
    run_until(world, request, ledger, lambda _: len(intents(ledger)) > before)
    world.clock.sleep(1)
    said = ledger.append(Entry("vote:v1", "k8s.alice", RecordKind.VOTED, request=request.ledger_name))
    word = Vote("v1", "v1", request.uid, request.plan_hash, Choice.RESUME, "", Voter("kubernetes", "alice"), said.time)
    Pauses(ledger).resume(RESIZE, word, said)
    assert pauses(ledger) == []

    # As after a restart, which finds the act where it was left: that is no new failure.
    detail = failed.record.entry.detail
    stands_still = Failure(State.NEEDS_HUMAN, str(detail["reason"]), str(detail["step"]))
    Pauses(ledger).pause(RESIZE, request.ledger_name, request.plan_hash, stands_still)
    assert pauses(ledger) == []

    attempts = len(intents(ledger))
    run_until(world, request, ledger, lambda _: bool(pauses(ledger)) or len(intents(ledger)) > attempts + 3)
    assert pauses(ledger) == [(request.name, "NeedsHuman")]


@dataclass(slots=True)
class WhilePaused(FakeGate):
    """The gate's question about pauses alone."""

    ledger: DurableLedger | None = None

    def still_allowed(self, request: ActRequest) -> Stop | None:
        assert self.ledger is not None
        scope = held_by(request, self.ledger)
        held = scope is not None and Pauses(self.ledger).in_force(scope)
        return Stop(StopKind.HOLD, "Paused", "Waiting: paused") if held else None


@pytest.mark.parametrize("boundary", ["intent.before", "sts.after", "act.started.after"])
def test_a_pause_that_lands_after_the_gate_has_answered_keeps_the_first_call_from_being_made(
    boundary: str, world: World, aws: AwsDouble
) -> None:
    def another_fails() -> None:
        Pauses(ledger).pause(
            RESIZE, f"{TENANT.namespace}/other/u9", "1" * 64, Failure(State.ROLLED_BACK, "no capacity")
        )

    world.passage = at(boundary, another_fails)
    request, ledger = prepare(world)
    world.gate = WhilePaused(ledger=ledger)
    run_until(world, request, ledger, lambda result: "paused" in result.message)
    assert pauses(ledger) == [("other", "RolledBack")]
    assert intents(ledger) == []
    assert [call.action for call in aws.calls if not call.dry_run] == []


def test_a_pause_that_lands_after_the_first_intent_lets_the_act_come_to_its_end(world: World, aws: AwsDouble) -> None:
    def another_fails() -> None:
        Pauses(ledger).pause(
            RESIZE, f"{TENANT.namespace}/other/u9", "1" * 64, Failure(State.ROLLED_BACK, "no capacity")
        )

    world.passage = at("intent.after", another_fails)
    request, ledger = prepare(world)
    world.gate = WhilePaused(ledger=ledger)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    check(aws.calls, world.ledger_path, session=request.name)


def intents(ledger: DurableLedger) -> list[Record]:
    return [one for one in ledger.read() if one.entry.kind is RecordKind.INTENT]


@pytest.mark.parametrize("action", sorted(CASES))
def test_an_act_that_succeeds_pauses_nothing(action: str, world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, action)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert pauses(ledger, Scope(TENANT.namespace, TENANT.policy, action)) == []


def test_a_dry_run_that_aws_refuses_pauses_nothing(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, dry_run=True)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "StopInstances"})
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    assert pauses(ledger) == []
