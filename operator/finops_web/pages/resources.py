"""GET /resources: everything that was seen, the dearest first; /resources/{kind}/{id}: one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from finops.domain.money import annual_from_monthly
from finops.domain.tags import owner_of
from finops.store.what_if import WhatIfs
from finops_web.answers import LARGEST_PAGE, NotThere, number
from finops_web.api.resources import resource_to_json
from finops_web.columns import ChosenColumns, Column, tags_as_text
from finops_web.context import Asked, Visit
from finops_web.formats import read_every
from finops_web.listing import Asking, Filter, Sort, measured, paged
from finops_web.readings.limits import Limit, limits_of, live_among
from finops_web.readings.metrics import charts_of
from finops_web.readings.policies import ScannedPolicy
from finops_web.readings.recommendations import recommendations_of
from finops_web.readings.resources import ResourceRow, grouped, sum_of
from finops_web.rendering import Entry, csv_by_and_by, json_by_and_by, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/resources", "Resources", "Spend", 40)
_OF_FILTERS: Final = frozenset({"find", "kind", "account", "region", "state", "tag"})
_CSV: Final = (
    *("kind", "id", "name", "account", "region", "state", "monthly_cost", "hourly_cost", "owner", "created", "arn"),
    *("attributed_monthly_cost", "attributed_unknown", "pushed"),
)


@ROUTER.get("/resources")
def resources(asked: Visit, request: Request, wanted: Asking, columns: ChosenColumns) -> Response:
    """Show the list."""
    everything = asked.resources()
    rows = wanted.apply(everything)
    cost, count, unpriced = sum_of(rows)
    page = paged(rows, wanted)
    return render(
        asked,
        request,
        "resources.html",
        title="Resources",
        trust=asked.trust(count, count - unpriced),
        rows=asked.parts.resources.whole(page.rows) if columns.need_reading else page.rows,
        columns=columns,
        every_column=tuple(Column),
        offered_facts=columns.offered(wanted.kind),
        usual_link=_link(request, columns=""),
        kept_by_filters=_kept(request, _OF_FILTERS),
        kept_by_columns=_kept(request, {"columns"}),
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
        tags_as_text=tags_as_text,
        annual_of=_annual,
    )


@ROUTER.get("/resources.json")
def resources_json(asked: Visit, wanted: Asking, columns: ChosenColumns) -> Response:
    """Return all rows of the list as data; of chosen columns only those fields and what names the resource."""
    if not columns.chosen:
        return json_by_and_by(resource_to_json(row) for row in _whole(asked, wanted))
    return json_by_and_by(columns.of(_with_owner(row), row.resource) for row in _whole(asked, wanted))


@ROUTER.get("/resources.csv")
def resources_csv(asked: Visit, wanted: Asking, columns: ChosenColumns) -> Response:
    """Return all rows of the list for a spreadsheet, with the chosen columns if there are some."""
    rows = (
        columns.cells({**_with_owner(row), "tags": tags_as_text(row.resource.tags)}, row.resource)
        for row in _whole(asked, wanted)
    )
    return csv_by_and_by(columns.fields if columns.chosen else _CSV, rows, "resources")


@ROUTER.get("/resources/{kind}/{identifier:path}")
def one_resource(
    asked: Visit, request: Request, kind: str, identifier: str, account: str = "", region: str = ""
) -> Response:
    """Show one resource: its cost part by part, what it did, what is recommended.

    Ids such as a function's name are those of an account and region: without these two in the address the dearest that
    was scanned is shown, and the page names the others.
    """
    policies = asked.policies()
    alike = [one for one in asked.resources() if (one.resource.kind, one.resource.id) == (kind, identifier)]
    named = [one for one in alike if account in {"", one.resource.account} and region in {"", one.resource.region}]
    # What somebody pushed under the same id hides nothing that was scanned.
    listed = min(named, key=lambda one: one.push is not None, default=None)
    if listed is None:
        raise NotThere(
            f"there is no {kind[:64]} {identifier[:512]} in the last scans",
            code="NotFound",
            hint="it may be gone; open the list again",
        )
    (row,) = asked.parts.resources.whole([listed])
    found = recommendations_of(asked.parts.store, policies)
    return render(
        asked,
        request,
        "resource.html",
        title=row.resource.name or row.resource.id,
        trust=asked.trust(1, int(row.cost.at_stake is not None)),
        row=row,
        elsewhere=[one.resource for one in alike if one.resource.shard != row.resource.shard],
        hourly=number(row.cost.hourly),
        measured=measured(row),
        read_every=read_every,
        charts=charts_of(asked.parts.store, row, _limits(asked, row, policies)),
        # What is recommended for another resource of the same ARN says nothing of one that was pushed.
        recommended=[] if row.push else [one for one in found if one.resource.arn == row.resource.arn],
        counted_by=[] if row.push else [one.title for one in policies if one.counts(row.resource)],
    )


def _limits(asked: Asked, row: ResourceRow, policies: Iterable[ScannedPolicy]) -> tuple[Limit, ...]:
    """Return what checks compare the metrics of a row with; nothing judges what was pushed or not measured."""
    if row.push is not None or row.utilization is None:
        return ()
    checks = [one for one in WhatIfs(asked.parts.store).checks() if row.resource.kind in one.kinds]
    if not any(threshold.metrics for one in checks for threshold in one.thresholds):
        return ()
    counting = (one for one in policies if one.counts(row.resource))
    return limits_of(row.resource.kind, checks, live_among(asked.visitor, counting))


def _whole(asked: Asked, wanted: Filter) -> Iterator[ResourceRow]:
    """Yield all rows that are asked for with everything that is known of them, some at a time."""
    rows = wanted.apply(asked.resources())
    for start in range(0, len(rows), LARGEST_PAGE):
        yield from asked.parts.resources.whole(rows[start : start + LARGEST_PAGE])


def _with_owner(row: ResourceRow) -> dict[str, Any]:
    return {**resource_to_json(row), "owner": owner_of(row.resource.tags)}


def _annual(row: ResourceRow) -> Decimal | None:
    return None if row.monthly is None else annual_from_monthly(row.monthly)


def _kept(request: Request, fields: Collection[str]) -> list[tuple[str, str]]:
    """Return what a form sends along unseen: the address's parameters that are no fields of it, from the first page."""
    left_out = {*fields, "cursor"}
    return [(name, value) for name, value in request.query_params.multi_items() if name not in left_out]


def _link(request: Request, **changed: str) -> str:
    """Return this page's address with some parameters changed; an empty value leaves one out."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changed]
    pairs = [*kept, *((name, value) for name, value in changed.items() if value)]
    return f"{request.url.path}?{urlencode(pairs)}" if pairs else request.url.path
