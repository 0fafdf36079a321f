"""GET /api/action-requests and POST /api/action-requests/{id}/approvals: what waits for a decision, and votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Header, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, State
from finops_web.answers import Cursor, Limit, NotThere, page_of, success
from finops_web.context import Asked, Visit
from finops_web.readings.requests import lacking, requests_of, vote

ROUTER = APIRouter(tags=["decisions"])
_WAIT_SECONDS = 10.0

Uid: TypeAlias = Annotated[str, Path(max_length=64, description="`metadata.uid` of the request.")]
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
    until: AwareDatetime | None = Field(
        default=None, description="Of a Snooze, and of nothing else: when to ask again, at most 366 days from now."
    )


@ROUTER.get("/api/action-requests")
def action_requests(
    asked: Visit,
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
    return success(_shown(asked, page.rows), as_of=None, gaps=read.gaps, next_page=page.next_page)


@ROUTER.get("/api/action-requests/{uid}")
def action_request(asked: Visit, uid: Uid) -> dict[str, Any]:
    """Return one request by its uid."""
    (shown,) = _shown(asked, (found_by(asked, uid),))
    return success(shown, as_of=None)


@ROUTER.post("/api/action-requests/{uid}/approvals", status_code=201)
def approve(asked: Visit, uid: Uid, ballot: Ballot, x_form_secret: _FormSecret = "") -> dict[str, Any]:
    """Vote as the person whose token came with the request; the operator's answer is in the Approval's status."""
    asked.require_form(x_form_secret)
    sent = vote(
        asked.visitor,
        found_by(asked, uid),
        ballot.decision,
        ballot.reason,
        until=ballot.until,
        wait_seconds=_WAIT_SECONDS,
    )
    return success(sent.to_object(), as_of=None)


def _shown(asked: Asked, requests: Sequence[ActionRequest]) -> list[dict[str, Any]]:
    lacks = lacking(asked.visitor, requests)
    return [{**one.to_object(), "stillNeeded": lacks.get(one.metadata.uid or "", "")} for one in requests]


def found_by(asked: Asked, uid: str) -> ActionRequest:
    """Return the request with this uid. Raises NotThere, ClusterUnavailable."""
    read = requests_of(asked.visitor, asked.namespaces())
    found = next((one for one in read.found if one.metadata.uid == uid), None)
    if found is None and read.gaps:
        places = ", ".join(gap.account for gap in read.gaps)
        raise NotThere(
            "there is no such request where you may read requests",
            code="NotFound",
            hint=f"it may be in {places}: ask an administrator for a role with get and list on actionrequests there",
        )
    if found is None:
        raise NotThere("there is no such request", code="NotFound", hint="it may have been removed; open the list")
    return found
