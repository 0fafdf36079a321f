"""GET /api/load-balancers: application, network, gateway and classic load balancers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, total
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/load-balancers")
def load_balancers(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List load balancers; RequestCount is the sum over the scan's window, HealthyHostCount as of the scan."""
    return listed(asked, wanted.of("load-balancer"), _row)


def _row(row: ResourceRow) -> dict[str, Any]:
    facts = classic(row, "load_balancer_name", "load_balancer_arn", "load_balancer_type", "scheme", "vpc_id")
    # Each type publishes its own counter; a load balancer has one of them, or none where nothing is counted.
    known = (total(row, name) for name in ("requestCount", "classicRequestCount"))
    requests = next((one for one in known if one is not None), None)
    return {**facts, "metrics": {"RequestCount": requests, "HealthyHostCount": row.resource.number("healthy_targets")}}
