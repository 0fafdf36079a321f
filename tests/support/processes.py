"""What is left of a run: live processes that know a folder, and waiting for them to go."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def alive(mark: str) -> list[str]:
    """Return `pid command` of every process, zombies aside, that has `mark` in its environment or command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
            command = (folder / "cmdline").read_bytes()
            known = command + (folder / "environ").read_bytes()
        except OSError:
            continue
        if state != "Z" and mark.encode() in known:
            found.append(f"{folder.name} {command.replace(bytes(1), b' ').decode(errors='replace')}")
    return found


def eventually(probe: Callable[[], bool], seconds: float) -> bool:
    """Return whether `probe` becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
