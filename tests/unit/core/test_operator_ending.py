"""At the end the Lease goes first, and no wait for a loop is longer than a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, plan_of, recommendation

from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.clock import SystemClock
from finops_operator.acts.last_handover import LastHandover
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background, start_loop, unended
from finops_operator.parts.ending import HEED_SECONDS, Ending
from finops_operator.requests.acts_under_way import ActsUnderWay
from finops_operator.rules.access import access_of
from finops_operator.telemetry import Telemetry

MARGIN = 0.4
LOOPS = ("requests", "anchoring", "lease", "scheduler", "housekeeping", "watches", "webhooks", "what-ifs")


@dataclass
class Loops:
    """Loops that heed their stop at once, but for those that hang until the test is over."""

    hanging: tuple[str, ...]
    answers: bool = True
    defect: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    story: list[str] = field(default_factory=list)
    acts: tuple[ActRequest, ...] = ()
    replicas: int = 1
    began: float = field(default_factory=time.monotonic)

    def loop(self, name: str, stop: threading.Event) -> threading.Thread:
        def work() -> None:
            (self.over if name in self.hanging else stop).wait()
            self.story.append(f"{name} ended")

        return start_loop(name, work, lambda: None)

    def give_up(self) -> None:
        self.story.append("released")
        if self.defect == "lease release":
            raise ValueError("a defect")
        if not self.answers:
            self.over.wait()

    def close(self) -> None:
        self.story.append("closed")
        if self.defect == "closing":
            raise ValueError("a defect")

    def act(self, _act: ActRequest, _stopping: Callable[[], bool]) -> ActResult:
        self.story.append("led back")
        return ActResult(None, "done")

    def ending(self) -> Ending:
        stop, anchoring, lease = threading.Event(), threading.Event(), threading.Event()
        stop.set()
        handover = LastHandover(
            lambda _seconds: self.replicas,
            lambda: self.acts,
            self.act,
            lambda _act: True,
            lambda _act: True,
            Background(Telemetry(), SystemClock()),
            SystemClock(),
            60.0,
        )
        self.replicas, wanted = 1, self.replicas
        handover.start()
        self.replicas = wanted
        requests, *others = [self.loop(name, stop) for name in LOOPS if name not in {"anchoring", "lease"}]
        return Ending(
            handover=handover,
            requests=requests,
            anchoring=self.loop("anchoring", anchoring),
            stop_anchoring=anchoring,
            lease=self.loop("lease", lease),
            stop_lease=lease,
            rest=others,
            give_up=self.give_up,
            close=self.close,
        )


@pytest.fixture
def loops() -> Iterator[Callable[..., Loops]]:
    made: list[Loops] = []

    def make(*hanging: str, **more: Any) -> Loops:
        made.append(Loops(hanging, **more))
        return made[-1]

    yield make
    for one in made:
        one.over.set()
    assert unended([t for t in threading.enumerate() if t.name in {*LOOPS, "lease release"}], 5) == ()


def seconds_of(ending: Ending) -> float:
    began = time.monotonic()
    ending.run()
    return time.monotonic() - began


def act() -> ActRequest:
    plan = plan_of(recommendation(1))
    limits = Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1)
    tenant = Tenant(namespace="team-a", policy="p")
    return ActRequest(
        uid="u",
        name="r",
        tenant=tenant,
        access=access_of(account()),
        plan=plan,
        plan_hash=plan.hash,
        deciders=(),
        limits=limits,
    )


@pytest.mark.parametrize("hanging", LOOPS)
def test_the_lease_is_released_before_the_rest_and_no_loop_that_hangs_is_waited_for_longer_than_a_second(
    hanging: str, loops: Callable[..., Loops], caplog: pytest.LogCaptureFixture
) -> None:
    world = loops(hanging)

    took = seconds_of(world.ending())

    before_release = 1.0 if hanging in {"requests", "anchoring"} else 0.0
    assert took < before_release + HEED_SECONDS + MARGIN
    assert "released" in world.story
    assert f"{hanging} ended" not in world.story
    assert f"ends without what still waits for an answer: {hanging}" in caplog.text
    assert "closed" not in world.story, "what hangs may still need it"


def test_where_nothing_hangs_the_end_comes_at_once_acts_first_then_the_anchor_then_the_lease(
    loops: Callable[..., Loops],
) -> None:
    world = loops()

    assert seconds_of(world.ending()) < MARGIN

    order = [world.story.index(one) for one in ("requests ended", "anchoring ended", "released", "closed")]
    assert order == sorted(order)


def test_with_everything_hanging_and_no_answer_of_the_api_server_the_end_takes_three_seconds(
    loops: Callable[..., Loops],
) -> None:
    world = loops(*LOOPS, answers=False)

    assert seconds_of(world.ending()) < 3.0 + MARGIN


def test_an_act_that_hangs_is_left_to_the_successor_within_a_second(loops: Callable[..., Loops]) -> None:
    world = loops("requests", acts=(act(),))

    assert seconds_of(world.ending()) < 2 * HEED_SECONDS + MARGIN

    assert "led back" not in world.story


def test_scaled_to_zero_an_act_that_hangs_is_waited_for_and_led_back_before_the_lease_goes(
    loops: Callable[..., Loops],
) -> None:
    world = loops("requests", acts=(act(),), replicas=0)
    ending = world.ending()
    threading.Timer(1.5, world.over.set).start()

    ending.run()

    order = [world.story.index(one) for one in ("requests ended", "led back", "released")]
    assert order == sorted(order)


def test_a_defect_of_the_handover_is_raised_when_the_lease_is_free_and_everything_has_ended(
    loops: Callable[..., Loops],
) -> None:
    world = loops(acts=(act(),), replicas=0)
    ending = world.ending()

    def defective() -> tuple[ActRequest, ...]:
        raise ValueError("a defect")

    ending.handover.acts = defective
    with pytest.raises(ValueError, match="a defect"):
        ending.run()

    assert "released" in world.story
    assert world.story[-1] == "closed"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("defect", ["lease release", "closing"])
def test_a_defect_in_freeing_the_lease_or_in_closing_is_raised_when_everything_else_has_ended(
    defect: str, loops: Callable[..., Loops]
) -> None:
    world = loops(defect=defect)

    with pytest.raises(RuntimeError, match=defect):
        world.ending().run()

    assert {f"{one} ended" for one in LOOPS} < set(world.story)
    assert world.story[-1] == "closed"


def test_an_act_that_runs_may_stand_in_its_first_call_and_counts_as_begun() -> None:
    under_way = ActsUnderWay(FakeClock())
    under_way.keep([act()], begun=False)
    assert under_way.begun() == ()
    (one,) = under_way.take_ready()

    assert under_way.begun() == (one.last,)

    under_way.ran("u", one, 5.0)
    assert under_way.begun() == ()
