"""Acts share few threads: whoever waits holds none, whoever must reach an end goes first, and stop means stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from tests.support.scan_samples import account, plan_of, recommendation, request

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State, Trigger
from finops.errors import ClusterUnavailable, FenceLost, FinopsError, InvalidInput, LedgerUnavailable, Refused
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.clock import SystemClock
from finops_operator.acts.progress import ActResult
from finops_operator.cluster.cache import ClusterCache
from finops_operator.requests.acts_under_way import ACTS_AT_ONCE
from finops_operator.requests.loop import RequestLoop
from finops_operator.rules.access import access_of
from finops_operator.telemetry import Telemetry

WAITS = ActResult(None, "not there yet", 3600.0)
Run = Callable[[ActRequest, Callable[[], bool]], ActResult]


def act(number: int, *, role: str = "") -> ActRequest:
    plan = plan_of(recommendation(number))
    limits = Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1)
    access = replace(access_of(account()), executor_role_arn=role)
    return ActRequest(
        uid=f"uid-rec{number}",
        name=f"r-rec{number}",
        tenant=Tenant(namespace="team-a", policy="p"),
        access=access,
        plan=plan,
        plan_hash=plan.hash,
        deciders=(),
        limits=limits,
    )


@dataclass
class Surroundings:
    """Stands for the API server and the ledger: says what is there now and keeps what it is told."""

    roles: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    called: set[str] = field(default_factory=set)
    ended: list[tuple[str, Trigger, str]] = field(default_factory=list)

    def again(self, last: ActRequest, *, begun: bool) -> ActRequest:
        if self.silent:
            raise ClusterUnavailable("nobody answers")
        return act(int(last.uid.removeprefix("uid-rec")), role=self.roles.get(last.uid, "")) if begun else last

    def has_begun(self, uid: str) -> bool:
        return uid in self.called

    def end(self, request: ActionRequest, trigger: Trigger, message: str) -> None:
        self.ended.append((request.metadata.name, trigger, message))

    def judge_votes(self, request: ActionRequest) -> bool:
        return False

    def close(self) -> None:
        """Nobody asks for an undo here."""

    def see_all(self) -> frozenset[str | None]:
        """The world has shown everything from the start."""
        return frozenset()


@dataclass
class Looping:
    loop: RequestLoop
    around: Surroundings
    stop: threading.Event

    def keep(self, *acts: ActRequest, begun: bool = False) -> None:
        self.loop._parts.under_way.keep(acts, begun=begun)
        self.loop.cache.ring()


@contextmanager
def looping(run: Run, *, poll: float = 30.0, **around: Any) -> Iterator[Looping]:
    surroundings, cache, stop = Surroundings(**around), ClusterCache(), threading.Event()
    unused: Any = None
    loop = RequestLoop(
        cache=cache,
        requests=unused,
        decider=cast("Any", surroundings),
        gate=unused,
        act=run,
        acts=cast("Any", surroundings),
        freeze=unused,
        telemetry=Telemetry(),
        clock=SystemClock(),
        may_write=lambda: True,
        fence=lambda: 1,
        poll_seconds=poll,
        undoing=cast("Any", surroundings),
    )
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    try:
        yield Looping(loop, surroundings, stop)
    finally:
        stop.set()
        cache.ring()
        thread.join(10)
        assert not thread.is_alive()


def soon(test: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 5
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_dozen_acts_that_wait_hold_no_thread() -> None:
    ran: list[str] = []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        ran.append(one.uid)
        return WAITS

    with looping(run) as at:
        at.keep(*(act(number) for number in range(12)))
        soon(lambda: len(ran) == 12)
        at.keep(act(99))
        soon(lambda: ran[12:] == ["uid-rec99"])


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (FenceLost("another process has the lease"), logging.INFO),
        (LedgerUnavailable("it does not answer"), logging.INFO),
        (InvalidInput("an admission webhook refuses it", field="status"), logging.WARNING),
    ],
)
def test_an_act_that_goes_on_by_itself_is_no_warning_and_one_that_is_refused_is(
    caplog: pytest.LogCaptureFixture, error: FinopsError, level: int
) -> None:
    def run(_one: ActRequest, _: Callable[[], bool]) -> ActResult:
        raise error

    with caplog.at_level(logging.INFO), looping(run) as at:
        at.keep(act(1))
        soon(lambda: lines_about_acts(caplog))
    assert lines_about_acts(caplog) == {level}


def test_a_defect_in_one_act_leaves_the_others_running_and_the_act_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ran: list[str] = []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        ran.append(one.uid)
        if one.uid == "uid-rec1":
            raise KeyError("nobody expected this")
        return WAITS

    with looping(run) as at:
        at.keep(act(1))
        soon(lambda: ran == ["uid-rec1"])
        at.keep(act(2))
        soon(lambda: "uid-rec2" in ran)
        soon(lambda: not at.loop._parts.under_way._running)
        assert {one.last.uid for one in at.loop._parts.under_way._unfinished.values()} == {"uid-rec1", "uid-rec2"}
        assert at.loop.telemetry.registry.get_sample_value("finops_defects_total", {"part": "acts"}) == 1
    assert lines_about_acts(caplog) == {logging.ERROR}


def lines_about_acts(caplog: pytest.LogCaptureFixture) -> set[int]:
    return {line.levelno for line in caplog.records if line.getMessage().startswith("act ")}


def test_an_act_is_run_again_when_its_time_comes_without_any_event() -> None:
    times: list[float] = []

    def run(_one: ActRequest, _: Callable[[], bool]) -> ActResult:
        times.append(time.monotonic())
        return ActResult(None, "soon", 0.2)

    with looping(run) as at:
        at.keep(act(1), begun=True)
        soon(lambda: len(times) == 3)

    assert 0.15 < times[1] - times[0] < 2.0


def test_ways_to_an_end_go_before_new_beginnings_and_always_find_a_thread() -> None:
    hold, running = threading.Event(), []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        running.append(one.uid)
        hold.wait(5)
        return ActResult(State.SUCCEEDED, "done")

    with looping(run) as at:
        at.keep(*(act(number) for number in range(20)))
        soon(lambda: len(running) == ACTS_AT_ONCE - 2)
        at.keep(act(50), act(51), act(52), begun=True)
        soon(lambda: len(running) == ACTS_AT_ONCE)
        assert set(running[-2:]) == {"uid-rec50", "uid-rec51"}
        hold.set()
        soon(lambda: len(running) == 23)
        assert "uid-rec52" in running[ACTS_AT_ONCE : ACTS_AT_ONCE + 3]


def test_after_stop_nothing_new_begins_and_what_runs_is_logged() -> None:
    hold, running, told = threading.Event(), [], []

    def run(one: ActRequest, stopping: Callable[[], bool]) -> ActResult:
        running.append(one.uid)
        hold.wait(5)
        told.append(stopping())
        return ActResult(None, "handed over", 0.0)

    with looping(run) as at:
        at.keep(*(act(number) for number in range(12)))
        soon(lambda: len(running) == ACTS_AT_ONCE - 2)
        at.stop.set()
        at.keep(act(60), begun=True)
        hold.set()

    assert len(running) == ACTS_AT_ONCE - 2
    assert told == [True] * len(running)


def test_a_role_that_is_corrected_in_mid_act_is_used_at_the_next_run() -> None:
    roles: list[str] = []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        roles.append(one.access.executor_role_arn)
        right = one.access.executor_role_arn == "right"
        return ActResult(State.SUCCEEDED, "done") if right else ActResult(None, "denied", 0.05)

    with looping(run, roles={"uid-rec1": "wrong"}) as at:
        at.keep(act(1), begun=True)
        soon(lambda: "wrong" in roles)
        at.around.roles["uid-rec1"] = "right"
        soon(lambda: roles[-1] == "right")
        soon(lambda: not at.loop._parts.under_way._unfinished)


def test_while_the_api_server_does_not_answer_only_what_has_begun_goes_on() -> None:
    ran: list[str] = []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        ran.append(one.uid)
        return WAITS

    with looping(run, silent=True) as at:
        at.keep(act(1))
        at.keep(act(2), begun=True)
        soon(lambda: ran)
        soon(lambda: not at.loop._parts.under_way._running)

    assert ran == ["uid-rec2"]


@pytest.mark.parametrize("state", [State.SCHEDULED, None])
def test_an_act_that_this_program_cannot_carry_out_is_ended_once(state: State | None) -> None:
    tries: list[str] = []

    def run(one: ActRequest, _: Callable[[], bool]) -> ActResult:
        tries.append(one.uid)
        raise Refused("there is no such action", code="UnknownAction")

    with looping(run) as at:
        if state is not None:
            at.loop.cache.requests.put(request(recommendation(1), state))
        at.keep(act(1), begun=state is not None)
        soon(lambda: tries)
        soon(lambda: not at.loop._parts.under_way._unfinished)

    expected = [("r-rec1", Trigger.WITHDRAWN, "there is no such action")] if state is not None else []
    assert at.around.ended == expected
    assert len(tries) == 1
