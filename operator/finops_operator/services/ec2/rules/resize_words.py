"""A change of type in words: figures from → to, and what differs in the platform; called by ec2_instance_resize alone.

The platform's differences are those that AWS Compute Optimizer names (`platformDifferences`), and the maker of the
processor; a figure that AWS did not give is left out. Source: fields of DescribeInstanceTypes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.action import ActWords
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
        facts=tuple(_differences(current, target)),
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


def _differences(current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[EvidenceFact]:
    """Yield what the new type does differently; what AWS describes of one type only is no difference."""
    if not current or not target:
        return
    for label, word in _PLATFORM:
        old, new = word(current), word(target)
        if old and new and old != new:
            yield EvidenceFact(label, f"{old} → {new}")


def _architecture(kind: Mapping[str, Any]) -> str:
    return ", ".join(sorted(kind.get("ProcessorInfo", {}).get("SupportedArchitectures", ())))


def _maker(kind: Mapping[str, Any]) -> str:
    return str(kind.get("ProcessorInfo", {}).get("Manufacturer", ""))


def _hypervisor(kind: Mapping[str, Any]) -> str:
    word = "none (bare metal)" if kind.get("BareMetal") else str(kind.get("Hypervisor", ""))
    return {"nitro": "Nitro", "xen": "Xen"}.get(word, word)


def _network(kind: Mapping[str, Any]) -> str:
    return {"required": "ENA", "supported": "ENA possible", "unsupported": "no ENA"}.get(
        str(kind.get("NetworkInfo", {}).get("EnaSupport", "")), ""
    )


def _disks(kind: Mapping[str, Any]) -> str:
    return {"required": "NVMe", "supported": "NVMe possible", "unsupported": "no NVMe"}.get(
        str(kind.get("EbsInfo", {}).get("NvmeSupport", "")), ""
    )


def _local_disks(kind: Mapping[str, Any]) -> str:
    supported = kind.get("InstanceStorageSupported")
    return "" if supported is None else "yes" if supported else "no"


def _burstable(kind: Mapping[str, Any]) -> str:
    supported = kind.get("BurstablePerformanceSupported")
    return "" if supported is None else "burstable, with CPU credits" if supported else "full, all the time"


_PLATFORM: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...]] = (
    ("Architecture", _architecture),
    ("Processor", _maker),
    ("Hypervisor", _hypervisor),
    ("Network interface", _network),
    ("Disk interface", _disks),
    ("Local disks", _local_disks),
    ("CPU performance", _burstable),
)
