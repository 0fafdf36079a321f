"""POST /anomalies/expected and /anomalies/alert-again: a change of cost is expected until a day, or is so no more."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from finops.domain.analytics.expected import Expected, Way
from finops.domain.resource import Shard
from finops.errors import FinopsError, Refused
from finops_web.context import Asked, Visit
from finops_web.readings.expected import end, extra_of, last_day, may_say, reason_of, say

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
    now = asked.parts.clock.now()

    def work() -> str:
        namespaces = _open_to(asked, Shard(account, region, service))
        last, why, most = last_day(until, now), reason_of(reason), extra_of(extra)
        name, at = asked.visitor.name[:256], now.replace(microsecond=0)
        one = Expected(account, region, service, way, why, last, name, at, most)
        written = say(asked.visitor, namespaces, one, now)
        above = f"unless it changes by more than {one.most:,.2f} USD a day"
        return f"{service} in {region} alerts nobody through {last}, {above}. It stands on {', '.join(written)}."

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
    now = asked.parts.clock.now()

    def work() -> str:
        namespaces = _open_to(asked, Shard(account, region, service))
        mark = Expected(account, region, service, way, "", now.date(), "", now, Decimal(0)).mark
        written = end(asked.visitor, namespaces, mark, now)
        return f"{service} in {region} alerts again." if written else "Nothing was expected of it any more."

    return _answered(work)


def _open_to(asked: Asked, shard: Shard) -> frozenset[str]:
    found = may_say(asked.policies(), shard, asked.may_change_policies)
    if not found:
        raise Refused(
            "you may not say so: it is written on a policy that covers this part of the cost",
            code="Forbidden",
            hint="ask for patch on scanpolicies in its namespace",
        )
    return found


def _answered(work: Callable[[], str]) -> Response:
    """Do it and show the page with what was done, or with what is wrong; a missing right stays an error."""
    try:
        words = f"said={quote(work(), safe='')}"
    except Refused:
        raise
    except FinopsError as error:
        words = f"problem={quote(str(error), safe='')}"
    return RedirectResponse(f"/anomalies?{words}", status_code=303)
