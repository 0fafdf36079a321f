"""Kill the executor at its first boundary, its second, … until a run survives; the next process ends what was killed.

After SQLite's way of testing crashes: no list of interesting places, every place. Whatever was killed, the restarted
executor must reach the same end with no effect twice, every call announced, and nothing left stopped. The executor is
one and the same for all actions, so the longest acts are killed everywhere, and each other action at every eighth
boundary, no two neighbours at the same ones. `make act-kills` kills all of them everywhere, and prints at how many
boundaries; `make chaos` does so too, among other disturbances.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACCOUNT, ACTIONS, REGION, FastClock, World, make_sessions, propose, vote, warm_sdk

from finops.ports.act import ActRequest
from finops_operator.killpoint import ACT_KILL_POINTS
from finops_operator.services.ec2.rules.start_again import START_AGAIN
from finops_sandbox.aws.double import AwsDouble

_MOST = 200
_EVERYWHERE = ("ec2_instance_resize", "ebs_volume_detach_delete")
_ALL = os.environ.get("FINOPS_ACT_KILLS") == "all"
"""Set by `make act-kills`."""
_STRIDE = 1 if _ALL else 8
_LONGEST_SECONDS = 3600 if _ALL else 700
_BACK = {"StopInstances": 1, "ModifyInstanceAttribute": 2, "StartInstances": 1}
_KILLED = 9


@dataclass(slots=True)
class Zygote:
    """The process that forks an operator for every command."""

    process: subprocess.Popen[str]

    def run(self, world: World, request: ActRequest, *, kill_at: int, fence: int, name: str = "") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        command = {
            "redis": world.redis_url,
            "prefix": world.prefix,
            "ledger": str(world.ledger_path),
            "base": world.clock.base,
            "request": base64.b64encode(pickle.dumps(request)).decode(),
            "kill_at": kill_at,
            "kill_name": name,
            "fence": fence,
        }
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def zygote(aws: AwsDouble) -> Iterator[Zygote]:
    root = Path(__file__).resolve().parents[3]
    path = os.pathsep.join(str(root / part) for part in ("operator", "slackbot", "."))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.act.act_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **aws.environment(), "PYTHONPATH": path},
    )
    try:
        yield Zygote(process)
    finally:
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def _fresh(world: World, tmp_path: Path, number: int) -> World:
    # A clock of its own: one that runs for all the runs gets hours ahead of the double's figures.
    return replace(
        world,
        prefix=f"act-{uuid.uuid4().hex}:",
        ledger_path=tmp_path / f"ledger-{number}.jsonl",
        clock=FastClock(time.time()),
    )


def _boundaries(action: str) -> range:
    if action in _EVERYWHERE:
        return range(1, _MOST)
    return range(1 + sorted(CASES).index(action) % _STRIDE, _MOST, _STRIDE)


@pytest.mark.slow
@pytest.mark.timeout(_LONGEST_SECONDS)
@pytest.mark.parametrize(
    ("action", "changes"),
    [*((one, {}) for one in sorted(CASES)), ("rds_instance_resize", {"apply": "window"})],
    ids=[*sorted(CASES), "rds_instance_resize in its window"],
)
def test_killed_at_any_boundary_the_act_ends_once_and_the_ledger_shows_it(
    action: str, changes: dict[str, Any], world: World, aws: AwsDouble, zygote: Zygote, tmp_path: Path
) -> None:
    name, parameters, expected = CASES[action]
    parameters = {**parameters, **changes}
    seen: set[str] = set()
    sdk, kills = warm_sdk(), 0
    for number in _boundaries(action):
        aws.control.reset()
        here = _fresh(world, tmp_path, number)
        request = propose(make_sessions(here.clock, sdk), ACTIONS[action], find(name), parameters, uid="u1")
        vote(here.ledger(), request, here.clock)
        first = zygote.run(here, request, kill_at=number, fence=2)
        if first["signal"] == 0:
            seen.update(first["passages"])
            break
        assert first["signal"] == _KILLED, first
        seen.add(first["killed"])
        second = zygote.run(here, request, kill_at=0, fence=3)
        where = f"killed at passage {number}, {first['killed']}"
        assert second.get("state") == "Succeeded", (where, second)
        assert effects(aws.calls) == expected, where
        check(aws.calls, here.ledger_path, session=request.name)
        kills += 1
    else:
        pytest.fail(f"no run of {action} survived {_MOST} boundaries")
    assert number > len(expected) * 8
    print(f"\n{action} {changes or ''}: killed at {kills} of {number - 1} boundaries, and ended once each time")
    assert {point for point in seen if not point.startswith("ledger.")} <= set(ACT_KILL_POINTS)


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_killed_at_any_boundary_of_the_undo_of_a_stop_the_instance_is_started_once(
    world: World, aws: AwsDouble, zygote: Zygote, tmp_path: Path
) -> None:
    sdk, stop, web = warm_sdk(), ACTIONS["ec2_instance_stop"], find("web")
    for number in range(1, _MOST):
        aws.control.reset()
        aws.control.change(ACCOUNT, REGION, web.id, {"state": "stopped"})
        here = _fresh(world, tmp_path, number)
        request = propose(make_sessions(here.clock, sdk), stop, web, dict(START_AGAIN), uid="u1")
        vote(here.ledger(), request, here.clock)
        first = zygote.run(here, request, kill_at=number, fence=2)
        if first["signal"] == 0:
            break
        second = zygote.run(here, request, kill_at=0, fence=3)
        where = f"killed at passage {number}, {first['killed']}"
        assert second.get("state") == "Succeeded", (where, second)
        assert effects(aws.calls) == {"StartInstances": 1}, where
        assert aws.control.resource(ACCOUNT, REGION, web.id)["state"] == "running", where
        check(aws.calls, here.ledger_path, session=request.name)
    else:
        pytest.fail(f"no run survived {_MOST} boundaries")
    assert number > 8


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_killed_at_any_boundary_of_the_rollback_the_instance_ends_running_at_its_old_type(
    world: World, aws: AwsDouble, zygote: Zygote, tmp_path: Path
) -> None:
    _, parameters, _ = CASES["ec2_instance_resize"]
    sdk = warm_sdk()

    def prepare(number: int) -> tuple[World, ActRequest]:
        aws.control.reset()
        here = _fresh(world, tmp_path, number)
        sessions = make_sessions(here.clock, sdk)
        request = propose(sessions, ACTIONS["ec2_instance_resize"], find("web"), parameters, uid="u1")
        vote(here.ledger(), request, here.clock)
        aws.control.inject({"kind": "capacity", "instanceType": "m5.large"})
        return here, request

    here, request = prepare(0)
    unkilled = zygote.run(here, request, kill_at=0, fence=2)
    assert unkilled["state"] == "RolledBack"
    begin = unkilled["passages"].index("compensate.before") + 1
    # The way there is walked by the test above; polling makes its length vary, so the walk begins a little earlier.
    for number in range(begin - 2, _MOST):
        here, request = prepare(number)
        first = zygote.run(here, request, kill_at=number, fence=2)
        if first["signal"] == 0:
            break
        second = zygote.run(here, request, kill_at=0, fence=3)
        where = f"killed at passage {number}, {first['killed']}"
        assert second.get("state") == "RolledBack", (where, second)
        shown = aws.control.resource(ACCOUNT, REGION, request.plan.resource.id)
        assert (shown["state"], shown["type"]) == ("running", "m5.xlarge"), where
        assert effects(aws.calls) == _BACK, where
        check(aws.calls, here.ledger_path, session=request.name)
    else:
        pytest.fail(f"no run survived {_MOST} boundaries")
    assert number > begin + 10


@pytest.mark.parametrize("boundary", ["settle.before", "ledger.outcome.after-stream", "settle.after"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_killed_after_a_call_and_again_while_finding_out_what_became_of_it(
    boundary: str, call: int, world: World, aws: AwsDouble, zygote: Zygote
) -> None:
    name, parameters, expected = CASES["ec2_instance_resize"]
    sessions = make_sessions(world.clock, warm_sdk())
    request = propose(sessions, ACTIONS["ec2_instance_resize"], find(name), parameters, uid="u1")
    vote(world.ledger(), request, world.clock)
    assert zygote.run(world, request, kill_at=call, name="aws.sent", fence=2)["killed"] == "aws.sent"
    assert zygote.run(world, request, kill_at=1, name=boundary, fence=3)["killed"] == boundary
    assert zygote.run(world, request, kill_at=0, fence=4)["state"] == "Succeeded"
    assert effects(aws.calls) == expected
    check(aws.calls, world.ledger_path, session=request.name)
