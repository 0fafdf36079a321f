"""GET /resources: everything that was seen, the dearest first; /resources/{kind}/{id}: one of them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.tags import owner_of
from finops_web.answers import NotThere, number
from finops_web.api.resources import resource_to_json
from finops_web.context import Visit
from finops_web.listing import Asking, Sort, measured, paged
from finops_web.readings.metrics import charts_of
from finops_web.readings.policies import trust_in
from finops_web.readings.recommendations import recommendations_of
from finops_web.readings.resources import grouped, sum_of
from finops_web.rendering import Entry, csv_of, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/resources", "Resources", "Spend", 40)
_CSV: Final = (
    *("kind", "id", "name", "account", "region", "state", "monthly_cost", "hourly_cost", "owner", "created", "arn"),
    *("attributed_monthly_cost", "attributed_unknown"),
)


@ROUTER.get("/resources")
def resources(asked: Visit, request: Request, wanted: Asking) -> Response:
    """Show the list."""
    policies = asked.policies()
    everything = asked.parts.resources.seen_by(policies)
    rows = wanted.apply(everything)
    cost, count, unpriced = sum_of(rows)
    page = paged(rows, wanted)
    return render(
        asked,
        request,
        "resources.html",
        title="Resources",
        trust=trust_in(policies, count, count - unpriced, asked.parts.clock.now()),
        rows=page.rows,
        next_page=page.next_page,
        next_link=_link(request, cursor=page.next_page or ""),
        first_link=_link(request, cursor=""),
        wanted=wanted,
        sorts=tuple(Sort),
        sort_links={one: _link(request, sort=one.value, cursor="") for one in Sort},
        removals={name: _link(request, **{name: "", "cursor": ""}) for name in wanted.active},
        cost=cost,
        count_=count,
        unpriced=unpriced,
        total=len(everything),
        kinds=grouped(everything, lambda row: row.resource.kind),
        accounts=sorted({row.resource.account for row in everything}),
        regions=sorted({row.resource.region for row in everything}),
        owner_of=owner_of,
    )


@ROUTER.get("/resources.json")
def resources_json(asked: Visit, wanted: Asking) -> Response:
    """Return all rows of the list as data."""
    rows = wanted.apply(asked.parts.resources.seen_by(asked.policies()))
    return JSONResponse([resource_to_json(row) for row in rows])


@ROUTER.get("/resources.csv")
def resources_csv(asked: Visit, wanted: Asking) -> Response:
    """Return all rows of the list for a spreadsheet."""
    rows = wanted.apply(asked.parts.resources.seen_by(asked.policies()))
    return csv_of(_CSV, ({**resource_to_json(row), "owner": owner_of(row.resource.tags)} for row in rows), "resources")


@ROUTER.get("/resources/{kind}/{identifier:path}")
def one_resource(asked: Visit, request: Request, kind: str, identifier: str) -> Response:
    """Show one resource: its cost part by part, what it did, what is recommended."""
    policies = asked.policies()
    row = asked.parts.resources.find(policies, kind, identifier)
    if row is None:
        raise NotThere(
            "there is no such resource in the last scans", code="NotFound", hint="it may be gone; open the list again"
        )
    found = recommendations_of(asked.parts.store, policies)
    return render(
        asked,
        request,
        "resource.html",
        title=row.resource.name or row.resource.id,
        trust=trust_in(policies, 1, int(row.cost.at_stake is not None), asked.parts.clock.now()),
        row=row,
        hourly=number(row.cost.hourly),
        measured=measured(row),
        charts=charts_of(asked.parts.store, row),
        recommended=[one for one in found if one.resource.arn == row.resource.arn],
        counted_by=[one.title for one in policies if one.counts(row.resource)],
    )


def _link(request: Request, **changed: str) -> str:
    """Return this page's address with some parameters changed; an empty value leaves one out."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changed]
    pairs = [*kept, *((name, value) for name, value in changed.items() if value)]
    return f"{request.url.path}?{urlencode(pairs)}" if pairs else request.url.path
