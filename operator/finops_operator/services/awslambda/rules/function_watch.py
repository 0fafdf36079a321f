"""What shows in the hours after a function got another size: errors, throttles and duration against those before.

Source: AWS Lambda developer guide, "Types of metrics for Lambda functions" (Errors, Throttles and Duration come with
each invocation, so that a period without one was not in use).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import Load, Missing, WatchShape, above_highest
from finops_operator.plugins.watched import Measured, bad_now, unknown

_SLOWER: Final = 1.25
"""So many times the slowest 5 minutes before the act are no variation of the same load any more."""
_STATE: Final = "function"
_READY: Final = frozenset({"Active", "Inactive"})
"""Lambda makes a function that nobody calls inactive, and active again by the next call."""
_FAILED: Final = "Failed"
_LOADS: Final = (
    Load("errors", "Errors", "Sum", "It failed", "It fails no more often than before.", Missing.IDLE),
    Load("throttles", "Throttles", "Sum", "It was throttled", "It is throttled no more than before.", Missing.IDLE),
    Load(
        "duration",
        "Duration",
        "Average",
        "It took more than {limit:.0f} ms, a quarter above its slowest time before,",
        "It takes about as long as before.",
        Missing.IDLE,
        above_highest(_SLOWER),
    ),
)


def function_watch(observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch, which reads the function as its action does."""
    return WatchShape(
        noun="function",
        observe=observe,
        left=_left,
        state=_state,
        before=lambda now: {_STATE: now.text("state")},
        reads=("its state", "errors, throttles and duration against before"),
        measured=Measured("AWS/Lambda", lambda name: {"FunctionName": name}),
        loads=lambda _act: _LOADS,
    ).watch


def _left(act: WatchedAct, now: Observation) -> str:
    wanted, has = str(act.parameters.get("memoryMb")), now.text("memoryMb")
    return "" if has == wanted else f"It has {has or 'an unknown number of'} MB now, not the {wanted} of the act."


def _state(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    state = now.text("state")
    if state in _READY:
        yield Sign(_STATE, Health.WELL, "It can be called.")
    elif state == _FAILED:
        yield bad_now(_STATE, "Lambda cannot run it.", act.before.get(_STATE, ""), good=_READY, bad={_FAILED})
    else:
        yield unknown(_STATE, f"It is {state or 'in an unknown state'} now.")
