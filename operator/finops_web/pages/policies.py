"""GET /policies: what each policy saw at its last scan, what it could not see, and what scanning costs."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops_web.context import Visit
from finops_web.readings.policies import ScannedPolicy, trust_in
from finops_web.rendering import Entry, csv_of, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/policies", "Policies", "Trust", 50)
_CSV: Final = (
    "namespace",
    "name",
    "completionTime",
    "resources",
    "unpricedResources",
    "unknownResources",
    "monthlyCost",
    "recommendations",
    "apiCalls",
    "estimatedApiCost",
    "gaps",
)


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
    return JSONResponse([_row(one) for one in asked.policies()])


@ROUTER.get("/policies.csv")
def policies_csv(asked: Visit) -> Response:
    """Return the policies for a spreadsheet; of gaps and calls how many they are."""
    rows = (_row(one) for one in asked.policies())
    return csv_of(
        _CSV,
        ({**row, "gaps": len(row["gaps"]), "apiCalls": sum(row["apiCalls"].values())} for row in rows),
        "policies",
    )


def _row(one: ScannedPolicy) -> dict[str, Any]:
    found = one.head.summary
    cost = found.known_monthly_cost
    return {
        "namespace": one.namespace,
        "name": one.name,
        "completionTime": found.completion_time.isoformat(),
        "resources": found.resources,
        "unpricedResources": found.unpriced_resources,
        "unknownResources": found.unknown_resources,
        "monthlyCost": None if cost is None else f"{cost:f}",
        "recommendations": found.recommendations,
        "apiCalls": dict(found.api_calls),
        "estimatedApiCost": f"{found.estimated_api_cost:f}",
        "gaps": [gap.to_json() for gap in found.gaps],
    }
