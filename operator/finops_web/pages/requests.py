"""GET /requests: what waits for votes, what runs, and what has ended.

Undos are asked for and decided here; questions are put off, snoozes ended, paused acts resumed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL, Choice
from finops.domain.money import as_text
from finops.errors import FinopsError
from finops_web.answers import NotThere
from finops_web.context import Visit
from finops_web.readings.policies import trust_in
from finops_web.readings.requests import (
    answer_in_words,
    can_be_undone,
    lacking,
    may_be_voted_on,
    request_of,
    requests_of,
    vote,
)
from finops_web.readings.snoozes import asked_again_on, may_be_snoozed, open_snoozes, tomorrow, why_paused
from finops_web.rendering import Entry, csv_of, render, with_gaps

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/requests", "Requests", "Decide", 20)
_ENDED_SHOWN: Final = 200
_WAIT_SECONDS: Final = 8.0
_HERE: Final = frozenset({Choice.UNDO, Choice.SNOOZE, Choice.WAKE, Choice.RESUME})
"""What is sent from this page about any request; the other votes are cast beside what was measured."""
_CSV: Final = (
    "namespace",
    "name",
    "state",
    "action",
    "resource",
    "account",
    "region",
    "monthlySavings",
    "votes",
    "needed",
    "undo",
)


@ROUTER.get("/requests")
def requests(asked: Visit, request: Request, said: str = "", problem: str = "") -> Response:
    """Show the queue and the history; without script the page asks anew when it is opened again."""
    policies = asked.policies()
    read = requests_of(asked.visitor, {one.namespace for one in policies})
    found = read.found
    ended = [one for one in found if one.status.state in TERMINAL]
    now, shown = asked.parts.clock.now(), ended[:_ENDED_SHOWN]
    return render(
        asked,
        request,
        "requests.html",
        title="Requests",
        trust=trust_in(policies, 0, 0, now, read.gaps),
        closed=len(read.gaps),
        waiting=[one for one in found if may_be_voted_on(one)],
        running=[one for one in found if not may_be_voted_on(one) and one.status.state not in TERMINAL],
        ended=shown,
        not_shown=max(0, len(ended) - _ENDED_SHOWN),
        undoable={one.metadata.uid for one in shown if can_be_undone(one, now)},
        lacks=lacking(asked.visitor, found),
        snoozable={one.metadata.uid for one in found if may_be_snoozed(one)},
        snoozes=open_snoozes(asked.visitor, shown, now),
        paused={one.metadata.uid: why for one in found if (why := why_paused(one))},
        voting={one for one in {one.metadata.namespace or "" for one in found} if asked.may_vote(one)},
        first_day=tomorrow(now),
        said=said[:500],
        problem=problem[:500],
    )


@ROUTER.post("/requests/vote")
def send_vote(
    asked: Visit,
    namespace: Annotated[str, Form(max_length=63)],
    name: Annotated[str, Form(max_length=253)],
    decision: Annotated[Choice, Form()],
    form_secret: Annotated[str, Form(max_length=128)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    until: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Send what is decided on this page, wait for the operator's answer, and show the page with it."""
    asked.require_form(form_secret)
    found = request_of(asked.visitor, namespace, name)
    if found is None:
        raise NotThere(
            f"there is no request {namespace}/{name}", code="NotFound", hint="it may have been removed; open the list"
        )
    if decision not in _HERE and found.spec.undoes is None:
        return _back(found, problem="Nothing was sent. Decide this request in Optimizations, beside what was measured.")
    try:
        day = asked_again_on(until, asked.parts.clock.now()) if decision is Choice.SNOOZE else None
        sent = vote(asked.visitor, found, decision, reason.strip(), until=day, wait_seconds=_WAIT_SECONDS)
    except FinopsError as error:
        return _back(found, problem=str(error))
    return _back(found, said=answer_in_words(sent))


def _back(voted_on: ActionRequest, *, said: str = "", problem: str = "") -> Response:
    words = f"said={quote(said, safe='')}" if said else f"problem={quote(problem, safe='')}"
    return RedirectResponse(f"/requests?{words}#{voted_on.metadata.uid}", status_code=303)


@ROUTER.get("/requests.json")
def requests_json(asked: Visit) -> Response:
    """Return all requests as data."""
    read = requests_of(asked.visitor, asked.namespaces())
    return with_gaps(JSONResponse([one.to_object() for one in read.found]), read.gaps)


@ROUTER.get("/requests.csv")
def requests_csv(asked: Visit) -> Response:
    """Return all requests for a spreadsheet."""
    read = requests_of(asked.visitor, asked.namespaces())
    lacks = lacking(asked.visitor, read.found)
    rows = (
        {
            "namespace": one.metadata.namespace,
            "name": one.metadata.name,
            "state": one.status.state.value if one.status.state else "",
            "action": one.spec.action,
            "resource": one.spec.resource.id,
            "account": one.spec.resource.account_id,
            "region": one.spec.region,
            "monthlySavings": as_text(Decimal("0.00") if one.status.is_undone else one.spec.estimate.monthly_savings),
            "votes": one.status.votes.summary if one.status.votes else "",
            "needed": lacks.get(one.metadata.uid or "", ""),
            "undo": _undo_word(one),
        }
        for one in read.found
    )
    return with_gaps(csv_of(_CSV, rows, "requests"), read.gaps)


def _undo_word(request: ActionRequest) -> str:
    """Return how the undo of an act stands: `open` or the state in which it ended; empty while none was made."""
    undo = request.status.undo
    if undo is None or undo.request is None:
        return ""
    return "open" if undo.state is None else undo.state.value
