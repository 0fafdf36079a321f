"""Runs a program and says what it used: seconds, processor time of it and its children, and the largest memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Used:
    """How a program ended and what it used.

    Attributes:
        code: its exit code.
        seconds: from start to end; another's work on the machine is in it.
        cpu_seconds: of the program and of those it waited for, in user and system.
        peak_megabytes: the largest resident size that was seen of the program alone.
    """

    code: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def _peak_megabytes(pid: int) -> float:
    """Return the largest resident size so far, 0 once the program is gone.

    The figure of `wait4` would count what the parent held when it started the program.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = status.partition("VmHWM:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


def run_measured(command: Sequence[str], environment: Mapping[str, str], out: Path) -> Used:
    """Run `command` to its end; stdout goes to `out`, stderr beside it with the suffix `.err`."""
    peak, began = 0.0, time.monotonic()
    with out.open("wb") as printed, out.with_suffix(".err").open("wb") as complaints:
        process = subprocess.Popen(command, env=dict(environment), stdout=printed, stderr=complaints)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _peak_megabytes(process.pid))
            time.sleep(_SAMPLE_SECONDS)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    return Used(process.returncode, seconds, usage.ru_utime + usage.ru_stime, peak)
