"""How the tests tell an act: prepare it, run it as the loop does, do something at a boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.act_cases import CASES, find
from tests.support.act_world import (
    ACCOUNT,
    ACTIONS,
    REGION,
    World,
    make_sessions,
    propose,
    vote,
    warm_sdk,
)

from finops.errors import FenceLost
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.progress import ActResult
from finops_sandbox.aws.double import AwsDouble


@dataclass(slots=True)
class ExpiringLease:
    """Raises from every question once it is gone, as the real one does."""

    lost: bool = False
    remaining_seconds: float = 30.0

    @property
    def fence(self) -> int:
        self.check()
        return 1

    def check(self) -> None:
        if self.lost:
            raise FenceLost("the lease is held by somebody else")


def prepare(world: World, action: str = "ec2_instance_resize", **change: Any) -> tuple[ActRequest, DurableLedger]:
    """Propose and approve one act."""
    name, parameters, _ = CASES[action]
    world.sessions = make_sessions(world.clock, warm_sdk())
    request = propose(world.sessions, ACTIONS[action], find(name), {**parameters, **change}, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    return request, ledger


def run_to_end(world: World, request: ActRequest, ledger: DurableLedger) -> ActResult:
    """Call `run` as the operator's loop does, until the act has ended."""
    return run_until(world, request, ledger, lambda result: result.retry_after_seconds is None)


def run_until(
    world: World, request: ActRequest, ledger: DurableLedger, wanted: Callable[[ActResult], bool]
) -> ActResult:
    """Call `run` as the operator's loop does, until it comes out as `wanted`."""
    executor = world.executor(ledger)
    for _ in range(2000):
        result = executor.run(request)
        if wanted(result):
            return result
        assert result.retry_after_seconds is not None, result
        world.clock.sleep(result.retry_after_seconds)
    raise AssertionError(result)


def instance(aws: AwsDouble) -> dict[str, Any]:
    return dict(aws.control.resource(ACCOUNT, REGION, find("web").id))


def at(name: str, deed: Callable[[], object], *, passage: int = 1) -> Callable[[str], None]:
    """Return a passage that does something at the n-th time a boundary is met."""
    count = 0

    def passed(met: str) -> None:
        nonlocal count
        if met == name:
            count += 1
            if count == passage:
                deed()

    return passed
