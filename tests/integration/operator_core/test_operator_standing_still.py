"""An operator that stands still between its last check of the lease and its call: AWS refuses what comes afterwards."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.operator_rig import Rig, eventually, running_rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setenv("STANDING_STILL_AT", "ec2.StopInstances")
    with running_rig(tmp_path, start=False) as rig:
        rig.program = "tests.support.standing_operator"
        rig.start()
        yield rig


def stands(process: subprocess.Popen[bytes]) -> bool:
    """Return whether every thread of a process is stopped; proc(5): the state follows the name in parentheses."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/stat")
    return all(one.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T" for one in tasks)


def test_a_call_that_a_standing_operator_makes_after_its_successor_has_ended_the_act_is_refused_by_aws(
    rig: Rig,
) -> None:
    case = rig.case()
    case.apply()
    request, _ = case.proposed()
    case.vote(request)
    first = rig.process
    assert first is not None
    try:
        eventually(lambda: stands(first), 60, rig.tail())
        assert [record["step"] for record in case.story("intent")] == ["stop"]
        # Somebody stops the instance meanwhile; the successor sees that it is stopped, and the act has ended.
        case.change_by_hand(request, state="stopped")
        rig.program = "finops_operator"
        rig.start(pod_name="operator-1")
        case.wait_state(request, "Succeeded", seconds=90)
        # It is needed again, and somebody starts it: from here on nobody may stop it.
        case.change_by_hand(request, state="running")

        first.send_signal(signal.SIGCONT)

        call = eventually(lambda: next(iter(case.calls()), None), 30, rig.tail())
        assert (call.action, call.result, call.applied) == ("StopInstances", "UnauthorizedOperation", False)
        time.sleep(2)
        assert case.instance(request)["state"] == "running"
        assert case.state(request) == "Succeeded"
        case.check()
    finally:
        first.kill()
        first.wait(10)
