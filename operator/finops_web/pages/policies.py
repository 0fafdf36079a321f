"""GET /policies: what each policy saw at its last scan, what it could not see, and what scanning costs."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops_web.context import Visit
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/policies", "Policies", "Trust", 50)


@ROUTER.get("/policies")
def policies(asked: Visit, request: Request) -> Response:
    """Show the policies."""
    found = asked.policies()
    summaries = [one.head.summary for one in found]
    resources = sum(one.resources for one in summaries)
    priced = resources - sum(one.unpriced_resources for one in summaries)
    return render(
        asked,
        request,
        "policies.html",
        title="Policies",
        trust=trust_in(found, resources, priced, asked.parts.clock.now()),
        policies=found,
    )


@ROUTER.get("/policies.json")
def policies_json(asked: Visit) -> Response:
    """Return the policies as data."""
    return JSONResponse(
        [
            {
                "namespace": one.namespace,
                "name": one.name,
                "completionTime": one.head.summary.completion_time.isoformat(),
                "resources": one.head.summary.resources,
                "unpricedResources": one.head.summary.unpriced_resources,
                "unknownResources": one.head.summary.unknown_resources,
                "monthlyCost": None if (cost := one.head.summary.known_monthly_cost) is None else f"{cost:f}",
                "recommendations": one.head.summary.recommendations,
                "apiCalls": dict(one.head.summary.api_calls),
                "estimatedApiCost": f"{one.head.summary.estimated_api_cost:f}",
                "gaps": [gap.to_json() for gap in one.head.summary.gaps],
            }
            for one in asked.policies()
        ]
    )
