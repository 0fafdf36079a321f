"""GET /optimizations: what could be saved, the best first, with one recommendation open; votes from the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice
from finops.domain.recommendation import Recommendation, Status
from finops.domain.tags import owner_of
from finops.errors import ClusterUnavailable, FinopsError
from finops.store.known_names import KnownNames
from finops.store.recommendations import recommendation_to_json
from finops_web.answers import NotThere
from finops_web.context import Asked, Visit
from finops_web.narrowing import Narrowed
from finops_web.readings.many_votes import MOST
from finops_web.readings.policies import savings_of, trust_in
from finops_web.readings.recommendations import ORDER, added, counted, recommendations_of
from finops_web.readings.requests import (
    ReadRequests,
    answer_in_words,
    lacking,
    may_be_voted_on,
    request_of,
    requests_of,
    vote,
)
from finops_web.readings.snoozes import asked_again_on, tomorrow
from finops_web.rendering import Entry, csv_of, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/optimizations", "Optimizations", "Decide", 10)
_WAIT_SECONDS: Final = 8.0
_CSV: Final = (
    *("id", "status", "check", "action", "summary", "resource", "name", "account", "region"),
    *("currentMonthlyCost", "newMonthlyCost", "monthlySavings", "effort", "policy"),
    *("listMonthlySavings", "netMonthlySavings", "netNote"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """One page of the recommendations of one status.

    Attributes:
        rows: those of the page.
        number: how many there are on all pages.
        page: from 1.
    """

    status: Status
    rows: tuple[Recommendation, ...]
    number: int
    page: int = 1

    @classmethod
    def of(cls, status: Status, shown: Sequence[Recommendation], page: int) -> Group:
        """Return page `page` of what has the status, in the order of `shown`."""
        own = tuple(one for one in shown if one.status is status)
        return cls(status, own[(page - 1) * MOST : page * MOST], len(own), page)

    @property
    def first(self) -> int:
        """Return the number of the first row of the page, counted from 1 over all pages."""
        return (self.page - 1) * MOST + 1

    @property
    def last(self) -> int:
        """Return the number of its last row; one less than `first` on an empty page."""
        return self.first + len(self.rows) - 1


@ROUTER.get("/optimizations")
def optimizations(
    asked: Visit,
    request: Request,
    wanted: Narrowed,
    open: str = "",  # noqa: A002 - the name in the address
    said: str = "",
    problem: str = "",
    page: Annotated[int, Query(ge=1, le=10_000, description="Which hundred of each status.")] = 1,
) -> Response:
    """Show the list, and the recommendation `open` beside it; without one, the best that can be decided."""
    policies = asked.policies()
    everything = recommendations_of(asked.parts.store, policies)
    listed = counted(everything)
    shown = wanted.apply(listed)
    groups = [Group.of(status, shown, page) for status in ORDER]
    best = next((one for group in groups for one in group.rows), None)
    chosen = next((one for one in everything if one.id == open), None) if open else best
    read, cluster_problem = _requests(asked)
    about = _about(read.found, chosen)
    return render(
        asked,
        request,
        "optimizations.html",
        title="Optimizations",
        trust=trust_in(policies, 0, 0, asked.parts.clock.now(), read.gaps),
        groups=groups,
        savings=added(shown) if wanted.active else savings_of(policies),
        chosen=chosen,
        closed=len(read.gaps),
        asked_open=bool(open),
        request_of_chosen=about,
        names=KnownNames(asked.parts.store).read(),
        lacks=lacking(asked.visitor, (about,)).get(about.metadata.uid or "", "") if about is not None else "",
        may_vote=about is not None and asked.may_vote(about.metadata.namespace or ""),
        first_day=tomorrow(asked.parts.clock.now()),
        cluster_problem=cluster_problem,
        alternatives=[one for one in everything if chosen and one.group == chosen.group and one.id != chosen.id],
        open_requests=_open_requests(read.found),
        wanted=wanted,
        hidden=len(listed) - len(shown),
        kinds=sorted({one.resource.kind for one in listed}),
        accounts=sorted({one.resource.account for one in listed}),
        regions=sorted({one.resource.region for one in listed}),
        owners=sorted({owner_of(one.tags) for one in listed} - {""}),
        said=said[:500],
        problem=problem[:500],
    )


@ROUTER.get("/optimizations.json")
def optimizations_json(asked: Visit, wanted: Narrowed) -> Response:
    """Return all recommendations as data."""
    return JSONResponse([recommendation_to_json(one) for one in wanted.apply(_all(asked))])


@ROUTER.get("/optimizations.csv")
def optimizations_csv(asked: Visit, wanted: Narrowed) -> Response:
    """Return all recommendations for a spreadsheet."""
    return csv_of(_CSV, (_csv_row(one) for one in wanted.apply(_all(asked))), "optimizations")


@ROUTER.post("/optimizations/vote")
def send_vote(
    asked: Visit,
    namespace: Annotated[str, Form(max_length=63)],
    name: Annotated[str, Form(max_length=253)],
    decision: Annotated[Choice, Form()],
    form_secret: Annotated[str, Form(max_length=128)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    typed: Annotated[str, Form(max_length=256)] = "",
    back: Annotated[str, Form(max_length=64)] = "",
    until: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    """Send a vote, wait for the operator's answer, and show the recommendation again with it."""
    asked.require_form(form_secret)
    found = request_of(asked.visitor, namespace, name)
    if found is None:
        raise NotThere(
            f"there is no request {namespace}/{name}", code="NotFound", hint="it may have been removed; open the list"
        )
    wanted = found.spec.resource.name or found.spec.resource.id
    if found.spec.destructive and decision is Choice.APPROVE and typed.strip() != wanted:
        return _back(back, problem=f"Nothing was sent. To approve a deletion, type the name: {wanted}")
    try:
        day = asked_again_on(until, asked.parts.clock.now()) if decision is Choice.SNOOZE else None
        sent = vote(asked.visitor, found, decision, reason.strip(), until=day, wait_seconds=_WAIT_SECONDS)
    except FinopsError as error:
        return _back(back, problem=str(error))
    return _back(back, said=answer_in_words(sent))


def _all(asked: Asked) -> tuple[Recommendation, ...]:
    return recommendations_of(asked.parts.store, asked.policies())


def _csv_row(one: Recommendation) -> dict[str, Any]:
    record = recommendation_to_json(one)
    ref = record["resource"]
    place = {"name": ref["name"], "account": ref["account"], "region": ref["region"]}
    return {**record, **place, "resource": ref["id"]}


def _open_requests(requests: tuple[ActionRequest, ...]) -> dict[tuple[str, str], ActionRequest]:
    """Return (ARN, action) → the request about it that a vote can still change; an undo is about no recommendation."""
    open_ones = (one for one in requests if may_be_voted_on(one) and one.spec.undoes is None)
    return {(one.spec.resource.arn, one.spec.action): one for one in open_ones}


def _requests(asked: Asked) -> tuple[ReadRequests, str]:
    try:
        return requests_of(asked.visitor, asked.namespaces()), ""
    except ClusterUnavailable as error:
        return ReadRequests(), error.message


def _about(requests: tuple[ActionRequest, ...], chosen: Recommendation | None) -> ActionRequest | None:
    """Return the request about the chosen recommendation: the open one first, else the latest."""
    if chosen is None or not chosen.action:
        return None
    asked = (chosen.resource.arn, chosen.action)
    fitting = [one for one in requests if one.spec.undoes is None and (one.spec.resource.arn, one.spec.action) == asked]
    return next((one for one in fitting if may_be_voted_on(one)), next(iter(fitting), None))


def _back(identifier: str, *, said: str = "", problem: str = "") -> Response:
    words = f"said={quote(said, safe='')}" if said else f"problem={quote(problem, safe='')}"
    chosen = f"open={quote(identifier, safe='')}&" if identifier else ""
    return RedirectResponse(f"/optimizations?{chosen}{words}#open", status_code=303)
