"""What shows in the hours after a table got another mode: requests that DynamoDB throttles.

Of the table itself; its indexes count theirs apart and are not read. Nothing throttled leaves no point. Source: Amazon
DynamoDB developer guide, "DynamoDB metrics and dimensions" (ReadThrottleEvents and WriteThrottleEvents by TableName;
ThrottledRequests counts by operation only).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import Load, Missing, WatchShape
from finops_operator.plugins.watched import Measured, unknown

_STATE: Final = "table"
_ACTIVE: Final = "ACTIVE"
_LOADS: Final = (
    Load(
        "reads",
        "ReadThrottleEvents",
        "Sum",
        "DynamoDB throttled reads",
        "Its reads are throttled no more than before.",
        Missing.ZERO,
    ),
    Load(
        "writes",
        "WriteThrottleEvents",
        "Sum",
        "DynamoDB throttled writes",
        "Its writes are throttled no more than before.",
        Missing.ZERO,
    ),
)


def table_watch(observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch, which reads the table as its action does."""
    return WatchShape(
        noun="table",
        observe=observe,
        left=_left,
        state=_state,
        before=lambda now: {_STATE: now.text("state")},
        reads=("its state", "throttled reads and writes of the table against before, those of its indexes not"),
        measured=Measured("AWS/DynamoDB", lambda name: {"TableName": name}),
        loads=lambda _act: _LOADS,
    ).watch


def _left(act: WatchedAct, now: Observation) -> str:
    wanted, has = str(act.parameters.get("billingMode")), now.text("billingMode")
    return "" if has == wanted else f"Its mode is {has or 'not known'} now, not the {wanted} of the act."


def _state(_act: WatchedAct, now: Observation) -> Iterator[Sign]:
    state = now.text("state")
    if state == _ACTIVE:
        yield Sign(_STATE, Health.WELL, "It is active.")
    else:
        yield unknown(_STATE, f"It is {state or 'in an unknown state'} now.")
