"""A volume that was used while nobody observed it is kept, though CloudWatch shows the use some minutes late."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, prepare, run_to_end, run_until
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_world import FastClock, World

from finops.domain.decision import State
from finops.ports.act import ActRequest
from finops.ports.aws_steps import ExecutorSessions, Reader
from finops_operator.acts.executor import Executor
from finops_operator.acts.progress import ActResult, ActSettings
from finops_sandbox.aws.double import AwsDouble

_LAST_SNAPSHOT = {"ebs_volume_delete": 2, "ebs_volume_detach_delete": 3}
_SHOWN_AFTER = timedelta(minutes=4)


@dataclass
class LateFigures:
    """Sessions whose CloudWatch shows a use only so long after it."""

    sessions: ExecutorSessions
    now: Callable[[], datetime]
    used: datetime
    meanwhile: Callable[[], None] | None = None

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
        values = self.late.values
        if self.late.meanwhile is not None:
            self.late.meanwhile()
        results = [{**one, "Values": values} for one in answer["MetricDataResults"]]
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


@dataclass(frozen=True, slots=True)
class LeapingClock(FastClock):
    """A clock that can leap: a process that stood still finds it later than it thought."""

    leaps: list[float] = field(default_factory=list)
    sleeps_leap: bool = False

    def now(self) -> datetime:
        return FastClock.now(self) + timedelta(seconds=sum(self.leaps))

    def monotonic(self) -> float:
        return FastClock.monotonic(self) + sum(self.leaps)

    def sleep(self, seconds: float) -> None:
        if self.sleeps_leap:
            self.leap(seconds)
        time.sleep(0.01 if self.sleeps_leap else seconds / self.speed)

    def leap(self, seconds: float) -> None:
        self.leaps.append(seconds)


_STOOD_STILL_SECONDS = 4000.0
"""Longer than the longest gap of a world whose clock runs fast."""


@pytest.fixture
def leaping(world: World) -> LeapingClock:
    world.clock = LeapingClock(time.time())
    return world.clock


def results_of_deletion(world: World) -> list[str]:
    """Return the results of the intents and outcomes of the deletion, or our code where there is one."""
    found = [one for one in records(world.ledger_path) if one["step"] == "delete_volume" and one["attempt"]]
    return [str(one["detail"].get("code", one["result"])) for one in found]


def not_used_yet(world: World) -> LateFigures:
    """Let CloudWatch show a use late, whenever there is one."""
    assert world.sessions is not None
    late = LateFigures(world.sessions, world.clock.now, datetime.max.replace(tzinfo=UTC) - _SHOWN_AFTER)
    world.sessions = cast("ExecutorSessions", late)
    return late


def waits(result: ActResult) -> bool:
    return result.message.startswith("Waiting up to 10 minutes")


def outcomes(world: World) -> int:
    return sum(one["kind"] == "outcome" and one["result"] == "ok" for one in records(world.ledger_path))


def once_before_deletion(
    world: World, boundary: str, outcomes_before: int, deed: Callable[[], None]
) -> Callable[[str], None]:
    """Return a passage that does something once, at a boundary between the last snapshot and the call."""
    passed = False

    def passage(name: str) -> None:
        nonlocal passed
        if name == boundary and not passed and outcomes(world) == outcomes_before:
            passed = True
            deed()

    return passage


def assert_kept(result: ActResult, aws: AwsDouble) -> None:
    assert result.state is State.ROLLED_BACK, result
    assert "CloudWatch shows that it was attached after its first snapshot." in result.message
    assert effects(aws.calls)["DeleteVolume"] == 0


@pytest.mark.parametrize("stood_still", [0.0, 20.0])
def test_with_the_operators_own_settings_a_volume_is_deleted_unless_time_passed(
    stood_still: float, world: World, aws: AwsDouble
) -> None:
    """On a clock on which a second lasts one, though nobody waits for it."""
    clock = LeapingClock(time.time(), 1.0, sleeps_leap=True)
    world.clock, world.settings = clock, ActSettings()
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = once_before_deletion(world, "aws.before", 2, lambda: clock.leap(stood_still))
    result = run_until(world, request, ledger, lambda result: result.state is not None or waits(result))
    assert waits(result) is bool(stood_still)
    assert effects(aws.calls)["DeleteVolume"] == (0 if stood_still else 1)
    assert results_of_deletion(world) == (["", "NotObserved"] if stood_still else ["", "ok"])


@pytest.mark.parametrize(
    ("boundary", "recorded"),
    [
        ("act.gate", []),
        ("sts.before", []),
        ("sts.after", []),
        ("intent.before", ["", "NotObserved"]),
        ("intent.after", ["", "NotObserved"]),
        ("aws.before", ["", "NotObserved"]),
    ],
)
@pytest.mark.parametrize("action", list(_LAST_SNAPSHOT))
def test_a_use_between_the_last_reading_and_the_deletion_is_found(
    action: str, boundary: str, recorded: list[str], world: World, leaping: LeapingClock, aws: AwsDouble
) -> None:
    """The process stands still, and goes on."""
    request, ledger = prepare(world, action)
    late = not_used_yet(world)

    def stand_still() -> None:
        late.used = leaping.now()
        leaping.leap(_STOOD_STILL_SECONDS)

    world.passage = once_before_deletion(world, boundary, _LAST_SNAPSHOT[action], stand_still)
    assert_kept(run_to_end(world, request, ledger), aws)
    assert results_of_deletion(world) == recorded
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("boundary", ["sts.before", "aws.before"])
def test_whoever_stood_still_shortly_before_the_deletion_waits_and_deletes_what_nobody_used(
    boundary: str, world: World, leaping: LeapingClock, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = once_before_deletion(world, boundary, 2, lambda: leaping.leap(_STOOD_STILL_SECONDS))
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert any(one.message.startswith("Waiting up to 10 minutes") for one in world.status.reports)
    assert effects(aws.calls) == {"CreateSnapshot": 2, "DeleteVolume": 1}
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_use_while_cloudwatch_is_slow_to_answer_is_found(world: World, leaping: LeapingClock, aws: AwsDouble) -> None:
    """The volume is read before the figures, and nothing else is late."""
    request, ledger = prepare(world, "ebs_volume_delete")
    late = not_used_yet(world)

    def use() -> None:
        if outcomes(world) == 2:
            late.used, late.meanwhile = world.clock.now(), None
            leaping.leap(_STOOD_STILL_SECONDS)

    late.meanwhile = use
    assert_kept(run_to_end(world, request, ledger), aws)
    assert late.used <= leaping.now()
    check(aws.calls, world.ledger_path, session=request.name)
