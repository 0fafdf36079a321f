"""GET /api/rds-instances: database instances, instance and storage apart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from finops.domain.price import HOUR
from finops_web.answers import number
from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed
from finops_web.readings.resources import HOURS, ResourceRow

ROUTER = APIRouter(tags=["resources"])
_FACTS = (
    "engine",
    "engine_version",
    "db_instance_class",
    "allocated_storage_gb",
    "storage_type",
    "multi_az",
    "backup_retention_days",
    "publicly_accessible",
    "read_replicas",
)


@ROUTER.get("/api/rds-instances")
def rds_instances(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List database instances; the hourly costs are null where a part of them has no price."""
    return listed(asked, wanted.of("rds-instance"), _row)


def _row(row: ResourceRow) -> dict[str, Any]:
    metrics = {
        "CPUUtilizationPercent": average(row, "cpuPercent"),
        "DatabaseConnections": average(row, "databaseConnections"),
    }
    return {
        "db_instance_id": row.resource.id,
        "db_instance_arn": row.resource.arn,
        "status": row.resource.state,
        **classic(row, *_FACTS),
        "metrics": metrics,
        "instance_hourly_cost": number(_hourly(row, hours=True)),
        "storage_hourly_cost": number(_hourly(row, hours=False)),
    }


def _hourly(row: ResourceRow, *, hours: bool) -> Decimal | None:
    """Return what is billed by the hour, or what is billed by the month spread over its hours; None when unknown."""
    if row.cost.missing:
        return None
    parts = [one for one in row.cost.components if (one.price.unit == HOUR) is hours]
    return sum((one.monthly for one in parts), Decimal(0)) / HOURS
