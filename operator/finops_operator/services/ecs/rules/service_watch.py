"""What shows in the hours after a service got another number of tasks: tasks that do not run, and those that are full.

Source: Amazon ECS API reference, DescribeServices; developer guide, "Amazon ECS CloudWatch metrics" (CPUUtilization and
MemoryUtilization of a service, in percent of what its tasks reserve).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from finops.domain.execution import Observation
from finops.domain.watching import Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target, Watch, WatchedAct
from finops_operator.plugins.watch_shape import COUNT, HAS_NO_ROOM, Load, Missing, WatchShape, count_sign, enough
from finops_operator.plugins.watched import Measured
from finops_operator.services.ecs.rules.scaling_refusals import count

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
        "memory",
        "MemoryUtilization",
        "Maximum",
        "Its memory was above {limit:.0f} %",
        "Its memory has room.",
        Missing.GAP,
        HAS_NO_ROOM,
    ),
)


def service_watch(observe: Callable[[Reader, Target], Observation]) -> Watch:
    """Return the watch, which reads the service as its action does."""
    return WatchShape(
        noun="service",
        observe=observe,
        left=_left,
        state=_tasks,
        before=lambda now: enough(count(now, "runningCount"), count(now, "desiredCount")),
        reads=("tasks that run", "CPU and memory of its tasks against before"),
        measured=Measured("AWS/ECS", _dimensions),
        loads=lambda act: _LOADS if act.parameters.get("desiredCount") else (),
    ).watch


def _dimensions(service: str) -> dict[str, str]:
    cluster, _, name = service.partition("/")
    return {"ClusterName": cluster, "ServiceName": name}


def _left(act: WatchedAct, now: Observation) -> str:
    wanted, has = str(act.parameters.get("desiredCount")), now.text("desiredCount")
    return "" if has == wanted else f"Its desired count is {has or 'not known'} now, not the {wanted} of the act."


def _tasks(act: WatchedAct, now: Observation) -> Iterator[Sign]:
    wanted = count(now, "desiredCount") or 0
    yield count_sign("tasks", "tasks", count(now, "runningCount"), wanted, act.before.get(COUNT, ""))
