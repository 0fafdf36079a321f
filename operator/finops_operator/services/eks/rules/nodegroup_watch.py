"""What shows in the hours after a node group got another size: machines that do not work, and what EKS says of it.

Source: Amazon EKS API reference, DescribeNodegroup (status, health.issues).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops_operator.plugins.action import Watch, WatchedAct
from finops_operator.plugins.group_size import FACT, PARAMETER, read_size, wanted_size
from finops_operator.plugins.watch_shape import COUNT, WatchShape, count_sign, enough
from finops_operator.plugins.watched import bad_now, unknown
from finops_operator.services.eks.rules.nodegroup_observation import ACTIVE, observe_nodegroup

_HEALTH: Final = "health"
_SOUND: Final = "sound"
_ILL: Final = "ill"
_DEGRADED: Final = "DEGRADED"


def _left(act: WatchedAct, now: Observation) -> str:
    wanted, has = str(act.parameters.get(PARAMETER)), now.text(FACT)
    return "" if has == wanted else f"Its size is {has or 'not known'} now, not the {wanted} of the act."


def _state(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    wanted = read_size(wanted_size(act.parameters)).desired
    yield count_sign("machines", "machines", now.facts.get("machines"), wanted, act.before.get(COUNT, ""))
    issues, state, before = now.text("issues"), now.text("state"), act.before.get(_HEALTH, "")
    if issues:
        yield bad_now(_HEALTH, f"EKS names problems of it: {issues}.", before, good={_SOUND}, bad={_ILL})
    elif state == _DEGRADED:
        yield bad_now(_HEALTH, "EKS calls it degraded.", before, good={_SOUND}, bad={_ILL})
    elif state == ACTIVE:
        yield Sign(_HEALTH, Health.WELL, "EKS names no problem of it.")
    else:
        yield unknown(_HEALTH, f"It is {state or 'in an unknown state'} now.")


def _before(now: Observation) -> dict[str, str]:
    sound = now.text("state") == ACTIVE and not now.text("issues")
    return {_HEALTH: _SOUND if sound else _ILL, **enough(now.facts.get("machines"), _wants(now))}


def _wants(now: Observation) -> int | None:
    try:
        return read_size(now.text(FACT)).desired
    except ValueError:
        return None


NODEGROUP_WATCH: Final[Watch] = WatchShape(
    noun="node group",
    observe=observe_nodegroup,
    left=_left,
    state=_state,
    before=_before,
    reads=("machines in service", "its status and the problems that EKS names"),
    measured=None,
    loads=lambda _act: (),
).watch
