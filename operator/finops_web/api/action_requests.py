"""GET and POST /api/action-requests, POST /api/action-requests/{id}/approvals: what waits for a decision, and votes.

The operator alone makes requests, from what its scans found: what is posted here are votes on them (ADR 0043).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from finops.crds.action_request import ActionRequest
from finops.domain.decision import LONGEST_SNOOZE, Choice, State
from finops.domain.resource import Gap
from finops.errors import InvalidInput
from finops_web.answers import Cursor, Limit, NotThere, page_of, success
from finops_web.context import Asked, Visit
from finops_web.entity_tags import same_as_before
from finops_web.readings.many_votes import MOST, Decision, Result, decide_all
from finops_web.readings.requests import lacking, requests_of, vote, votes_on
from finops_web.written_days import Time

ROUTER = APIRouter(tags=["decisions"])
_WAIT_SECONDS = 10.0

Uid: TypeAlias = Annotated[str, Path(max_length=64, description="`metadata.uid` of the request.")]
_Listed: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_FormSecret: TypeAlias = Annotated[
    str, Header(max_length=128, description="Of the form, where a browser's session votes; programs need none.")
]


class Ballot(BaseModel):
    """One vote of the person who sends it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"decision": "Approve", "reason": "quiet for weeks"},
                {"decision": "Snooze", "reason": "needed until June", "until": "2026-06-01T00:00:00Z"},
                {"decision": "Wake", "reason": "the project has ended"},
                {"decision": "Resume", "reason": "the quota was raised"},
            ]
        },
    )

    decision: Choice = Field(
        description="Approve, Deny, Withdraw (of an earlier vote), Snooze (until a date), Wake (ends a snooze), Resume "
        "(acts of this kind and policy that wait since one failed), Undo (of an act that succeeded)."
    )
    reason: str = Field(default="", max_length=500, description="Why; some policies ask for it.")
    until: Time | None = Field(
        default=None, description="Of a Snooze, and of nothing else: when to ask again, at most 366 days from now."
    )


@ROUTER.get("/api/action-requests")
def action_requests(
    asked: Visit,
    response: Response,
    state: Annotated[State | None, Query(description="Only requests in this state.")] = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> dict[str, Any]:
    """List requests: those that wait for votes first, then what runs, then what has ended.

    Beside the fields of the object, `stillNeeded` says which approvals a request lacks that waits for votes.
    """
    read = requests_of(asked.visitor, asked.namespaces())
    found = [one for one in read.found if state in {None, one.status.state}]
    page = page_of(found, lambda one: one.metadata.uid or "", cursor, limit)
    return _live(asked, response, _shown(asked, page.rows), gaps=read.gaps, next_page=page.next_page)


class Ballots(BaseModel):
    """One decision with one reason on many requests, as votes of the person who sends it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "requests": ["0b9d4c1e-6d0e-4a44-9a3e-2f6d8f0f7a11"],
                    "decision": "Deny",
                    "reason": "needed until June",
                }
            ]
        },
    )

    requests: Annotated[list[_Listed], Field(min_length=1, max_length=MOST)] = Field(
        description="`metadata.uid` of each request; the same one twice counts once."
    )
    decision: Literal[Choice.APPROVE, Choice.DENY, Choice.WITHDRAW] = Field(
        description="Approve, Deny, or Withdraw (of earlier votes); a deletion is approved on its own."
    )
    reason: str = Field(default="", max_length=500, description="Why; some policies ask for it.")


@ROUTER.post("/api/action-requests")
def decide(asked: Visit, sent: Ballots, x_form_secret: _FormSecret = "") -> dict[str, Any]:
    """Vote on many requests with one decision and one reason; the answer has one result for each, in their order.

    `sent` says whether a vote is recorded, `counted` whether the operator counts it already, `repeated` that you had
    voted so before; where it is not sent, `code`, `message` and `hint` say why and what to do. Nothing that is posted
    here makes a request: the operator does.
    """
    asked.require_form(x_form_secret)
    read = requests_of(asked.visitor, asked.namespaces())
    known = {one.metadata.uid or "": one for one in read.found}
    wanted = Decision(sent.decision, sent.reason.strip(), _WAIT_SECONDS)
    results = decide_all(asked.visitor, list(dict.fromkeys(sent.requests)), known, read, wanted)
    return success([_result(one) for one in results], as_of=asked.parts.clock.now(), gaps=read.gaps)


def _result(one: Result) -> dict[str, Any]:
    about = one.request.metadata if one.request is not None else None
    return {
        "uid": one.name,
        "request": f"{about.namespace}/{about.name}" if about is not None else None,
        "sent": one.sent,
        "counted": one.answered,
        "repeated": one.repeated,
        "message": one.message,
        "code": one.code,
        "hint": one.hint,
    }


@ROUTER.get("/api/action-requests/{uid}")
def action_request(asked: Visit, response: Response, uid: Uid) -> dict[str, Any]:
    """Return one request by its uid."""
    (shown,) = _shown(asked, (found_by(asked, uid),))
    return _live(asked, response, shown)


@ROUTER.get("/api/action-requests/{uid}/approvals")
def votes(asked: Visit, response: Response, uid: Uid, cursor: Cursor = "", limit: Limit = 100) -> dict[str, Any]:
    """List the votes on a request, the first one first; `status` of each is the operator's answer."""
    found = votes_on(asked.visitor, found_by(asked, uid))
    page = page_of(found, lambda one: one.metadata.uid or "", cursor, limit)
    return _live(asked, response, [one.to_object() for one in page.rows], next_page=page.next_page)


@ROUTER.post("/api/action-requests/{uid}/approvals", status_code=201)
def approve(asked: Visit, uid: Uid, ballot: Ballot, x_form_secret: _FormSecret = "") -> dict[str, Any]:
    """Vote as the person whose token came with the request; the operator's answer is in the Approval's status."""
    asked.require_form(x_form_secret)
    _require_coming(ballot.until, asked.parts.clock.now())
    sent = vote(
        asked.visitor,
        found_by(asked, uid),
        ballot.decision,
        ballot.reason,
        until=ballot.until,
        wait_seconds=_WAIT_SECONDS,
    )
    return success(sent.approval.to_object(), as_of=asked.parts.clock.now())


def _live(
    asked: Asked, response: Response, data: Any, *, gaps: Sequence[Gap] = (), next_page: str | None = None
) -> dict[str, Any]:
    """Return what the cluster says now; the same objects have the same ETag, whenever they are read."""
    same_as_before(response, [data, [one.to_json() for one in gaps], next_page])
    return success(data, as_of=asked.parts.clock.now(), gaps=gaps, next_page=next_page)


def _require_coming(until: datetime | None, now: datetime) -> None:
    """Refuse a date to which nothing can be snoozed. Raises InvalidInput."""
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise InvalidInput(
            f"is not in the coming {LONGEST_SNOOZE.days} days",
            field="until",
            hint=f"write a time after {now:%Y-%m-%dT%H:%M:%SZ}, at most {LONGEST_SNOOZE.days} days ahead",
        )


def _shown(asked: Asked, requests: Sequence[ActionRequest]) -> list[dict[str, Any]]:
    lacks = lacking(asked.visitor, requests)
    return [{**one.to_object(), "stillNeeded": lacks.get(one.metadata.uid or "", "")} for one in requests]


def found_by(asked: Asked, uid: str) -> ActionRequest:
    """Return the request with this uid. Raises NotThere, ClusterUnavailable."""
    read = requests_of(asked.visitor, asked.namespaces())
    found = next((one for one in read.found if one.metadata.uid == uid), None)
    if found is None and read.gaps:
        message = f"there is no request with the uid {uid} where you may read requests"
        raise NotThere(message, code="NotFound", hint=read.elsewhere())
    if found is None:
        raise NotThere(
            f"there is no request with the uid {uid}", code="NotFound", hint="it may have been removed; read the list"
        )
    return found
