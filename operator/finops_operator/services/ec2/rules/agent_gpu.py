"""How busy the GPU of an instance is, where an agent publishes it: `nvidia_smi_utilization_gpu` of CloudWatch's agent.

Called by the kind and the check of idle instances. The agent publishes a series for each GPU; the one of an instance
with a single GPU is all that there is, and only such instances are asked about. Of several GPUs nothing is known: one
that is idle says nothing of the others.
Source: CloudWatch user guide, "Collect NVIDIA GPU metrics".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec, Published
from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.rules.special_types import ACCELERATED, special_purpose

GPU: Final = "gpuPercent"
_METRIC: Final = "nvidia_smi_utilization_gpu"


def agent_gpu(applies: Callable[[Resource], bool]) -> MetricSpec:
    """Return the spec of `gpuPercent`, the time in percent in which the GPU worked."""
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
        applies=lambda instance: applies(instance) and _has_one(instance),
    )


def gpu_unknown(kind: InstanceType) -> str:
    """Return why the use of a type's accelerators cannot be known, empty where an agent may say it or there is none."""
    unmeasured = kind.gpu_count > 1 or special_purpose(kind.name) == ACCELERATED
    return "it has several GPUs or other accelerators, whose use is not measured" if unmeasured else ""


def _has_one(instance: Resource) -> bool:
    kind = bundled_catalog().get(instance.text("instance_type"))
    return kind is not None and kind.gpu_count == 1
