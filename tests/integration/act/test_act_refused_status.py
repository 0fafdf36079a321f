"""Reporting never stops an act, whatever the API server answers to a status."""

from __future__ import annotations

from tests.integration.act.act_checker import check
from tests.integration.act.act_story import at, instance, prepare, run_to_end
from tests.support.act_world import World

from finops.domain.decision import State
from finops.errors import InvalidInput
from finops_sandbox.aws.double import AwsDouble


def _refuse() -> None:
    raise InvalidInput("cannot write the status of ActionRequest x: has a lower fence than before", code="Invalid")


def test_a_resize_whose_status_is_refused_from_the_stop_on_ends_running_at_its_new_type(
    world: World, aws: AwsDouble
) -> None:
    """Every call is made while no status is accepted."""
    request, ledger = prepare(world)

    def refuse_from_now_on() -> None:
        world.status.failure = _refuse

    world.passage = at("aws.sent", refuse_from_now_on)
    executor = world.executor(ledger)
    for _ in range(2000):
        result = executor.run(request)
        if result.message.startswith("Ended as Succeeded"):
            break
        assert result.retry_after_seconds is not None
        world.clock.sleep(result.retry_after_seconds)
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.large")

    world.status.failure = None

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert world.status.states[-1] is State.SUCCEEDED
    check(aws.calls, world.ledger_path, session=request.name)
