"""A volume that was used while nobody observed it is kept, though CloudWatch shows the use some minutes late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import at, prepare, run_to_end
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_world import World

from finops.domain.decision import State
from finops.ports.act import ActRequest
from finops.ports.aws_steps import ExecutorSessions, Reader
from finops_operator.acts.executor import Executor
from finops_sandbox.aws.double import AwsDouble

_LAST_SNAPSHOT = {"ebs_volume_delete": 2, "ebs_volume_detach_delete": 3}
_SHOWN_AFTER = timedelta(minutes=4)


@dataclass
class LateFigures:
    """Sessions whose CloudWatch shows a use only so long after it."""

    sessions: ExecutorSessions
    now: Callable[[], datetime]
    used: datetime

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sessions, name)

    def reader(self, *arguments: Any, **options: Any) -> Reader:
        return cast("Reader", LateReader(self.sessions.reader(*arguments, **options), self))

    @property
    def values(self) -> list[float]:
        return [4096.0] if self.now() >= self.used + _SHOWN_AFTER else []


@dataclass
class LateReader:
    reader: Reader
    late: LateFigures

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.reader.read(operation, parameters)
        if operation != "cloudwatch:GetMetricData":
            return answer
        results = [{**one, "Values": self.late.values} for one in answer["MetricDataResults"]]
        return {**answer, "MetricDataResults": results}


def used_now(world: World) -> None:
    """Somebody attaches the volume, writes to it and detaches it, and nobody observes it meanwhile."""
    assert world.sessions is not None
    world.sessions = cast("ExecutorSessions", LateFigures(world.sessions, world.clock.now, world.clock.now()))


class Killed(BaseException):
    """The process dies."""


def die() -> None:
    raise Killed


def carry_on(world: World, executor: Executor, request: ActRequest) -> None:
    while True:
        world.clock.sleep(executor.run(request).retry_after_seconds or 0)


@pytest.mark.parametrize("action", list(_LAST_SNAPSHOT))
def test_a_volume_that_was_used_while_the_operator_was_down_is_kept(action: str, world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, action)
    hand_over_after(world, request, ledger, _LAST_SNAPSHOT[action])
    used_now(world)
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK, result
    assert "CloudWatch shows that it was attached after its first snapshot." in result.message
    assert effects(aws.calls)["DeleteVolume"] == 0
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("boundary", ["intent.before", "intent.after", "aws.before"])
def test_a_use_after_a_death_right_before_the_deletion_is_found_too(
    boundary: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    dying = replace(world.executor(ledger), passage=at(boundary, die, passage=3))
    with pytest.raises(Killed):
        carry_on(world, dying, request)
    used_now(world)
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK, result
    assert effects(aws.calls) == {"CreateSnapshot": 2}
    check(aws.calls, world.ledger_path, session=request.name)


def test_after_a_restart_the_deletion_waits_until_cloudwatch_would_show_a_use_and_says_so(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    hand_over_after(world, request, ledger, 2)
    taken_over = world.clock.now()
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED
    assert world.clock.now() - taken_over >= timedelta(minutes=10)
    shown = [one.message for one in world.status.reports if one.step == "delete_volume"]
    assert any(message.startswith("Waiting up to 10 minutes") for message in shown)
    assert State.NEEDS_HUMAN not in world.status.states


def test_without_a_gap_it_is_deleted_as_soon_as_its_last_snapshot_is_complete(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert not any(one.message.startswith("Waiting up to") for one in world.status.reports)
