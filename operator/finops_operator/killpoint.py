"""Named boundaries at which a test may kill the process, off unless armed.

The executor and the scan call `killpoint("aws.sent")` at every boundary between two durable facts; a composition root
arms one with `FINOPS_KILL_POINT` (`Settings.kill_point`). The kill is SIGKILL, so nothing can clean up behind it: what
is left on the other side is exactly what a power cut would leave.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from typing import Final

from finops.errors import InvalidInput


@dataclass(slots=True)
class _Armed:
    name: str = ""
    remaining: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_ARMED = _Armed()


def arm(specification: str) -> None:
    """Arm one boundary: `NAME` kills at its first passage, `NAME:3` at its third; an empty text disarms.

    Raises:
        InvalidInput: the count is not a positive whole number.
    """
    name, _, count = specification.partition(":")
    if count and (not count.isdecimal() or int(count) < 1):
        raise InvalidInput(
            f"{count!r} is not a passage to kill at", field="FINOPS_KILL_POINT", hint="use NAME or NAME:3"
        )
    with _ARMED.lock:
        _ARMED.name = name
        _ARMED.remaining = int(count or 1) if name else 0


def killpoint(name: str) -> None:
    """Kill this process with SIGKILL if boundary `name` is armed and its passage has come; otherwise do nothing."""
    if name != _ARMED.name:
        return
    with _ARMED.lock:
        _ARMED.remaining -= 1
        due = _ARMED.remaining == 0
    if due:
        os.kill(os.getpid(), signal.SIGKILL)


ACT_KILL_POINTS: Final = (
    "act.admitted",
    "act.observed",
    "act.gate",
    "act.started.before",
    "act.started.after",
    "sts.before",
    "sts.after",
    "intent.before",
    "ledger.intent.after-stream",
    "intent.after",
    "aws.before",
    "aws.sent",
    "outcome.before",
    "ledger.outcome.after-stream",
    "outcome.after",
    "settle.before",
    "settle.after",
    "compensate.before",
    "compensate.after",
    "wait.before",
    "status.before",
    "status.after",
    "verify.before",
    "ledger.verified.after-stream",
    "verify.after",
    "finish.before",
    "finish.after",
    "realized.before",
    "realized.after",
    "act.released",
)
"""Names of all boundaries of an act, in the order in which an act meets them.

The act stage passes them to `killpoint`; the tests walk this list, so a boundary that is not in it is not tested.
"""
