"""GET /api/ebs-volumes: EBS volumes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, total
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])
_FACTS = (
    "volume_type",
    "size_gb",
    "availability_zone",
    "encrypted",
    "iops",
    "throughput",
    "attached_instance_id",
    "attached_device",
)


@ROUTER.get("/api/ebs-volumes")
def ebs_volumes(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List volumes; the metrics are sums over the scan's window."""
    return listed(asked, wanted.of("ebs-volume"), _row)


def _row(row: ResourceRow) -> dict[str, Any]:
    return {
        "volume_id": row.resource.id,
        "name": row.resource.name,
        **classic(row, *_FACTS),
        "metrics": {"VolumeReadOps": total(row, "volumeReadOps"), "VolumeWriteOps": total(row, "volumeWriteOps")},
    }
