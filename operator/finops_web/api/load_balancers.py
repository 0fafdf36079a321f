"""GET and POST /api/load-balancers: application, network, gateway and classic load balancers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Body
from pydantic import Field

from finops_web.context import Visit
from finops_web.listing import Asking, classic, listed, total
from finops_web.pushing import MOST_AT_ONCE, Arn, Push, PushedFields, Word, facts_among, pushed
from finops_web.readings.resources import ResourceRow

ROUTER = APIRouter(tags=["resources"])


@ROUTER.get("/api/load-balancers")
def load_balancers(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """List load balancers; RequestCount is the sum over the scan's window, HealthyHostCount as of the scan."""
    return listed(asked, wanted.of("load-balancer"), _row)


class PushedLoadBalancer(PushedFields):
    """A load balancer."""

    KIND: ClassVar[str] = "load-balancer"

    load_balancer_name: Word = Field(min_length=1, description="Its name.")
    load_balancer_arn: Arn = Field(default="", description="Its ARN; a classic one has none.")
    load_balancer_type: Word | None = Field(
        default=None, description="`application`, `network`, `gateway` or `classic`; without it it has no price."
    )
    state: Word = Field(description="State in AWS, such as `active`.")
    scheme: Word | None = Field(default=None, description="`internet-facing` or `internal`.")
    vpc_id: Word | None = Field(default=None, description="`vpc-…`.")

    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""
        name, arn = self.load_balancer_name, self.load_balancer_arn
        return arn.partition(":loadbalancer/")[2] or name, arn, name, self.state

    def facts(self) -> dict[str, Any]:
        """Return the facts that were sent."""
        return facts_among(self, "load_balancer_name", "load_balancer_arn", "load_balancer_type", "scheme", "vpc_id")


@ROUTER.post("/api/load-balancers", status_code=201)
def push_load_balancers(
    asked: Visit,
    where: Push,
    sent: PushedLoadBalancer | Annotated[list[PushedLoadBalancer], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Push load balancers that a scanner elsewhere has seen, one or up to 500; the lists mark them `pushed`.

    The operator prices them within a minute. Costs and metrics that are sent are left out. Nothing acts on them.
    """
    return pushed(asked, where, sent)


def _row(row: ResourceRow) -> dict[str, Any]:
    facts = classic(row, "load_balancer_name", "load_balancer_arn", "load_balancer_type", "scheme", "vpc_id")
    # Each type publishes its own counter; a load balancer has one of them, or none where nothing is counted.
    known = (total(row, name) for name in ("requestCount", "classicRequestCount"))
    requests = next((one for one in known if one is not None), None)
    return {**facts, "metrics": {"RequestCount": requests, "HealthyHostCount": row.resource.number("healthy_targets")}}
