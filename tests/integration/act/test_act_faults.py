"""Acts that meet an unfriendly world: lost answers, no capacity, freezes, silence, edits by hand, a lost lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_world import (
    ACCOUNT,
    ACTIONS,
    REGION,
    World,
    make_sessions,
    propose,
    vote,
    warm_sdk,
)
from tests.integration.act.test_act_runs import CASES, find
from tests.valkey import ValkeyProcess, running_valkey

from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.errors import ClusterUnavailable, Conflict, FenceLost, Refused
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ports.act import ActRequest, Limits
from finops.store.connection import open_ledger_connection, open_store
from finops_operator.acting.progress import ActResult
from finops_operator.acting.records import in_flight
from finops_sandbox.aws.double import AwsDouble

_FREEZE = Stop(StopKind.HOLD, "Frozen", "Acts are frozen.")


@dataclass(slots=True)
class ExpiringLease:
    """Raises from every question once it is gone, as the real one does."""

    lost: bool = False
    remaining_seconds: float = 30.0

    @property
    def fence(self) -> int:
        self.check()
        return 1

    def check(self) -> None:
        if self.lost:
            raise FenceLost("the lease is held by somebody else")


def prepare(world: World, action: str = "ec2_instance_resize", **change: Any) -> tuple[ActRequest, DurableLedger]:
    """Propose and approve one act."""
    name, parameters, _ = CASES[action]
    world.sessions = make_sessions(world.clock, warm_sdk())
    request = propose(world.sessions, ACTIONS[action], find(name), {**parameters, **change}, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    return request, ledger


def run_to_end(world: World, request: ActRequest, ledger: DurableLedger) -> ActResult:
    """Call `run` as the operator's loop does, until the act has ended."""
    executor = world.executor(ledger)
    for _ in range(50):
        result = executor.run(request)
        if result.retry_after_seconds is None:
            return result
        world.clock.sleep(result.retry_after_seconds)
    raise AssertionError(result)


def instance(aws: AwsDouble) -> dict[str, Any]:
    return dict(aws.control.resource(ACCOUNT, REGION, find("web").id))


def at(name: str, deed: Callable[[], object], *, passage: int = 1) -> Callable[[str], None]:
    """Return a passage that does something at the n-th time a boundary is met."""
    count = 0

    def passed(met: str) -> None:
        nonlocal count
        if met == name:
            count += 1
            if count == passage:
                deed()

    return passed


@pytest.mark.parametrize("action", sorted(CASES))
@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "throttle", "http_error"])
def test_a_lost_or_refused_answer_to_each_call_costs_time_but_no_second_effect(
    action: str, fault: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    for step in request.plan.steps:
        if step.changes:
            service, _, operation = step.operation.partition(":")
            extra = {"status": 503} if fault == "http_error" else {}
            aws.control.inject({"kind": fault, "service": service, "action": operation, "count": 1, **extra})
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    assert effects(aws.calls) == CASES[action][2]
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_call_that_hangs_times_out_and_is_settled_by_looking(world: World, aws: AwsDouble) -> None:
    world.settings = replace(world.settings, call_seconds=1.0, minimum_call_seconds=0.5)
    request, ledger = prepare(world)
    aws.control.inject({"kind": "hang", "service": "ec2", "action": "StopInstances", "seconds": 3, "count": 1})
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    told = [(record["step"], record["result"]) for record in records(world.ledger_path) if record["step"] == "stop"]
    assert told == [("stop", ""), ("stop", "unknown"), ("stop", "absent"), ("stop", ""), ("stop", "ok")]
    check(aws.calls, world.ledger_path, session=request.name)
    # The double writes the hung call down when it lets go of it; that must not fall into the next test.
    deadline = time.monotonic() + 10
    while [call.action for call in aws.calls].count("StopInstances") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)


def test_without_capacity_for_the_new_type_the_instance_runs_again_at_the_old_one(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "instanceType": "m5.large"})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "InsufficientInstanceCapacity" in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert world.status.states[-1] is State.ROLLED_BACK
    check(aws.calls, world.ledger_path, session=request.name)


def test_without_any_capacity_a_person_is_called_and_the_start_is_tried_until_it_succeeds(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "notTypes": ["none"]})

    def alarm_seen() -> bool:
        return State.NEEDS_HUMAN in world.status.states

    def capacity_returns() -> None:
        deadline = time.monotonic() + 20
        while not alarm_seen() and time.monotonic() < deadline:
            time.sleep(0.01)
        aws.control.clear_faults()

    helper = threading.Thread(target=capacity_returns)
    helper.start()
    result = run_to_end(world, request, ledger)
    helper.join()
    assert alarm_seen()
    assert result.state is State.ROLLED_BACK
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert any(record["result"] == "NeedsHuman" for record in records(world.ledger_path))
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize(
    "edit", [{"type": "m5.2xlarge"}, {"tags": {"team": "other"}}, {"state": "stopped"}, {"delete": True}]
)
def test_a_resource_edited_by_hand_after_the_proposal_is_stale_and_nothing_is_called(
    edit: dict[str, Any], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, edit)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert aws.calls == []
    check(aws.calls, world.ledger_path, session=request.name)


def test_protection_put_on_after_the_proposal_stops_the_act(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"protectStop": True})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "protection" in result.message
    assert aws.calls == []


@pytest.mark.parametrize(("kind", "state"), [(StopKind.WITHDRAWN, State.WITHDRAWN), (StopKind.EXPIRED, State.EXPIRED)])
def test_a_lost_vote_or_the_expiry_before_the_first_call_ends_the_act(
    kind: StopKind, state: State, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    world.gate.stop = Stop(kind, "Lost", "Not any more.")
    assert run_to_end(world, request, ledger).state is state
    assert aws.calls == []


def test_a_freeze_before_the_first_call_holds_the_act_until_it_is_lifted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    world.gate.stop = _FREEZE
    held = world.executor(ledger).run(request)
    assert (held.state, held.message) == (None, "Acts are frozen.")
    assert aws.calls == []
    world.gate.stop = None
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


@pytest.mark.parametrize("kind", [StopKind.HOLD, StopKind.EXPIRED, StopKind.WITHDRAWN])
@pytest.mark.parametrize("passage", [1, 2])
def test_freeze_and_expiry_between_steps_do_not_leave_the_instance_stopped(
    kind: StopKind, passage: int, world: World, aws: AwsDouble
) -> None:
    def forbid() -> None:
        world.gate.stop = Stop(kind, "Late", "Too late.")

    request, ledger = prepare(world)
    world.passage = at("aws.sent", forbid, passage=passage)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert instance(aws)["state"] == "running"


def test_a_person_who_sets_another_type_in_mid_act_keeps_it_and_gets_a_running_instance(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)

    def edit() -> None:
        time.sleep(0.1)
        aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"type": "m5.2xlarge"})

    world.passage = at("aws.sent", edit)
    result = world.executor(ledger).run(request)
    assert result.state is State.NEEDS_HUMAN
    assert result.retry_after_seconds is not None
    time.sleep(0.1)
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.2xlarge")


def test_a_volume_attached_while_its_snapshot_is_made_is_not_deleted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = at(
        "outcome.after",
        lambda: aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"tags": {"keep": "yes"}}),
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert effects(aws.calls) == {"CreateSnapshot": 1}
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_role_without_the_right_is_rolled_back_with_the_missing_right_named(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "ModifyInstanceAttribute"})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "UnauthorizedOperation" in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")


def test_a_plan_other_than_the_approved_one_is_refused(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    with pytest.raises(Refused, match="approved"):
        world.executor(ledger).run(replace(request, plan_hash="0" * 64))
    with pytest.raises(Refused, match="no action"):
        world.executor(ledger).run(replace(request, plan=replace(request.plan, action="ec2_instance_explode")))
    assert aws.calls == []


def test_without_a_second_sink_nothing_is_called(world: World, aws: AwsDouble) -> None:
    request, _ = prepare(world)
    store = open_ledger_connection(world.redis_url, prefix=world.prefix)
    ledger = open_ledger(store, None, clock=world.clock, fence=lambda: 1)
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


def test_a_lease_lost_while_the_store_is_silent_stops_the_act_without_an_exception(
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


@pytest.mark.parametrize("error", [ClusterUnavailable("no answer"), Conflict("changed")])
def test_a_silent_api_server_delays_the_status_not_the_act(
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
