"""GET /api/auto-scaling-groups: groups, with what their members cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from finops_web.answers import number
from finops_web.context import Visit
from finops_web.listing import Asking, average, classic, listed
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
    members = {row.resource.id: row for row in asked.parts.resources.seen_by(asked.policies())}
    hours = Decimal(wanted.hours)
    return listed(asked, wanted.of("auto-scaling-group"), lambda row: _row(row, members, hours))


def _row(row: ResourceRow, members: Mapping[str, ResourceRow], hours: Decimal) -> dict[str, Any]:
    listed_ids = row.resource.attributes.get("instance_ids")
    ids = [str(one) for one in listed_ids] if isinstance(listed_ids, list | tuple) else []
    costs = {one: number(members[one].over(hours).monthly) if one in members else None for one in ids}
    utilization = {"InstanceUtilizationPercent": average(row, "groupCpuPercent")}
    return {**classic(row, *_FACTS), "metrics": utilization, "instance_costs": costs}
