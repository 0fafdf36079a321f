"""A process that carries out acts and can be killed at any boundary: `python -m tests.integration.act.act_process`.

It imports everything once, then forks for every command it reads (one JSON document a line), so that a test can kill
and restart an operator hundreds of times in seconds. The child is killed by SIGKILL, as a power cut would.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any

from tests.support.act_world import FakeLease, FastClock, World, make_sessions, warm_sdk

from finops_operator.aws.session import SdkSessions
from finops_operator.killpoint import ACT_KILL_POINTS


class _Passages:
    """Counts boundaries; kills at the n-th of all (`kill_at`), or at the n-th of one name (`kill_name`)."""

    def __init__(self, kill_at: int, kill_name: str) -> None:
        self.kill_at = kill_at
        self.kill_name = kill_name
        self.count = 0
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        assert name in ACT_KILL_POINTS or name.startswith("ledger."), name
        self.names.append(name)
        self.count += not self.kill_name or name == self.kill_name
        if self.count == self.kill_at and self.kill_name in {"", name}:
            os.write(3, json.dumps({"killed": name}).encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _run(command: dict[str, Any], sdk: SdkSessions) -> dict[str, Any]:
    passages = _Passages(int(command["kill_at"]), command["kill_name"])
    clock = FastClock(float(command["base"]))
    world = World(
        command["redis"],
        command["prefix"],
        Path(command["ledger"]),
        clock,
        passage=passages,
        lease=FakeLease(fence=int(command["fence"])),
        sessions=make_sessions(clock, sdk),
    )
    request = pickle.loads(base64.b64decode(command["request"]))
    executor = world.executor(world.ledger())
    while True:
        result = executor.run(request)
        if result.retry_after_seconds is None:
            states = [state.value for state in world.status.states]
            return {"state": str(result.state), "passages": passages.names, "states": states}
        world.clock.sleep(result.retry_after_seconds)


def _forked(command: dict[str, Any], sdk: SdkSessions) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 3)
        signal.alarm(30)
        os.write(3, json.dumps(_run(command, sdk)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    answer: dict[str, Any] = json.loads(text) if text else {}
    return answer | {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def main() -> None:
    """Serve commands until standard input closes."""
    # Descriptor 3 is the child's way to answer; keep it free of anything else.
    placeholder = os.open(os.devnull, os.O_RDWR)
    os.dup2(placeholder, 3)
    sdk = warm_sdk()
    # What is collected is written to, and so copied for every child; none lives long enough to need it.
    gc.disable()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line), sdk)), flush=True)


if __name__ == "__main__":
    main()
