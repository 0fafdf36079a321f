"""GET and POST /api/instances: EC2 instances."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Body
from pydantic import Field

from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed, measured
from finops_web.pushing import MOST_AT_ONCE, Arn, Id, Push, PushedFields, Word, facts_among, pushed
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/instances")
def instances(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List instances; `cpu` is the average of the scan's window in percent."""
    return listed(asked, wanted.of("ec2-instance"), _row)


class PushedInstance(PushedFields):
    """An EC2 instance."""

    KIND: ClassVar[str] = "ec2-instance"

    instance_id: Id = Field(description="`i-…`.")
    arn: Arn = Field(default="", description="Its ARN.")
    name: Word = Field(default="", description="Default: the tag `Name`.")
    state: Word = Field(description="State in AWS, such as `running`; without hours where it does not run.")
    instance_type: Word | None = Field(default=None, description="Such as `t2.large`.")
    availability_zone: Word | None = Field(default=None, description="Such as `eu-west-1a`.")
    platform_details: Word | None = Field(
        default=None, description="As AWS says it, such as `Linux/UNIX`; without it its hours have no price."
    )

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        return self.instance_id, self.arn, self.name, self.state

    def facts(self) -> dict[str, Any]:
        """Return the facts that were sent."""
        return facts_among(self, "instance_type", "availability_zone", "platform_details")


@ROUTER.post("/api/instances", status_code=201)
def push_instances(
    asked: Visit,
    where: Push,
    sent: PushedInstance | Annotated[list[PushedInstance], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push instances that a scanner elsewhere has seen, one or up to 500; the lists mark them `pushed`.

    The operator prices them within a minute. Costs and metrics that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


def _row(row: ResourceRow) -> dict[str, Any]:
    return {
        "instance_id": row.resource.id,
        "name": row.resource.name,
        **classic(row, "instance_type", "availability_zone"),
        "cpu": average(row, "cpuPercent"),
        "utilization": measured(row),
    }
