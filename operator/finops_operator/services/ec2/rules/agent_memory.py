"""The memory of an instance as agents publish it: EC2 itself does not see it.

Sources: CloudWatch user guide, "Metrics collected by the CloudWatch agent"; EC2 user guide, "Monitoring scripts for
Linux" (`System/Linux`), which were replaced by the agent and still run.
"""

from __future__ import annotations

from collections.abc import Callable

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec, Published
from finops_operator.pricing.instance_types import bundled_catalog


def agent_memory(applies: Callable[[Resource], bool]) -> MetricSpec:
    """Return the spec of `memoryPercent`, in percent of the memory of the type.

    Of Windows what is left comes before committed bytes: the limit of these has the page file in it, so that half of
    them may be all the memory there is.
    """
    return MetricSpec(
        "memoryPercent",
        "CWAgent",
        "mem_used_percent",
        "InstanceId",
        ("Average", "Maximum"),
        "percent",
        discovered=True,
        published=(
            Published("mem_used_percent"),
            Published("MemoryUtilization", "System/Linux"),
            Published("Memory Available MBytes", left=True),
            Published("Memory % Committed Bytes In Use"),
        ),
        typed_by="InstanceType",
        whole=_memory_mib,
        applies=applies,
    )


def _memory_mib(instance: Resource) -> float | None:
    kind = bundled_catalog().get(instance.text("instance_type"))
    return None if kind is None else float(kind.memory_mib)
