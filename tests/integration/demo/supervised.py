"""A supervisor in a process of its own, around small programs: what the tests kill.

Run as `python -m tests.integration.demo.supervised FOLDER [crash]`. Prints `up` when all programs are ready.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from finops.errors import FinopsError
from finops_sandbox.supervisor import Program, Supervisor

# Ignores SIGTERM when told to, and has a child in a session of its own group.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print("ready grandchild", flush=True)
time.sleep(300)
"""
# The signal may come while "ready" is still being printed, where a second print is refused.
POLITE = """
import os, signal, sys, time
def end(*_):
    os.write(1, b"bye\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready polite", flush=True)
time.sleep(300)
"""


def program(name: str, text: str, mark: str, **more: object) -> Program:
    """A Python program whose environment carries a mark to find it by."""
    return Program(
        name=name,
        command=(sys.executable, "-c", text),
        environment={"PATH": os.defpath, "MARK": mark},
        announcement="^ready (?P<what>.*)",
        stop_seconds=float(str(more.pop("stop_seconds", 2))),
        stage=int(str(more.pop("stage", 0))),
    )


async def _main(folder: Path) -> int:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with Supervisor(folder / "programs.log", folders=(folder,)) as supervisor:
        await supervisor.start(program("polite", POLITE, str(folder)))
        await supervisor.start(program("stubborn", STUBBORN, str(folder), stop_seconds=0.5))
        sys.stdout.write("up\n")
        sys.stdout.flush()
        waiting = asyncio.create_task(asked.wait())
        death = asyncio.create_task(supervisor.watch())
        await asyncio.wait({waiting, death}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if death.done():
            death.result()
        death.cancel()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main(Path(sys.argv[1]))))
    except FinopsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
