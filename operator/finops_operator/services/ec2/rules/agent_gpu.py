"""How busy the GPU of an instance is, where an agent publishes it: `nvidia_smi_utilization_gpu` of CloudWatch's agent.

Called by the kind and the check of idle instances. The agent publishes a series for each GPU, which names it by its
index. Of several the busiest counts, and a moment of which one of them has no point is unknown: one that is idle says
nothing of the others. A series without an index may be of all or of some, and is taken for that of an only GPU.
Source: CloudWatch user guide, "Collect NVIDIA GPU metrics".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import DimensionSet, MetricSpec, Published
from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.rules.special_types import ACCELERATED, special_purpose

GPU: Final = "gpuPercent"
_INDEX: Final = "index"
_METRIC: Final = "nvidia_smi_utilization_gpu"


def agent_gpu(applies: Callable[[Resource], bool]) -> MetricSpec:
    """Return the spec of `gpuPercent`, the time in percent in which the busiest GPU worked."""
    return MetricSpec(
        GPU,
        "CWAgent",
        _METRIC,
        "InstanceId",
        ("Average", "Maximum"),
        "percent",
        discovered=True,
        published=(Published(_METRIC),),
        typed_by="InstanceType",
        each=_of_all,
        applies=lambda instance: applies(instance) and _gpus(instance) > 0,
    )


def gpu_unknown(kind: InstanceType) -> str:
    """Return why the use of a type's accelerators cannot be known, empty where an agent may say it or there is none.

    What is an accelerator of a type that the tables do not know may be no GPU.
    """
    new = kind.gpu_count > 0 and bundled_catalog().get(kind.name) is None
    unmeasured = new or special_purpose(kind.name) == ACCELERATED
    return "it has accelerators whose use is not measured" if unmeasured else ""


def _gpus(instance: Resource) -> int:
    kind = bundled_catalog().get(instance.text("instance_type"))
    return 0 if kind is None else kind.gpu_count


def _of_all(instance: Resource, found: DimensionSet) -> tuple[DimensionSet, ...]:
    """Return the sets of all GPUs of an instance, from that of one; none where it names no index of several."""
    count = _gpus(instance)
    if count == 1:
        return (found,)
    if _INDEX not in dict(found):
        return ()
    return tuple(
        tuple((name, str(number) if name == _INDEX else value) for name, value in found) for number in range(count)
    )
