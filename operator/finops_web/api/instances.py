"""GET /api/instances: EC2 instances."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed, measured
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/instances")
def instances(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List instances; `cpu` is the average of the scan's window in percent."""
    return listed(asked, wanted.of("ec2-instance"), _row)


def _row(row: ResourceRow) -> dict[str, Any]:
    return {
        "instance_id": row.resource.id,
        "name": row.resource.name,
        **classic(row, "instance_type", "availability_zone"),
        "cpu": average(row, "cpuPercent"),
        "utilization": measured(row),
    }
