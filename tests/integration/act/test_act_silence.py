"""Acts whose own side fails: ledger, lease, store, API server, process; and acts that compete."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import ExpiringLease, at, instance, prepare, run_to_end
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_cases import CASES, find
from tests.support.act_world import (
    ACCOUNT,
    REGION,
    World,
    vote,
)
from tests.support.ledger_keys import KEYS
from tests.support.valkey import ValkeyProcess, running_valkey

from finops.domain.decision import State
from finops.errors import ClusterUnavailable, Conflict, InvalidInput, LedgerDiverged
from finops.ledger.durable import open_ledger
from finops.ports.act import Limits
from finops.ports.aws_steps import ExecutorSessions, Reader
from finops.store.connection import open_ledger_connection, open_store
from finops_operator.acts.journal import in_flight
from finops_sandbox.aws.double import AwsDouble


def test_without_a_second_sink_nothing_is_called(world: World, aws: AwsDouble) -> None:
    request, _ = prepare(world)
    store = open_ledger_connection(world.redis_url, prefix=world.prefix)
    ledger = open_ledger(store, None, keys=KEYS, clock=world.clock, fence=lambda: 1)
    result = world.executor(ledger).run(request)
    assert result.state is None
    assert "one sink" in result.message
    assert aws.calls == []


def test_a_lost_lease_stops_everything_and_the_next_holder_finishes(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)

    def lose() -> None:
        world.lease.lost = True

    world.passage = at("aws.sent", lose)
    assert world.executor(ledger).run(request).message.startswith("the lease is held")
    world.lease.lost, world.lease.fence, world.passage = False, 2, lambda _: None
    assert run_to_end(world, request, world.ledger()).state is State.SUCCEEDED
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_former_holder_that_wakes_up_cannot_write_and_does_not_call(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    successor = replace(world, lease=replace(world.lease, fence=2))
    vote(successor.ledger(), replace(request, uid="u2", name="savings-u2"), world.clock)
    result = world.executor(ledger).run(request)
    assert result.state is None
    assert "another process has written" in result.message
    assert aws.calls == []


def test_a_lease_lost_while_the_store_does_not_answer_stops_the_act_without_an_exception(
    world: World, aws: AwsDouble
) -> None:
    lease = ExpiringLease()
    request, ledger = prepare(world)

    def lose() -> None:
        lease.lost = True
        raise ClusterUnavailable("no answer")

    executor = replace(world.executor(ledger), lease=lease, passage=at("aws.sent", lose))
    result = executor.run(request)
    assert (result.state, result.message) == (None, "the lease is held by somebody else")


def test_with_too_little_lease_left_nothing_is_called(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    world.lease.remaining_seconds = 5.0
    assert "lease" in world.executor(ledger).run(request).message
    assert aws.calls == []


@pytest.fixture
def own_valkey() -> Iterator[ValkeyProcess]:
    with running_valkey() as server:
        yield server


@pytest.mark.parametrize("boundary", ["intent.before", "aws.before", "aws.sent", "outcome.after"])
def test_when_redis_dies_in_mid_act_the_act_holds_says_so_and_goes_on_when_it_is_back(
    boundary: str, world: World, aws: AwsDouble, own_valkey: ValkeyProcess
) -> None:
    world.redis_url = own_valkey.url
    request, ledger = prepare(world)
    # At the second call the instance is stopped already: this is the moment when holding must not mean forgetting.
    world.passage = at(boundary, own_valkey.kill, passage=2)

    def revive() -> None:
        deadline = time.monotonic() + 20
        while State.NEEDS_HUMAN not in world.status.states and time.monotonic() < deadline:
            time.sleep(0.01)
        own_valkey.start()

    helper = threading.Thread(target=revive)
    helper.start()
    result = run_to_end(world, request, ledger)
    helper.join()
    assert State.NEEDS_HUMAN in world.status.states
    assert result.state is State.SUCCEEDED
    assert effects(aws.calls) == CASES["ec2_instance_resize"][2]
    check(aws.calls, world.ledger_path, session=request.name)


def test_when_redis_is_down_from_the_start_nothing_is_called(
    world: World, aws: AwsDouble, own_valkey: ValkeyProcess
) -> None:
    world.redis_url = own_valkey.url
    request, ledger = prepare(world)
    own_valkey.kill()
    result = world.executor(ledger).run(request)
    assert (result.state, aws.calls) == (None, [])
    own_valkey.start()
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("boundary", "states"), [("intent.before", []), ("aws.sent", [State.EXECUTING, State.NEEDS_HUMAN])]
)
def test_an_act_that_meets_a_diverged_ledger_stands_still_and_notifies_whoever_can_freeze_all_others(
    boundary: str, states: list[State], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    world.passage = at(boundary, lambda: world.ledger_path.write_bytes(b""))
    with pytest.raises(LedgerDiverged, match="somebody else changed it"):
        world.executor(ledger).run(request)
    assert world.status.states == states
    called = effects(aws.calls)
    assert called == ({"StopInstances": 1} if states else {})
    with pytest.raises(LedgerDiverged, match="somebody else changed it"):
        run_to_end(world, request, ledger)
    assert world.status.states[-1] is State.NEEDS_HUMAN
    assert effects(aws.calls) == called


@pytest.mark.parametrize("error", [ClusterUnavailable("no answer"), Conflict("changed")])
def test_an_api_server_that_does_not_answer_delays_the_status_not_the_act(
    error: ClusterUnavailable | Conflict, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    failures = 0

    def fail() -> None:
        nonlocal failures
        failures += 1
        if failures < 8:
            raise error

    world.status.failure = fail
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert world.status.states[-1] is State.SUCCEEDED
    assert instance(aws)["state"] == "running"


def test_one_act_per_resource_at_a_time_and_caps_hold_the_next(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    limited = replace(request, limits=Limits(per_hour=1, per_day=5, percent_of_fleet=100, fleet=10))
    other = replace(limited, uid="u2", name="savings-u2")
    vote(ledger, other, world.clock)
    executor = world.executor(ledger)
    assert executor.caps.admit(limited, world.clock.now()) is None
    assert "another act" in executor.run(other).message
    assert run_to_end(world, limited, ledger).state is State.SUCCEEDED
    refusal = executor.caps.admit(other, world.clock.now())
    assert refusal is not None
    assert refusal.code == "PerHour"
    assert (
        open_store(world.redis_url, prefix=world.prefix).client.exists(
            f"{world.prefix}caps:resource:{request.plan.resource.arn}"
        )
        == 0
    )


def test_a_setting_that_the_sdk_cannot_use_holds_an_act_that_has_begun_and_says_so(
    world: World, aws: AwsDouble
) -> None:
    """Invariant I5: whatever a reader raises, the act waits where it stands and a person is called."""
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)

    class Unusable:
        def reader(self, *_args: object, **_named: object) -> Reader:
            raise InvalidInput("is not a URL", field="AWS_ENDPOINT_URL_EC2")

    result = replace(world.executor(ledger), sessions=cast("ExecutorSessions", Unusable())).run(request)

    assert result.retry_after_seconds is not None
    assert "AWS_ENDPOINT_URL_EC2: is not a URL" in result.message
    assert world.status.states[-1] is State.NEEDS_HUMAN
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


def test_an_act_whose_resource_another_act_has_taken_waits_before_its_next_call_until_the_other_ends(
    world: World, aws: AwsDouble
) -> None:
    """Bullet "Caps leak after a kill", an act that lasts longer loses its lock: two acts never change one resource."""
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)
    caps, other = world.executor(ledger).caps, replace(request, uid="u2", name="savings-u2")
    caps.release(request, counted=True)
    assert caps.admit(other, world.clock.now()) is None

    for _ in range(20):
        result = world.executor(ledger).run(request)
        assert result.retry_after_seconds is not None
        world.clock.sleep(result.retry_after_seconds)
    assert "another act is under way on this resource" in result.message
    assert "another act is under way on this resource" in world.status.reports[-1].message
    assert effects(aws.calls) == {"StopInstances": 1}

    caps.release(other, counted=False)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    check(aws.calls, world.ledger_path, session=request.name)


def test_the_rollback_does_not_wait_for_another_act_on_the_resource(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)
    caps, other = world.executor(ledger).caps, replace(request, uid="u2", name="savings-u2")
    caps.release(request, counted=True)
    assert caps.admit(other, world.clock.now()) is None

    result = run_to_end(world, replace(request, only_back="The grant is gone."), ledger)

    assert result.state is State.ROLLED_BACK
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")


def test_a_stopping_process_hands_the_act_over_and_the_ledger_alone_is_enough_to_finish_it(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = True

    world.passage = at("outcome.after", stop)
    result = world.executor(ledger).run(request, lambda: stopping)
    assert result.message.startswith("handed over")
    found = in_flight(ledger)
    assert [(act.uid, act.account, act.plan.hash) for act in found] == [("u1", "production", request.plan_hash)]
    rebuilt = replace(request, plan=found[0].plan, deciders=found[0].deciders, estimate=found[0].estimate)
    assert run_to_end(world, rebuilt, ledger).state is State.SUCCEEDED
    assert in_flight(ledger) == ()
    check(aws.calls, world.ledger_path, session=request.name)


def test_running_an_ended_act_again_calls_nothing_and_saves_nothing_twice(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    run_to_end(world, request, ledger)
    before = len(aws.calls)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert len(aws.calls) == before
    assert open_store(world.redis_url, prefix=world.prefix).client.xlen(f"{world.prefix}realized") == 1


def test_a_stopped_instance_is_only_changed_and_stays_stopped(world: World, aws: AwsDouble) -> None:
    aws.control.change(ACCOUNT, REGION, find("web").id, {"state": "stopped"})
    request, ledger = prepare(world)
    assert [step.id for step in request.plan.steps] == ["modify_type"]
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert (instance(aws)["state"], instance(aws)["type"]) == ("stopped", "m5.large")
    assert effects(aws.calls) == {"ModifyInstanceAttribute": 1}
