"""POST /anomalies/expected and /anomalies/alert-again: a change of cost is expected until a day, or is so no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from finops.domain.analytics.expected import Way
from finops.domain.resource import Shard
from finops.errors import FinopsError, Refused
from finops_web.api.anomalies import end_expected
from finops_web.api.anomalies import expect as write_expected
from finops_web.context import Visit

ROUTER = APIRouter(include_in_schema=False)
_Account = Annotated[str, Form(max_length=64)]
_Region = Annotated[str, Form(max_length=64)]
_Service = Annotated[str, Form(max_length=64)]
_Secret = Annotated[str, Form(max_length=128)]


@ROUTER.post("/anomalies/expected")
def expect(
    asked: Visit,
    account: _Account,
    region: _Region,
    service: _Service,
    way: Annotated[Way, Form()],
    reason: Annotated[str, Form(max_length=1000)] = "",
    until: Annotated[str, Form(max_length=32)] = "",
    extra: Annotated[str, Form(max_length=32)] = "",
    form_secret: _Secret = "",
) -> Response:
    """Say that a change of a part of the cost is expected, in every namespace where the visitor may."""
    asked.require_form(form_secret)

    def work() -> str:
        one, written = write_expected(asked, Shard(account, region, service), way, (until, reason, extra))
        above = f"unless it changes by more than {one.most:,.2f} USD a day"
        return f"{service} in {region} alerts nobody through {one.until}, {above}. It stands on {', '.join(written)}."

    return _answered(work)


@ROUTER.post("/anomalies/alert-again")
def alert_again(
    asked: Visit,
    account: _Account,
    region: _Region,
    service: _Service,
    way: Annotated[Way, Form()],
    form_secret: _Secret = "",
) -> Response:
    """End what is expected of a part of the cost, in every namespace where the visitor may."""
    asked.require_form(form_secret)

    def work() -> str:
        written = end_expected(asked, Shard(account, region, service), way)
        return f"{service} in {region} alerts again." if written else "Nothing was expected of it any more."

    return _answered(work)


def _answered(work: Callable[[], str]) -> Response:
    """Do it and show the page with what was done, or with what is wrong; a missing right stays an error."""
    try:
        words = f"said={quote(work(), safe='')}"
    except Refused:
        raise
    except FinopsError as error:
        words = f"problem={quote(str(error), safe='')}"
    return RedirectResponse(f"/anomalies?{words}", status_code=303)
