"""ECS services and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.ecs.service import KIND

SERVICES: Final = Bench(KIND)
ARN: Final = "arn:aws:ecs:us-east-1:111122223333:service/shop/web"


def service(state: str = "active", region: str = "us-east-1", days: float = 365, /, **attributes: Json) -> Resource:
    """Return two Fargate tasks of one virtual CPU and 2 GB on Linux and x86, changed as asked."""
    facts: dict[str, Json] = {
        "cluster": "shop",
        "service": "web",
        "runs_on": "FARGATE",
        "desired_tasks": 2,
        "running_tasks": 2,
        "task_cpu_units": 1024,
        "task_memory_mib": 2048,
        "architecture": "X86_64",
        "system": "LINUX",
        "managed_by": "",
        "public_addresses": False,
        **attributes,
    }
    return Resource(
        kind="ecs-service",
        id="shop/web",
        arn=ARN,
        name="web",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks in which tasks did next to nothing, changed as asked."""
    return Utilization("shop/web", metrics={"cpuPercent": flat(0.1), "memoryPercent": flat(0.5), **metrics})


def without(name: str) -> Utilization:
    """Return the same weeks with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization("shop/web", metrics=known, unknown={name: "Throttled"})
