"""What shows in the hours after a database got another class: a bad state, a full CPU, requests that wait.

A class that waits for the maintenance window shows nothing until then, and is said so: the hours of the watch count
from the end of that window. AWS changes the class in the window, so that an alarm counts from its opening on. Source:
Amazon RDS user guide, "Viewing Amazon RDS DB instance status" and "Amazon CloudWatch metrics for Amazon RDS".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Parameters, Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import HAS_NO_ROOM, QUEUE_GREW, Load, Missing, WatchShape
from finops_operator.plugins.watched import Measured, bad_now, unknown
from finops_operator.services.rds.rules.database_observation import database
from finops_operator.services.rds.rules.maintenance_window import window_opens, window_over
from finops_operator.services.rds.rules.states import ILL, WORKING

WANTED: Final = "dbInstanceClass"
"""Parameter that names the class."""
APPLY: Final = "apply"
NOW: Final = "now"
WINDOW: Final = "window"
"""Parameter that says when the class is applied, and its values; without it in the window."""
_STATE: Final = "state"
_OPENS: Final = "window"
"""Under which name the maintenance window is kept."""
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
        before=_before,
        reads=("its state", "CPU against before", "length of the queue of its storage against before"),
        measured=Measured("AWS/RDS", lambda database: {"DBInstanceIdentifier": database}),
        loads=lambda _act: _LOADS,
        begins=_begins,
        effective=_effective,
    ).watch


def _before(now: Observation) -> dict[str, str]:
    window = str(database(now).get("PreferredMaintenanceWindow") or "")
    return {_STATE: now.text("state"), **({_OPENS: window} if window else {})}


def _begins(parameters: Parameters, before: Mapping[str, str], verified: datetime) -> datetime:
    """Return when the class is in force: at once, or when the window is over in which AWS applies it."""
    over = window_over(before.get(_OPENS, ""), verified)
    return verified if over is None or parameters.get(APPLY, WINDOW) == NOW else over


def _effective(parameters: Parameters, before: Mapping[str, str], verified: datetime) -> datetime:
    """Return from when on the class may be in force: at once, or when the window opens in which AWS applies it."""
    opens = window_opens(before.get(_OPENS, ""), verified)
    return verified if opens is None or parameters.get(APPLY, WINDOW) == NOW else opens


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
