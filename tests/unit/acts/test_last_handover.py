"""Whoever is asked to end asks first whether somebody comes after it, and waits for no answer longer than a second."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
import urllib3
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, plan_of, recommendation

from finops.domain.audit import Record
from finops.errors import ClusterUnavailable, LedgerUnavailable, Refused
from finops.k8s.connection import connect
from finops.k8s.deployment import OwnDeployment
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock, SystemClock
from finops.ports.ledger import Ledger
from finops_operator.acts.last_handover import ASK_SECONDS, STRANDED_SECONDS, LastHandover, is_last, is_parted, strands
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.rules.access import access_of
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION as DETACH
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.telemetry import Telemetry

TIMEOUT_SECONDS = 2.0
MARGIN = 1.0
"""Seconds for a busy machine; what is wrong takes half a minute."""


@dataclass
class HangingLedger:
    """Its store accepts the question and never answers: each one ends after the time-out of its connection."""

    clock: Clock
    seconds: float = TIMEOUT_SECONDS
    asked: list[str] = field(default_factory=list)

    def of_request(self, uid: str) -> tuple[Record, ...]:
        self.asked.append(uid)
        self.clock.sleep(self.seconds)
        raise LedgerUnavailable("the store does not answer")


@dataclass
class World:
    """Acts under way at the end of an operator whose Deployment wants so many replicas."""

    clock: Clock
    acts: tuple[ActRequest, ...]
    wanted: Callable[[float], int | None]
    ledger: HangingLedger
    action: Any = DETACH
    led_back: list[str] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    telemetry: Telemetry = field(default_factory=Telemetry)

    def action_of(self, act: ActRequest) -> Any:
        return self.others.get(act.uid, self.action)

    def act(self, act: ActRequest, _stopping: Callable[[], bool]) -> ActResult:
        self.led_back.append(act.uid)
        return ActResult(None, "done")

    def handover(self) -> LastHandover:
        return LastHandover(
            self.wanted,
            lambda: self.acts,
            self.act,
            lambda act: strands(self.action_of(act)),
            lambda act: is_parted(self.action_of(act), act, cast("Ledger", self.ledger)),
            Background(self.telemetry, self.clock),
            self.clock,
            120.0,
        )


def acts(number: int) -> tuple[ActRequest, ...]:
    plan = plan_of(recommendation(1))
    limits = Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1)
    first = ActRequest(
        uid="u",
        name="r",
        tenant=Tenant(namespace="team-a", policy="p"),
        access=access_of(account()),
        plan=plan,
        plan_hash=plan.hash,
        deciders=(),
        limits=limits,
    )
    return tuple(replace(first, uid=f"u{one}") for one in range(number))


def seconds_of(last: LastHandover) -> float:
    begun = time.monotonic()
    last.finish()
    return time.monotonic() - begun


def kubeconfig(folder: Path, server: str) -> Path:
    path = folder / "kubeconfig"
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


@pytest.fixture
def mute_server() -> Iterator[str]:
    """Return the address of a server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_whoever_has_a_successor_ends_within_a_second_also_when_the_store_hangs() -> None:
    clock = SystemClock()
    world = World(clock, acts(3), lambda _seconds: 1, HangingLedger(clock))
    last = world.handover()
    last.start()

    assert seconds_of(last) < 1.0

    assert world.led_back == []
    assert world.ledger.asked == []


def test_scaled_to_zero_the_question_of_what_is_stranded_has_one_bound_and_no_answer_means_stranded() -> None:
    clock = FakeClock()
    wanted = iter([1, 0])
    world = World(clock, acts(40), lambda _seconds: next(wanted), HangingLedger(clock))
    last = world.handover()
    last.start()
    begun = clock.monotonic()

    last.finish()

    assert clock.monotonic() - begun <= STRANDED_SECONDS + TIMEOUT_SECONDS
    assert len(world.ledger.asked) < 4
    assert world.led_back == [one.uid for one in world.acts]


def test_without_an_act_under_way_nobody_asks_how_many_are_wanted() -> None:
    asked: list[float] = []
    clock = FakeClock()

    def wanted(seconds: float) -> int:
        asked.append(seconds)
        return 1

    last = World(clock, (), wanted, HangingLedger(clock)).handover()
    last.start()
    last.finish()

    assert len(asked) == 1, "at start"


NO_ANSWER = ClusterUnavailable("cannot read the Deployment")


def answering(clock: Clock, *answers: Any) -> Callable[[float], int | None]:
    """Return an API server that gives these answers in turn; a pair says after how many seconds it would answer."""
    left = list(answers)

    def replicas(seconds: float) -> int | None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, tuple):
            took, answer = answer
            clock.sleep(min(took, seconds))
            if took > seconds:
                raise NO_ANSWER
        if isinstance(answer, Exception):
            raise answer
        return cast("int | None", answer)

    return replicas


def ended(clock: Clock, *answers: Any, number: int = 1, action: Any = RESIZE) -> World:
    """Return the world after an operator was started and ended."""
    world = World(clock, acts(number), answering(clock, *answers), HangingLedger(clock), action)
    last = world.handover()
    last.start()
    last.finish()
    return world


@pytest.mark.parametrize(
    ("wanted", "deployed", "last"),
    [(0, True, True), (0, False, True), (1, True, False), (2, False, False), (None, True, True), (None, False, False)],
)
def test_no_replica_is_certain_and_an_absent_deployment_only_where_there_was_one(
    wanted: int | None, *, deployed: bool, last: bool
) -> None:
    assert is_last(wanted, deployed=deployed) is last


@pytest.mark.parametrize(
    "answers", [(NO_ANSWER, 0), (1, (1.2, 0)), (1, NO_ANSWER, 0), (1, NO_ANSWER, (3.0, NO_ANSWER), 0)]
)
def test_one_slow_or_failed_answer_leaves_no_instance_stopped(answers: tuple[Any, ...]) -> None:
    assert ended(FakeClock(), *answers).led_back == ["u0"]


def test_an_act_that_is_down_is_named_when_the_api_server_gives_no_answer_within_the_bound(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    begun = clock.monotonic()

    world = ended(clock, 1, (60.0, 0))

    assert world.led_back == []
    assert ASK_SECONDS - 1 <= clock.monotonic() - begun <= ASK_SECONDS + 1.5
    (error,) = (one for one in caplog.records if one.levelname == "ERROR")
    assert world.acts[0].ledger_name in error.getMessage()


@pytest.mark.parametrize("failed", [NO_ANSWER, Refused("no right")])
def test_an_act_that_may_have_parted_something_is_named_when_nobody_knows_whether_somebody_comes(
    failed: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    world = World(clock, acts(3), answering(clock, 1, failed), HangingLedger(clock), DETACH, others={"u1": DELETE})
    last = world.handover()
    last.start()

    last.finish()

    assert world.ledger.asked == [], "the lease is held meanwhile"
    (error,) = (one for one in caplog.records if one.levelname == "ERROR")
    named = [one.uid for one in world.acts if one.ledger_name in error.getMessage()]
    assert named == ["u0", "u2"]


def test_an_act_that_may_have_parted_something_is_led_back_though_the_first_answer_was_lost() -> None:
    assert ended(FakeClock(), 1, NO_ANSWER, 0, action=DETACH).led_back == ["u0"]


@pytest.mark.parametrize(("answers", "action"), [((1, Refused("no right"), 0), RESIZE), ((1, NO_ANSWER, 0), DELETE)])
def test_it_is_asked_once_where_the_api_server_refuses_or_nothing_is_down(
    answers: tuple[Any, ...], action: Any
) -> None:
    clock = FakeClock()
    begun = clock.monotonic()

    assert ended(clock, *answers, action=action).led_back == []
    assert clock.monotonic() == begun


def test_a_successor_does_not_wait_when_the_first_answer_is_lost() -> None:
    clock = FakeClock()
    begun = clock.monotonic()

    assert ended(clock, 1, NO_ANSWER, 1).led_back == []
    assert clock.monotonic() - begun <= 0.5


def test_where_the_pod_has_no_time_left_nothing_is_asked_again() -> None:
    clock = FakeClock()
    world = World(clock, acts(1), answering(clock, 1, NO_ANSWER, 0), HangingLedger(clock), RESIZE)
    last = world.handover()
    last.seconds = 30.0
    last.start()
    begun = clock.monotonic()

    last.finish()

    assert clock.monotonic() == begun


def test_acts_that_strand_nothing_stay_where_they_are_while_the_ledger_gives_no_answer() -> None:
    clock = FakeClock()
    world = World(clock, acts(40), answering(clock, 1, 0), HangingLedger(clock))
    world.others = {f"u{one}": DELETE for one in range(10, 40)} | {"u39": RESIZE}
    last = world.handover()
    last.start()

    last.finish()

    assert world.led_back == [*(f"u{one}" for one in range(10)), "u39"]
    assert len(world.ledger.asked) < 4


def test_a_defect_in_one_act_leaves_the_others_alone_is_counted_and_is_raised_at_the_end() -> None:
    clock = FakeClock()
    world = World(clock, acts(3), answering(clock, 1, 0), HangingLedger(clock), RESIZE)
    last, real, met = world.handover(), world.act, list[str]()

    def act(one: ActRequest, stopping: Callable[[], bool]) -> ActResult:
        if one.uid == "u0" and len(met) < 2:
            met.append(one.uid)
            raise ValueError("a defect")
        return real(one, stopping)

    last.act = act
    last.start()
    with pytest.raises(ValueError, match="a defect"):
        last.finish()

    assert world.led_back == ["u1", "u2", "u0"]
    assert world.telemetry.defects.labels("acts")._value.get() == 2


def test_an_act_whose_records_meet_a_defect_may_be_stranded() -> None:
    clock = FakeClock()
    world = World(clock, acts(2), answering(clock, 1, 0), HangingLedger(clock))
    last = world.handover()

    def defective(_act: ActRequest) -> bool:
        raise ValueError("a defect")

    last.is_parted = defective
    last.start()
    with pytest.raises(ValueError, match="a defect"):
        last.finish()

    assert world.led_back == ["u0", "u1"]


def test_an_api_server_that_cannot_be_reached_is_connected_to_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The end waits for no second connect."""
    tried: list[Any] = []

    def never(address: Any, *_more: Any, **_options: Any) -> None:
        tried.append(address)
        raise TimeoutError("timed out")

    monkeypatch.setattr(urllib3.util.connection, "create_connection", never)
    own = OwnDeployment(connect(str(kubeconfig(tmp_path, "http://127.0.0.1:9"))), "finops-system", "release")

    with pytest.raises(ClusterUnavailable):
        own.replicas(1.0)

    assert len(tried) == 1


def test_an_api_server_that_accepts_and_never_answers_holds_the_end_of_an_act_without_risk_for_a_second(
    mute_server: str, tmp_path: Path
) -> None:
    path = kubeconfig(tmp_path, mute_server)
    own = OwnDeployment(connect(str(path)), "finops-system", "release")
    with pytest.raises(ClusterUnavailable):  # as at every start, the client's modules are loaded by then
        own.replicas(0.01)
    clock = SystemClock()
    world = World(clock, acts(1), lambda _seconds: 1, HangingLedger(clock), DELETE)
    last = world.handover()
    last.start()
    last.replicas = own.replicas

    assert seconds_of(last) < 1.0 + MARGIN

    assert world.led_back == [], "who does not know it hands over as if somebody came"
