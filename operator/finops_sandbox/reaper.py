"""Cleans up after a supervisor that was killed: ends its programs, removes its folders. Run as a file, alone.

The supervisor holds the other end of our standard input and writes there, one JSON object per line, what exists:
`{"folder": PATH}`, `{"child": PID, "started": TICKS}`, `{"gone": PID}`, and `{"done": true}` after a clean stop. When
the input ends without `done` the supervisor has died. Only the standard library: this must start in an instant and
survive whatever the supervisor did not.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

_PATIENCE_SECONDS = 10.0
_START_FIELD = 19
"""Position of `starttime` behind the command name in /proc/PID/stat (proc(5), field 22)."""


def started(pid: int) -> int:
    """When a process started, in ticks since boot: with the pid it names a process for ever. 0 where unknown.

    A process that has ended and only waits for its parent counts as unknown.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[_START_FIELD])


def main() -> int:
    """Read facts until the supervisor is gone, then do what it no longer can."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin.buffer:
        fact = json.loads(line)
        if "child" in fact:
            children[fact["child"]] = fact["started"]
        elif "folder" in fact:
            folders.append(fact["folder"])
        elif "gone" in fact:
            children.pop(fact["gone"], None)
        elif fact.get("done"):
            return 0
    end(children)
    remove(folders)
    return 0


def end(children: dict[int, int]) -> None:
    """Kill each child with its whole group, unless its number belongs to another process by now."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for pid, ticks in children.items():
            if not ticks or started(pid) in {ticks, 0}:
                # A leader that is gone leaves a group that may still have members.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        if not any(ticks and started(pid) == ticks for pid, ticks in children.items()):
            return
        time.sleep(0.05)


def remove(folders: Iterable[str]) -> None:
    """Remove what the programs left; they may still be writing for a moment."""
    for folder in folders:
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
