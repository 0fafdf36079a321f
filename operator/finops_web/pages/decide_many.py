"""POST /optimizations/decide: one reason and one decision for many requests, and one result for each of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, VoteResult
from finops.errors import FinopsError, InvalidInput
from finops_web.context import Asked, Visit
from finops_web.readings.policies import trust_in
from finops_web.readings.requests import requests_of, vote
from finops_web.rendering import render

ROUTER = APIRouter(include_in_schema=False)
MOST: Final = 100
_AT_ONCE: Final = 8
_WAIT_SECONDS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one vote.

    Attributes:
        sent: whether the vote reached the API server.
        answered: whether the operator counted it already.
        message: the operator's sentence, or why nothing was sent.
    """

    request: ActionRequest | None
    name: str
    sent: bool
    answered: bool
    message: str


@ROUTER.post("/optimizations/decide")
def decide_many(
    asked: Visit,
    request: Request,
    decision: Annotated[Literal[Choice.APPROVE, Choice.DENY, Choice.WITHDRAW], Form()],
    chosen: Annotated[list[str] | None, Form()] = None,
    form_secret: Annotated[str, Form(max_length=128)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Send one vote for each of the chosen requests, and show what became of each.

    Raises:
        InvalidInput: nothing was chosen, or more than can be decided at once.
    """
    asked.require_form(form_secret)
    names = list(dict.fromkeys(chosen or ()))
    if not names:
        raise InvalidInput("nothing is selected", field="chosen", hint="go back and select at least one row")
    if len(names) > MOST:
        raise InvalidInput(f"more than {MOST} are selected", field="chosen", hint="decide them in parts")
    read = requests_of(asked.visitor, asked.namespaces())
    known = {f"{one.metadata.namespace}/{one.metadata.name}": one for one in read.found}

    def decided(name: str) -> Result:
        gap = read.gap_of(name.partition("/")[0])
        if gap is not None:
            return Result(None, name[:256], sent=False, answered=False, message=f"Not sent. {gap.message}")
        return _one(asked, known.get(name), name, decision, reason.strip())

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        results = list(pool.map(decided, names))
    return render(
        asked,
        request,
        "decided.html",
        title=f"{decision.value}: results",
        trust=trust_in(asked.policies(), 0, 0, asked.parts.clock.now()),
        results=results,
        decision=decision,
        reason=reason.strip(),
        sent=sum(1 for one in results if one.sent),
    )


def _one(asked: Asked, request: ActionRequest | None, name: str, decision: Choice, reason: str) -> Result:
    if request is None:
        return Result(None, name[:256], sent=False, answered=False, message="There is no such request any more.")
    if request.spec.destructive and decision is Choice.APPROVE:
        message = "Not sent: a deletion is approved on its own, by typing the name of what is deleted."
        return Result(request, name, sent=False, answered=False, message=message)
    try:
        ballot = vote(asked.visitor, request, decision, reason, wait_seconds=_WAIT_SECONDS)
    except FinopsError as error:
        return Result(request, name, sent=False, answered=False, message=str(error))
    counted = ballot.status.result is VoteResult.COUNTED
    message = ballot.status.message or "The vote is recorded; the operator has not answered yet."
    return Result(request, name, sent=True, answered=counted, message=message)
