"""GET and POST /api/rds-instances: database instances, instance and storage apart."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Body
from pydantic import Field

from finops.domain.price import HOUR
from finops_web.answers import number
from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed
from finops_web.push_facts import at_most
from finops_web.pushing import MOST_AT_ONCE, Arn, Id, Number, Push, PushedFields, Word, facts_among, pushed
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


class PushedDatabase(PushedFields):
    """A database instance."""

    KIND: ClassVar[str] = "rds-instance"

    db_instance_id: Id = Field(description="Its identifier.")
    db_instance_arn: Arn = Field(default="", description="Its ARN.")
    status: Word = Field(description="Status in AWS, such as `available`.")
    state: Word = Field(default="", description="The same as `status`, as the lists have it too.")
    engine: Word | None = Field(default=None, description="Such as `postgres`; without it it has no price.")
    engine_version: Word | None = Field(default=None, description="Such as `17.4`.")
    db_instance_class: Word | None = Field(default=None, description="Such as `db.m7g.large`.")
    allocated_storage_gb: Number | None = at_most("rds-instance", "allocated_storage_gb")
    storage_type: Word | None = Field(default=None, description="Such as `gp3`.")
    multi_az: bool | None = Field(default=None, description="Whether it stands by in a second zone.")
    backup_retention_days: Number | None = at_most("rds-instance", "backup_retention_days")
    publicly_accessible: bool | None = Field(default=None, description="Whether it has a public address.")
    read_replicas: list[Word] | None = Field(default=None, max_length=100, description="What replicates from it.")

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        return self.db_instance_id, self.db_instance_arn, self.db_instance_id, self.status

    def facts(self) -> dict[str, Any]:
        """Return the facts that were sent."""
        return facts_among(self, *_FACTS)


@ROUTER.post("/api/rds-instances", status_code=201)
def push_rds_instances(
    asked: Visit,
    where: Push,
    sent: PushedDatabase | Annotated[list[PushedDatabase], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push database instances that a scanner elsewhere has seen, one or up to 500; the lists mark them `pushed`.

    The operator prices them within a minute. Costs and metrics that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


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
