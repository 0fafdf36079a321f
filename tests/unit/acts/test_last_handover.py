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
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, plan_of, recommendation

from finops.domain.audit import Record
from finops.errors import ClusterUnavailable, LedgerUnavailable
from finops.k8s.connection import connect
from finops.k8s.deployment import OwnDeployment
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock, SystemClock
from finops.ports.ledger import Ledger
from finops_operator.acts.last_handover import STRANDED_SECONDS, LastHandover, strands
from finops_operator.acts.progress import ActResult
from finops_operator.rules.access import access_of
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION as DETACH
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE

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

    def act(self, act: ActRequest, _stopping: Callable[[], bool]) -> ActResult:
        self.led_back.append(act.uid)
        return ActResult(None, "done")

    def handover(self) -> LastHandover:
        return LastHandover(
            self.wanted,
            lambda: self.acts,
            self.act,
            lambda act: strands(self.action, act, cast("Ledger", self.ledger)),
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


def test_an_api_server_that_accepts_and_never_answers_holds_the_end_of_a_resize_for_a_second(
    mute_server: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                "clusters": [{"name": "k", "cluster": {"server": mute_server}}],
                "users": [{"name": "u", "user": {}}],
            }
        ),
        encoding="utf-8",
    )
    own = OwnDeployment(connect(str(path)), "finops-system", "release")
    with pytest.raises(ClusterUnavailable):  # as at every start, the client's modules are loaded by then
        own.replicas(0.01)
    clock = SystemClock()
    world = World(clock, acts(1), lambda _seconds: 1, HangingLedger(clock), RESIZE)
    last = world.handover()
    last.start()
    last.replicas = own.replicas

    assert seconds_of(last) < 1.0 + MARGIN

    assert world.led_back == [], "who does not know it hands over as if somebody came"
