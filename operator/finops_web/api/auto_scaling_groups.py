"""GET and POST /api/auto-scaling-groups: groups, with what their members cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Body
from pydantic import Field

from finops_web.answers import number
from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed
from finops_web.pushing import MOST_AT_ONCE, Arn, Id, Number, Push, PushedFields, Word, facts_among, pushed
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])
_FACTS = (
    "asg_name",
    "asg_arn",
    "min_size",
    "max_size",
    "desired_capacity",
    "current_instances",
    "instance_ids",
    "health_check_type",
)


@ROUTER.get("/api/auto-scaling-groups")
def auto_scaling_groups(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List groups; `instance_costs` names each member's monthly cost, which belongs to the member, not to the group."""
    members = {row.resource.id: row for row in asked.resources()}
    hours = Decimal(wanted.hours)
    return listed(asked, wanted.of("auto-scaling-group"), lambda row: _row(row, members, hours))


class PushedGroup(PushedFields):
    """An Auto Scaling group."""

    KIND: ClassVar[str] = "auto-scaling-group"

    asg_name: Id = Field(description="Its name.")
    asg_arn: Arn = Field(default="", description="Its ARN.")
    state: Word = Field(default="", description="State in AWS; empty where AWS names none.")
    min_size: Number | None = Field(default=None, description="Fewest instances.")
    max_size: Number | None = Field(default=None, description="Most instances.")
    desired_capacity: Number | None = Field(default=None, description="Instances it aims at.")
    current_instances: Number | None = Field(default=None, description="Instances it has.")
    instance_ids: list[Id] | None = Field(
        default=None, max_length=1000, description="Its members; what it costs is what they cost, pushed as well."
    )
    health_check_type: Word | None = Field(default=None, description="Such as `EC2` or `ELB`.")

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        return self.asg_name, self.asg_arn, self.asg_name, self.state

    def facts(self) -> dict[str, Any]:
        """Return the facts that were sent."""
        return facts_among(self, *_FACTS)


@ROUTER.post("/api/auto-scaling-groups", status_code=201)
def push_auto_scaling_groups(
    asked: Visit,
    where: Push,
    sent: PushedGroup | Annotated[list[PushedGroup], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push Auto Scaling groups that a scanner elsewhere has seen, one or up to 500; the lists mark them `pushed`.

    The operator prices them within a minute. Costs and metrics that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


def _row(row: ResourceRow, members: Mapping[str, ResourceRow], hours: Decimal) -> dict[str, Any]:
    listed_ids = row.resource.attributes.get("instance_ids")
    ids = [str(one) for one in listed_ids] if isinstance(listed_ids, list | tuple) else []
    costs = {one: number(members[one].over(hours).monthly) if one in members else None for one in ids}
    utilization = {"InstanceUtilizationPercent": average(row, "groupCpuPercent")}
    return {**classic(row, *_FACTS), "metrics": utilization, "instance_costs": costs}
