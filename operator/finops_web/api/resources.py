"""GET /api/resources: resources of every kind, in the shape of a scan report."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, measured
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/resources")
def resources(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List resources, the dearest first; `attributes` are the kind's own facts."""
    return listed(asked, wanted, resource_to_json)


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
