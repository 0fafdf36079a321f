"""Waiting holds no thread: a run returns and is called again, and says nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.act.act_checker import records
from tests.integration.act.act_story import prepare, run_until
from tests.integration.act.act_world import ESTATE, FastClock, World

from finops.domain.decision import State
from finops.domain.next_move import LOOK_CAP_SECONDS
from finops_sandbox.aws.double import AwsDouble, Delays


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    """AWS that takes longer over a stop than several looks."""
    with AwsDouble(ESTATE, delays=Delays(state_seconds=5.0, status_check_seconds=0.03)) as double:
        yield double


def test_a_wait_gives_the_thread_back_and_the_status_is_told_once(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    executor = world.executor(ledger)
    waiting = executor.run(request)
    assert (waiting.state, waiting.retry_after_seconds) == (None, 5.0)
    assert waiting.message.startswith("wait_stopped")
    told = len(world.status.reports)
    assert executor.run(request) == waiting
    assert len(world.status.reports) == told


def test_a_stop_that_hangs_calls_a_person_once_in_the_ledger_whatever_process_looks(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    run_until(world, request, ledger, lambda seen: seen.message.startswith("wait_stopped"))
    world.clock = FastClock(world.clock.base - 10.0)
    for _ in range(3):
        late = world.executor(ledger).run(request)
        assert (late.state, late.retry_after_seconds) == (None, LOOK_CAP_SECONDS)
        assert "takes longer" in late.message
    assert world.status.states[-1] is State.NEEDS_HUMAN
    assert sum(record["result"] == "NeedsHuman" for record in records(world.ledger_path)) == 1
