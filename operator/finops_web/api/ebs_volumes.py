"""GET and POST /api/ebs-volumes: EBS volumes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Body
from pydantic import Field

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, total
from finops_web.push_facts import at_most
from finops_web.pushing import MOST_AT_ONCE, Arn, Id, Number, Push, PushedFields, Word, facts_among, pushed
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


class PushedVolume(PushedFields):
    """An EBS volume."""

    KIND: ClassVar[str] = "ebs-volume"

    volume_id: Id = Field(description="`vol-…`.")
    arn: Arn = Field(default="", description="Its ARN.")
    name: Word = Field(default="", description="Default: the tag `Name`.")
    state: Word = Field(description="State in AWS, such as `in-use`.")
    volume_type: Word | None = Field(default=None, description="Such as `gp3`; without it it has no price.")
    size_gb: Number | None = at_most("ebs-volume", "size_gb")
    availability_zone: Word | None = Field(default=None, description="Such as `eu-west-1a`.")
    encrypted: bool | None = Field(default=None, description="Whether it is encrypted.")
    iops: Number | None = at_most("ebs-volume", "iops")
    throughput: Number | None = at_most("ebs-volume", "throughput")
    attached_instance_id: Word | None = Field(default=None, description="Instance it is attached to.")
    attached_device: Word | None = Field(default=None, description="Such as `/dev/xvda`.")

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        return self.volume_id, self.arn, self.name, self.state

    def facts(self) -> dict[str, Any]:
        """Return the facts that were sent."""
        return facts_among(self, *_FACTS)


@ROUTER.post("/api/ebs-volumes", status_code=201)
def push_ebs_volumes(
    asked: Visit,
    where: Push,
    sent: PushedVolume | Annotated[list[PushedVolume], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push volumes that a scanner elsewhere has seen, one or up to 500; the lists mark them `pushed`.

    The operator prices them within a minute. Costs and metrics that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


def _row(row: ResourceRow) -> dict[str, Any]:
    return {
        "volume_id": row.resource.id,
        "name": row.resource.name,
        **classic(row, *_FACTS),
        "metrics": {"VolumeReadOps": total(row, "volumeReadOps"), "VolumeWriteOps": total(row, "volumeWriteOps")},
    }
