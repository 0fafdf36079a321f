"""GET and POST /api/resources: resources of every kind, in the shape of a scan report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, measured
from finops_web.pushing import MOST_AT_ONCE, Arn, Id, Push, PushedFields, Word, pushed
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/resources")
def resources(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List resources, the dearest first; `attributes` are the kind's own facts."""
    return listed(asked, wanted, resource_to_json)


class PushedOfAnyKind(PushedFields):
    """A resource of any kind, as a scan report has it."""

    kind: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64, description="Kind, as a row names it.")
    id: Id = Field(description="AWS's own id.")
    arn: Arn = Field(default="", description="Its ARN.")
    name: Word = Field(default="", description="Default: the tag `Name`.")
    state: Word = Field(default="", description="State in AWS; empty where AWS names none.")

    def kind_(self) -> str:
        """Return the kind."""
        return self.kind

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        return self.id, self.arn, self.name, self.state


@ROUTER.post("/api/resources", status_code=201)
def push_resources(
    asked: Visit,
    where: Push,
    sent: PushedOfAnyKind | Annotated[list[PushedOfAnyKind], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push resources that a scanner elsewhere has seen, one or up to 500; they are listed with the mark `pushed`.

    The operator prices them within a minute; of a kind that it does not know the cost stays unknown. Costs and metrics
    that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


def resource_to_json(row: ResourceRow) -> dict[str, Any]:
    """Return one resource with its cost, its price and what it did."""
    one, price = row.resource, row.cost.price
    return {
        "kind": one.kind,
        "id": one.id,
        "arn": one.arn,
        "name": one.name,
        **classic(row),
        "price": {"source": price.source, "as_of": price.as_of.isoformat(), "unit": price.unit} if price else None,
        "utilization": measured(row),
        "attributes": dict(one.attributes),
    }
