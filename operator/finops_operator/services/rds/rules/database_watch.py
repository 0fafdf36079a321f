"""What shows in the hours after a database got another class: a bad state, a full CPU, requests that wait.

A class that waits for the maintenance window shows nothing until then, and is said so. Source: Amazon RDS user guide,
"Viewing Amazon RDS DB instance status" and "Amazon CloudWatch metrics for Amazon RDS".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import HAS_NO_ROOM, QUEUE_GREW, Load, Missing, WatchShape
from finops_operator.plugins.watched import Measured, bad_now, unknown
from finops_operator.services.rds.rules.states import ILL, WORKING

WANTED: Final = "dbInstanceClass"
"""Parameter that names the class."""
_STATE: Final = "state"
_WELL: Final = WORKING - ILL
_LOADS: Final = (
    Load(
        "CPU",
        "CPUUtilization",
        "Maximum",
        "Its CPU was above {limit:.0f} %",
        "Its CPU has room.",
        Missing.GAP,
        HAS_NO_ROOM,
    ),
    Load(
        "queue",
        "DiskQueueDepth",
        "Average",
        "More than {limit:.1f} requests waited for its storage",
        "No more requests wait for its storage than before.",
        Missing.GAP,
        QUEUE_GREW,
    ),
)


def database_watch(observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch, which reads the database as its action does."""
    return WatchShape(
        noun="database",
        observe=observe,
        left=_left,
        state=_state,
        before=lambda now: {_STATE: now.text("state")},
        reads=("its state", "CPU against before", "length of the queue of its storage against before"),
        measured=Measured("AWS/RDS", lambda database: {"DBInstanceIdentifier": database}),
        loads=lambda _act: _LOADS,
    ).watch


def _left(act: WatchedAct, now: Observation) -> str:
    wanted = str(act.parameters.get(WANTED))
    if now.text("pendingClass") == wanted:
        return f"{wanted} waits for its maintenance window: nothing shows yet how it does with it."
    return "" if now.text("class") == wanted else f"Its class is {now.text('class')} now, not the {wanted} of the act."


def _state(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    state = now.text("state")
    if state in _WELL:
        yield Sign(_STATE, Health.WELL, f"It is {state}.")
    elif state in ILL:
        yield bad_now(_STATE, f"It is {state}.", act.before.get(_STATE, ""), good=_WELL, bad=ILL)
    else:
        yield unknown(_STATE, f"It is {state or 'in an unknown state'}.")
