"""What shows in the hours after a database or a cluster was stopped or started: its state, that of its members.

A stop is watched for the restart: AWS starts by itself what has been stopped for seven days, and whoever starts it
sooner has taken it back. Neither is harm that a further act could undo, so it is said and not called worse. A start is
worse where what was sound before does not come up. Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance
temporarily" and "Viewing Amazon RDS DB instance status".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.pausing import Pausing
from finops_operator.plugins.watch_shape import WatchShape
from finops_operator.plugins.watched import bad_now, unknown
from finops_operator.services.rds.rules.states import DOWN, ILL, STOPPED, WORKING

_STATE: Final = "state"
_WELL: Final = (WORKING - ILL) | DOWN
_IDENTITY: Final = "resourceId"


def pause_watch(pausing: Pausing, observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch of a stop or a start, which reads the resource as its action does."""
    return WatchShape(
        noun=pausing.of.noun,
        observe=observe,
        left=partial(_left, pausing),
        state=partial(_state, pausing),
        before=_before,
        reads=("its state, and whether it was started or stopped again", "the states of its members, of a cluster"),
        measured=None,
        loads=lambda _act: (),
    ).watch


def _before(now: Observation) -> dict[str, str]:
    ill = next(iter(_ill(now).values()), "")
    return {_STATE: ill or now.text("state"), _IDENTITY: now.text(_IDENTITY)}


def _left(pausing: Pausing, act: WatchedAct, now: Observation) -> str:
    """Return that it was started or stopped again, or made anew; empty while it is as the act left it."""
    known = act.before.get(_IDENTITY, "")
    if known and now.text(_IDENTITY) != known:
        return f"The {pausing.of.noun} was deleted, and somebody made another one under its name."
    state, of = now.text("state"), pausing.of
    if pausing.starts(act.parameters):
        return f"It is {state}: somebody has stopped it since." if state in of.down else ""
    if state not in of.up:
        return ""
    if act.now >= act.started + of.restarted_after:
        return f"It is {state}: AWS starts what has been stopped for {of.restarted_after.days} days."
    return f"It is {state}: somebody has started it since, before AWS would."


def _state(pausing: Pausing, act: WatchedAct, now: Observation) -> Iterator[Sign]:
    before = act.before.get(_STATE, "")
    ill = _ill(now)
    for name, state in ill.items():
        yield bad_now(_STATE, f"{name} is {state}.", before, good=_WELL, bad=ILL)
    if ill:
        return
    state, noun = now.text("state"), pausing.of.noun
    if pausing.starts(act.parameters):
        slow = [name for name, one in _members(now).items() if one not in WORKING]
        if slow:
            yield unknown("members", f"{len(slow)} of its {len(_members(now))} members do not work yet.")
        elif state in WORKING:
            yield Sign(_STATE, Health.WELL, f"It is {state}.")
        else:
            yield unknown(_STATE, f"It is {state or 'in an unknown state'}.")
    elif state == STOPPED:
        latest = act.started + pausing.of.restarted_after
        yield Sign(
            _STATE, Health.WELL, f"It is stopped. AWS starts it again by {latest:%Y-%m-%d}, unless you do so first."
        )
    else:
        yield unknown(_STATE, f"The {noun} is {state or 'in an unknown state'}.")


def _ill(now: Observation) -> dict[str, str]:
    """Return the states that are ill, the resource's own first."""
    states = {"It": now.text("state"), **{f"Member {name}": one for name, one in sorted(_members(now).items())}}
    return {name: state for name, state in states.items() if state in ILL}


def _members(now: Observation) -> Mapping[str, str]:
    found = now.facts.get("members")
    return {str(name): str(state) for name, state in found.items()} if isinstance(found, Mapping) else {}
