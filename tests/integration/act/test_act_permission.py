"""A first call leans on what the gate has just seen, and on nothing older; until then an act shows as not begun."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, prepare, run_to_end, run_until
from tests.support.act_world import ACCOUNT, FakeGate, World

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.errors import LedgerDiverged
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActProgress, ActRequest
from finops.store.connection import open_ledger_connection
from finops_sandbox.aws.double import AwsDouble

_FROZEN = Stop(StopKind.HOLD, "Frozen", "All acts are frozen: incident.")
_BEFORE_FIRST_INTENT = (
    "act.admitted",
    "act.observed",
    "act.gate",
    "act.started.before",
    "act.started.after",
    "sts.before",
    "sts.after",
    "intent.before",
)


@dataclass(slots=True)
class CountingGate(FakeGate):
    """Counts the votes that the ledger holds whenever it is asked, as the operator's gate does."""

    ledger: DurableLedger | None = None

    def still_allowed(self, request: ActRequest) -> Stop | None:
        assert self.ledger is not None
        self.asked += 1
        standing: set[str] = set()
        for record in self.ledger.of_request(request.uid):
            if record.entry.kind is RecordKind.VOTED:
                taken_back = record.entry.detail["choice"] == "Withdraw"
                (standing.discard if taken_back else standing.add)(record.entry.actor)
        if standing >= set(request.deciders):
            return None
        return Stop(StopKind.WITHDRAWN, "QuorumLost", f"Only {len(standing)} of 2 approvals still count.")


def withdraw(ledger: DurableLedger, request: ActRequest) -> None:
    """Record a counted withdrawal, as the decider does."""
    ledger.append(
        Entry(
            operation_id="vote:withdrawal",
            actor=request.deciders[0],
            kind=RecordKind.VOTED,
            request=request.ledger_name,
            plan_hash=request.plan_hash,
            result="counted",
            detail={"choice": "Withdraw"},
        )
    )


@pytest.mark.parametrize("boundary", _BEFORE_FIRST_INTENT)
def test_a_vote_taken_back_at_any_moment_before_the_first_intent_stops_the_act(
    boundary: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    world.gate = CountingGate(ledger=ledger)
    world.passage = at(boundary, lambda: withdraw(ledger, request))
    result = run_to_end(world, request, ledger)
    assert (result.state, result.message) == (State.WITHDRAWN, "Only 1 of 2 approvals still count.")
    assert effects(aws.calls) == {}
    assert [record["kind"] for record in records(world.ledger_path) if record["kind"] == "intent"] == []
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()
    assert world.status.states == [State.WITHDRAWN]


def test_a_vote_taken_back_stops_the_act_although_the_stores_owner_hides_it(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    world.gate = CountingGate(ledger=ledger)
    store = open_ledger_connection(world.redis_url, prefix=world.prefix)

    def take_back_and_hide() -> None:
        withdraw(ledger, request)
        store.client.rpop(store.keys.ledger_request(request.uid))

    world.passage = at("intent.before", take_back_and_hide)
    with pytest.raises(LedgerDiverged, match="hides record"):
        world.executor(ledger).run(request)
    assert effects(aws.calls) == {}
    assert [record["kind"] for record in records(world.ledger_path) if record["kind"] == "intent"] == []
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()


def test_a_vote_taken_back_right_before_the_call_that_destroys_keeps_the_volume(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.gate = CountingGate(ledger=ledger)
    world.passage = at("intent.before", lambda: withdraw(ledger, request), passage=3)
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    assert effects(aws.calls) == {"CreateSnapshot": 2}
    check(aws.calls, world.ledger_path, session=request.name)


def test_anything_else_recorded_about_the_request_makes_the_act_read_again_and_go_on(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    posted = Entry("posted:u1", "slackbot", RecordKind.POSTED, request=request.ledger_name, plan_hash=request.plan_hash)
    world.passage = at("intent.before", lambda: ledger.append(posted))
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert world.gate.asked == 4
    assert effects(aws.calls) == {"StopInstances": 1}
    check(aws.calls, world.ledger_path, session=request.name)


def test_records_about_other_requests_do_not_hold_an_act_up(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    other = Entry("posted:u2", "slackbot", RecordKind.POSTED, request="team-a/savings-u2/u2")
    world.passage = at("intent.before", lambda: ledger.append(other))
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert world.gate.asked == 2


def test_a_role_that_refuses_leaves_the_request_as_it_is_and_says_why_it_waits(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    nobody = replace(request.access, executor_role_arn=f"arn:aws:iam::{ACCOUNT}:role/nobody")
    executor = world.executor(ledger)
    for _ in range(2):
        waiting = executor.run(replace(request, access=nobody))
        assert waiting.state is None
        assert waiting.message.startswith("Waiting: ")
        assert "AssumeRole" in waiting.message
    assert world.status.reports == []
    # The machine stops in its own time: perhaps before this run ends.
    assert executor.run(request).state in {None, State.SUCCEEDED}
    assert world.status.states[0] is State.EXECUTING
    assert effects(aws.calls) == {"StopInstances": 1}


def test_a_freeze_before_the_first_intent_leaves_the_request_as_it_is(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    world.passage = at("sts.after", lambda: setattr(world.gate, "stop", _FROZEN))
    assert world.executor(ledger).run(request).message == _FROZEN.message
    assert world.status.reports == []
    world.gate.stop = None
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


def test_executing_is_shown_once_the_first_intent_stands_and_with_the_time_of_it(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    stood: list[bool] = []
    first_report = at(
        "status.before", lambda: stood.extend(r.entry.kind is RecordKind.INTENT for r in ledger.of_request("u1")[-1:])
    )
    world.passage = first_report
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert stood == [True]
    intent = next(r for r in ledger.of_request("u1") if r.entry.kind is RecordKind.INTENT)
    first = world.status.reports[0]
    assert first == ActProgress(
        state=State.EXECUTING,
        step="stop",
        attempt=1,
        ledger_sequence=intent.sequence,
        started_at=intent.time,
        fence=1,
        called=True,
    )


def test_a_freeze_after_a_first_call_that_aws_refused_is_shown_until_it_is_lifted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    aws.control.inject({"kind": "throttle", "service": "ec2", "action": "StopInstances", "count": 1})
    world.passage = at("outcome.after", lambda: setattr(world.gate, "stop", _FROZEN))
    run_until(world, request, ledger, lambda seen: seen.message == _FROZEN.message)
    last = world.status.reports[-1]
    assert (last.state, last.message, last.called) == (State.EXECUTING, _FROZEN.message, False)
    world.gate.stop = None
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    told = [(report.state, report.message) for report in world.status.reports]
    assert told[told.index((State.EXECUTING, _FROZEN.message)) + 1] == (State.EXECUTING, "")


def test_during_its_rollback_an_act_keeps_saying_why(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "ModifyInstanceAttribute"})
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    messages = [report.message for report in world.status.reports]
    turned = next(number for number, message in enumerate(messages) if message.startswith("Turning back: "))
    assert len(messages) > turned + 2
    assert set(messages[turned:-1]) == {messages[turned]}
