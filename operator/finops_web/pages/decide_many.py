"""POST /optimizations/decide: one reason and one decision for many requests, and one result for each of them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from finops.domain.decision import Choice
from finops.errors import InvalidInput
from finops_web.context import Visit
from finops_web.readings.many_votes import MOST, Decision, decide_all
from finops_web.readings.policies import trust_in
from finops_web.readings.requests import requests_of
from finops_web.rendering import render

ROUTER = APIRouter(include_in_schema=False)
_WAIT_SECONDS: Final = 6.0


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
    wanted = Decision(decision, reason.strip(), _WAIT_SECONDS)
    results = decide_all(asked.visitor, names, known, read, wanted)
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
