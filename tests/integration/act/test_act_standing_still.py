"""A process that stands still in the wrong instant: longer than its lease, or longer than an effect may take to show.

The model of the protocol found both (`tests/integration/protocol`). When it stood still after the last check of the
lease, AWS refuses the call by the deadline of its session.
"""

from __future__ import annotations

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, instance, prepare, run_to_end, run_until
from tests.support.act_world import ACCOUNT, REGION, World, warm_sdk

from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops_operator.aws.session import read_config
from finops_sandbox.aws.double import AwsDouble

_ONCE = {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1}


@pytest.mark.parametrize("passage", [1, 2, 3])
def test_whoever_stood_still_before_a_call_for_longer_than_the_lease_does_not_make_it(
    passage: int, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    world.passage = at("aws.before", lambda: setattr(world.lease, "lost", True), passage=passage)
    stopped = run_until(world, request, ledger, lambda _result: world.lease.lost)
    assert stopped.message.startswith("the lease is held")
    assert effects(aws.calls).total() == passage - 1
    world.lease.lost, world.lease.fence, world.passage = False, 2, lambda _: None
    assert run_to_end(world, request, world.ledger()).state is State.SUCCEEDED
    assert effects(aws.calls) == _ONCE
    check(aws.calls, world.ledger_path, session=request.name)


def test_an_effect_that_shows_after_a_slow_observation_is_not_called_for_again(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "drop_before", "service": "ec2", "action": "ModifyInstanceAttribute", "count": 1})
    shown: list[str] = []

    def show_late(met: str) -> None:
        if met == "act.observed" and not shown and records(world.ledger_path)[-1]["result"] == "unknown":
            shown.append(met)
            aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"type": "m5.large"})
            world.clock.sleep(200)

    world.passage = show_late
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert instance(aws)["type"] == "m5.large"
    results = [record["result"] for record in records(world.ledger_path) if record["step"] == "modify_type"]
    assert results == ["", "unknown", "recovered"]


@pytest.mark.parametrize("passage", [1, 2, 3])
def test_a_call_that_aws_refuses_for_its_deadline_turns_nothing_back(
    passage: int, world: World, aws: AwsDouble
) -> None:
    """A machine that was paused as a whole: neither its clock nor its lease shows that time has passed."""
    request, ledger = prepare(world)
    world.passage = at("aws.before", lambda: aws.control.advance(40), passage=passage)

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED

    assert effects(aws.calls) == _ONCE
    (late,) = [record for record in records(world.ledger_path) if record["result"] == "unknown"]
    assert late["detail"]["code"] == "DeadlinePassed"
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("passage", [1, 2, 3])
def test_a_ledger_that_is_slow_for_longer_than_a_session_lasts_costs_a_second_session_and_nothing_else(
    passage: int, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)

    def write_slowly() -> None:
        # Forty seconds pass, in which the lease is renewed and the session is not; STS says what time it is.
        aws.control.advance(40)
        sdk = warm_sdk()
        sdk.client(sdk.base, "sts", REGION, read_config()).get_caller_identity()

    world.passage = at("intent.after", write_slowly, passage=passage)
    assumed = aws.counts["sts:AssumeRole"]

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED

    assert effects(aws.calls) == _ONCE
    assert [call.result for call in aws.calls if not call.applied] == []
    assert aws.counts["sts:AssumeRole"] - assumed == 4
    results = [record["result"] for record in records(world.ledger_path) if record["kind"] == "outcome"]
    assert results == ["started", "ok", "ok", "ok"]
    check(aws.calls, world.ledger_path, session=request.name)


def _write_slowly(aws: AwsDouble) -> None:
    """Let more time pass than a session lasts; STS says what time it is."""
    aws.control.advance(40)
    sdk = warm_sdk()
    sdk.client(sdk.base, "sts", REGION, read_config()).get_caller_identity()


def test_a_ledger_that_is_slow_before_a_deletion_has_the_resource_observed_anew(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_snapshot_delete")
    world.passage = at("intent.after", lambda: _write_slowly(aws))

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED

    assert effects(aws.calls) == {"DeleteDBSnapshot": 1}
    results = [record["result"] for record in records(world.ledger_path) if record["step"] == "delete"]
    assert results == ["", "absent", "", "ok"]
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_ledger_that_is_slow_before_every_deletion_ends_the_act_without_one(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_snapshot_delete")

    def always(met: str) -> None:
        if met == "intent.after":
            _write_slowly(aws)

    world.passage = always

    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
    assert aws.calls == []


def test_a_freeze_that_comes_while_a_second_session_is_made_is_heeded(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    written: list[str] = []

    def freeze() -> None:
        aws.control.advance(40)
        sdk = warm_sdk()
        sdk.client(sdk.base, "sts", REGION, read_config()).get_caller_identity()
        world.gate.stop = Stop(StopKind.HOLD, "Frozen", "frozen by hand")
        written.append("intent")

    world.passage = at("intent.after", freeze)
    run_until(world, request, ledger, lambda _result: bool(written))
    assert aws.calls == []


def test_a_session_that_is_too_near_its_end_announces_nothing(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)

    def take_long() -> None:
        aws.control.advance(40)
        sdk = warm_sdk()
        sdk.client(sdk.base, "sts", REGION, read_config()).get_caller_identity()

    world.passage = at("sts.after", take_long)
    result = world.executor(ledger).run(request)
    assert (result.state, result.message) == (None, "Waiting: the lease is about to end")
    assert [record["kind"] for record in records(world.ledger_path) if record["kind"] == "intent"] == []
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert effects(aws.calls) == _ONCE
