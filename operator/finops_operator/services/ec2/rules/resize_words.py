"""A change of type in words: figures from → to, and what differs in the platform; called by ec2_instance_resize alone.

A figure that AWS did not give is left out. Source: fields of DescribeInstanceTypes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops_operator.plugins.action import ActWords
from finops_operator.services.ec2.rules.platform_words import differences
from finops_operator.services.ec2.rules.resize_steps import old_type, ran
from finops_operator.services.ec2.rules.stop_refusals import part

_MIB_PER_GIB: Final = 1024
_STEPS: Final = {
    "stop": "Stop the instance",
    "wait_stopped": "Wait until it is stopped",
    "modify_type": "Change the type",
    "start": "Start the instance",
    "wait_healthy": "Wait until it is running and its status checks pass",
    "stop_again": "Stop the instance again",
    "wait_stopped_again": "Wait until it is stopped",
    "restore_type": "Change the type back",
    "start_again": "Start the instance again",
    "wait_running_again": "Wait until it is running",
}


def resize_words(observation: Observation, plan: Plan) -> ActWords:
    """Return the act in words; a running instance goes down for it, a stopped one does not."""
    old, new = old_type(plan), str(plan.parameters["instanceType"])
    current, target = part(observation, "type"), part(observation, "target")
    figures = ", ".join(_figures(current, target))
    running = ran(plan)
    return ActWords(
        verb="Resize",
        target=new,
        change=f"{old} → {new}{f': {figures}' if figures else ''}",
        consequence="It is stopped, changed and started again." if running else "It is changed and stays stopped.",
        downtime="A few minutes" if running else "None: it is stopped",
        undo=(
            f"If the start fails, it returns to {old} by itself. Later: stop it, change the type, start it."
            if running
            else f"Change the type back to {old} while it is stopped."
        ),
        steps=_STEPS,
        facts=tuple(differences(current, target)),
    )


def _figures(current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[str]:
    cores = [kind.get("VCpuInfo", {}).get("DefaultVCpus") for kind in (current, target)]
    memory = [kind.get("MemoryInfo", {}).get("SizeInMiB") for kind in (current, target)]
    if all(cores):
        yield _from_to(str(cores[0]), str(cores[1]), " vCPU")
    if all(memory):
        old, new = (f"{int(one) / _MIB_PER_GIB:.4g}" for one in memory)
        yield _from_to(old, new, " GiB")


def _from_to(old: str, new: str, unit: str) -> str:
    return f"{old}{unit}" if old == new else f"{old} → {new}{unit}"
