"""Waiting holds no thread: a run returns and is called again, and says nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.integration.act.act_checker import records
from tests.integration.act.act_story import at, prepare, run_until
from tests.support.act_world import ESTATE, FastClock, World

from finops.domain.decision import State
from finops.domain.situation import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS
from finops.errors import AwsCredentialsInvalid
from finops_sandbox.aws.double import AwsDouble, Delays


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    """AWS that takes longer over a stop than several looks."""
    with AwsDouble(ESTATE, delays=Delays(state_seconds=5.0, status_check_seconds=0.03)) as double:
        yield double


def test_a_wait_gives_the_thread_back_and_the_status_is_written_once(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    executor = world.executor(ledger)
    waiting = executor.run(request)
    assert waiting.state is None
    assert waiting.retry_after_seconds is not None
    assert SHORTEST_PAUSE_SECONDS <= waiting.retry_after_seconds <= 5
    assert waiting.message.startswith("wait_stopped")
    told = len(world.status.reports)
    again = executor.run(request)
    assert (again.state, again.message) == (waiting.state, waiting.message)
    assert len(world.status.reports) == told


def test_an_act_that_gets_no_session_leaves_its_place_to_others(world: World, aws: AwsDouble) -> None:
    """What waits before its first call holds no resource."""
    request, ledger = prepare(world)

    def fail() -> None:
        raise AwsCredentialsInvalid("the role cannot be assumed", operation="sts:AssumeRole", code="AccessDenied")

    world.passage = at("sts.before", fail)
    waiting = world.executor(ledger).run(request)
    assert waiting.message.startswith("Waiting: ")
    other = replace(request, uid="u2")

    assert world.executor(ledger).caps.admit(other, world.clock.now()) is None


def test_a_dry_run_neither_waits_behind_the_caps_of_real_acts_nor_uses_them_up(world: World, aws: AwsDouble) -> None:
    """A dry run does not wait behind the caps of real acts."""
    request, ledger = prepare(world)
    caps = world.executor(ledger).caps
    assert caps.admit(replace(request, uid="u2"), world.clock.now()) is None
    dry = replace(request, dry_run=True, limits=replace(request.limits, per_hour=1, per_day=1))

    assert world.executor(ledger).run(dry).state is State.SUCCEEDED


def test_a_stop_that_hangs_calls_a_person_once_in_the_ledger_whatever_process_reads_it(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    run_until(world, request, ledger, lambda seen: seen.message.startswith("wait_stopped"))
    world.clock = FastClock(world.clock.base - 10.0)
    for _ in range(3):
        late = world.executor(ledger).run(request)
        assert (late.state, late.retry_after_seconds) == (None, LONGEST_PAUSE_SECONDS)
        assert "takes longer" in late.message
    assert world.status.states[-1] is State.NEEDS_HUMAN
    assert sum(record["result"] == "NeedsHuman" for record in records(world.ledger_path)) == 1
