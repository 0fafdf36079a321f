"""GET /requests: what waits for votes, what runs, and what has ended."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.decision import TERMINAL
from finops_web.context import Visit
from finops_web.readings.policies import trust_in
from finops_web.readings.requests import may_be_voted_on, requests_of
from finops_web.rendering import Entry, csv_of, render, with_gaps

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/requests", "Requests", "Decide", 20)
_ENDED_SHOWN: Final = 200
_CSV: Final = ("namespace", "name", "state", "action", "resource", "account", "region", "monthlySavings", "votes")


@ROUTER.get("/requests")
def requests(asked: Visit, request: Request) -> Response:
    """Show the queue and the history; without script the page asks anew when it is opened again."""
    policies = asked.policies()
    read = requests_of(asked.visitor, {one.namespace for one in policies})
    found = read.found
    ended = [one for one in found if one.status.state in TERMINAL]
    return render(
        asked,
        request,
        "requests.html",
        title="Requests",
        trust=trust_in(policies, 0, 0, asked.parts.clock.now(), read.gaps),
        closed=len(read.gaps),
        waiting=[one for one in found if may_be_voted_on(one)],
        running=[one for one in found if not may_be_voted_on(one) and one.status.state not in TERMINAL],
        ended=ended[:_ENDED_SHOWN],
        not_shown=max(0, len(ended) - _ENDED_SHOWN),
    )


@ROUTER.get("/requests.json")
def requests_json(asked: Visit) -> Response:
    """Return all requests as data."""
    read = requests_of(asked.visitor, asked.namespaces())
    return with_gaps(JSONResponse([one.to_object() for one in read.found]), read.gaps)


@ROUTER.get("/requests.csv")
def requests_csv(asked: Visit) -> Response:
    """Return all requests for a spreadsheet."""
    read = requests_of(asked.visitor, asked.namespaces())
    rows = (
        {
            "namespace": one.metadata.namespace,
            "name": one.metadata.name,
            "state": one.status.state.value if one.status.state else "",
            "action": one.spec.action,
            "resource": one.spec.resource.id,
            "account": one.spec.resource.account_id,
            "region": one.spec.region,
            "monthlySavings": f"{one.spec.estimate.monthly_savings:f}",
            "votes": one.status.votes.summary if one.status.votes else "",
        }
        for one in read.found
    )
    return with_gaps(csv_of(_CSV, rows, "requests"), read.gaps)
