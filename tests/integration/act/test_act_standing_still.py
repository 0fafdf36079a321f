"""A process that stands still in the wrong instant: longer than its lease, or longer than an effect may take to show.

The model of the protocol found both (`tests/integration/protocol`).
"""

from __future__ import annotations

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, instance, prepare, run_to_end, run_until
from tests.support.act_world import ACCOUNT, REGION, World

from finops.domain.decision import State
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
