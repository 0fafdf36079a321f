"""What shows in the hours after a group got another size: members that do not work, are full, or serve nobody.

Source: Amazon EC2 Auto Scaling API reference, DescribeAutoScalingGroups; EC2 user guide, "CloudWatch metrics that are
available for your instances" (AutoScalingGroupName); Elastic Load Balancing API reference, DescribeTargetHealth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Health, Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.group_size import FACT, PARAMETER, read_size, wanted_size
from finops_operator.plugins.watch_shape import COUNT, HAS_NO_ROOM, Load, Missing, WatchShape, count_sign, enough
from finops_operator.plugins.watched import Measured, bad_now, unknown, worst
from finops_operator.services.autoscaling.rules.group_observation import observe_group
from finops_operator.services.autoscaling.rules.group_targets import DENIED, ILL, SERVES, TARGETS, targets_of

_PLACES: Final = "load balancers"
_LOADS: Final = (
    Load(
        "CPU",
        "CPUUtilization",
        "Maximum",
        "The CPU of a member was above {limit:.0f} %",
        "The CPU of its members has room.",
        Missing.GAP,
        HAS_NO_ROOM,
    ),
)


def _observe(reader: Reader, target: Target) -> Observation:
    now = observe_group(reader, target)
    if not now.exists:
        return now
    return Observation(True, now.fingerprint, {**now.facts, **targets_of(reader, target.resource.id)})


def _left(act: WatchedAct, now: Observation) -> str:
    wanted, has = str(act.parameters.get(PARAMETER)), now.text(FACT)
    return "" if has == wanted else f"Its size is {has or 'not known'} now, not the {wanted} of the act."


def _state(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    wanted = read_size(wanted_size(act.parameters)).desired
    yield count_sign("members", "members", now.facts.get("inService"), wanted, act.before.get(COUNT, ""))
    if now.text(DENIED):
        yield unknown(_PLACES, f"Not known what its targets are: allow {now.text(DENIED)} to the scanner role.")
    found = now.facts.get(TARGETS)
    if wanted and isinstance(found, Mapping) and found:
        yield worst(_target(act, name, str(state)) for name, state in found.items())


def _target(act: WatchedAct, name: str, state: str) -> Sign:
    if state in SERVES:
        return Sign(_PLACES, Health.WELL, "Its target groups find its members healthy.")
    if state not in ILL:
        return unknown(_PLACES, f"Target group {name} says of a member: {state or 'nothing'}.")
    before = act.before.get(f"target group {name}", "")
    return bad_now(_PLACES, f"Target group {name} finds a member {state}.", before, good=SERVES, bad=ILL)


def _before(now: Observation) -> dict[str, str]:
    found = now.facts.get(TARGETS)
    targets = (
        {f"target group {name}": str(state) for name, state in found.items()} if isinstance(found, Mapping) else {}
    )
    try:
        wanted = read_size(now.text(FACT)).desired
    except ValueError:
        return targets
    return {**targets, **enough(now.facts.get("inService"), wanted)}


GROUP_WATCH: Final[Watch] = WatchShape(
    noun="group",
    observe=_observe,
    left=_left,
    state=_state,
    before=_before,
    reads=("members in service", "health of its members in its target groups", "CPU of its members against before"),
    measured=Measured("AWS/EC2", lambda group: {"AutoScalingGroupName": group}),
    loads=lambda act: _LOADS if read_size(wanted_size(act.parameters)).desired else (),
).watch
