"""POST /api/savings: a saving that was made elsewhere, recorded as what somebody says; no sum of ours counts it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from finops.errors import InvalidInput
from finops.store.claimed import Claim, ClaimedSavings
from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.pushing import MOST_AT_ONCE, Account, Id, Pushing, Region, Word, namespace_for
from finops_web.written_days import TimeOrDay

ROUTER = APIRouter(tags=["savings"])
_MOST: Final = 1e12
_EARLIEST_ZONE: Final = timedelta(hours=14)
"""How far ahead of UTC a day begins first."""


class ClaimedSaving(BaseModel):
    """A saving that was made elsewhere, as whoever sends it says."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "resource_id": "i-0abc",
                    "cloud": "aws",
                    "money_saved": 66.82,
                    "region": "us-east-1",
                    "state": "stopped",
                    "instance_type": "t2.large",
                    "pricing_model": "on-demand",
                    "estimated_hours_saved": 720,
                    "date": "2026-03-01",
                }
            ]
        },
    )

    resource_id: Id = Field(description="AWS's own id.")
    cloud: Word = Field(default="aws", description="Where the resource is.")
    money_saved: Annotated[float, Field(ge=0, le=_MOST)] = Field(description="US dollars a month.")
    account: Account | None = Field(default=None, description="Account id, twelve digits.")
    region: Region | None = Field(default=None, description="Region, such as `eu-west-1`.")
    state: Word = Field(default="", description="State of the resource, such as `stopped`.")
    instance_type: Word = Field(default="", description="Such as `t2.large`.")
    pricing_model: Word = Field(default="", description="Such as `on-demand` or `spot`.")
    estimated_hours_saved: Annotated[float, Field(ge=0, le=744)] | None = Field(
        default=None, description="Hours a month that the resource does not run."
    )
    date: TimeOrDay | None = Field(
        default=None, description="Since when it is saved: a time with its zone, or a day. Default: today."
    )


def asked_place(
    namespace: Annotated[
        str,
        Query(
            pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$",
            description="Namespace that the savings are recorded in; default: that of the service account.",
        ),
    ] = "",
    x_form_secret: Annotated[
        str, Header(max_length=128, description="Of the form, where a browser's session sends; programs need none.")
    ] = "",
) -> Pushing:
    """Return where the address says that savings are recorded."""
    return Pushing(namespace, "", "", x_form_secret)


@ROUTER.post("/api/savings", status_code=201)
def claim_savings(
    asked: Visit,
    where: Annotated[Pushing, Depends(asked_place)],
    sent: ClaimedSaving | Annotated[list[ClaimedSaving], Body(min_length=1, max_length=MOST_AT_ONCE)],
) -> dict[str, Any]:
    """Record savings that were made elsewhere, one or up to 500; the list marks them `claimed`.

    What you record is what you say. It is in no figure of ours: not among realised savings, of a policy, on the
    dashboard or on the page Savings. Sent twice it is recorded once. It takes the right that pushing resources takes.
    """
    namespace, now = namespace_for(asked, where), asked.parts.clock.now()
    items = sent if isinstance(sent, list) else [sent]
    for number, one in enumerate(items):
        _require_begun(one.date, f"[{number}]." if isinstance(sent, list) else "", now)
    claims = [_claim(asked, one, now) for one in items]
    ClaimedSavings(asked.parts.store).put(namespace, claims, now)
    data = {"namespace": namespace, "claimed": len(claims), "ids": [one.resource_id for one in claims]}
    return success(data, as_of=now)


def _require_begun(day: datetime | None, place: str, now: datetime) -> None:
    """Refuse a saving that has not begun anywhere on earth. Raises InvalidInput."""
    if day is not None and day > now + _EARLIEST_ZONE:
        raise InvalidInput(
            "is in the future", field=f"{place}date", hint=f"send since when it is saved, {now:%Y-%m-%d} at the latest"
        )


def _claim(asked: Asked, sent: ClaimedSaving, now: datetime) -> Claim:
    hours = sent.estimated_hours_saved
    return Claim(
        resource_id=sent.resource_id,
        cloud=sent.cloud,
        money_saved=Decimal(repr(sent.money_saved)),
        date=sent.date or now.replace(microsecond=0, second=0, minute=0, hour=0),
        account=sent.account or "",
        region=sent.region or "",
        state=sent.state,
        resource_type=sent.instance_type,
        pricing_model=sent.pricing_model,
        estimated_hours_saved=None if hours is None else Decimal(repr(hours)),
        by=asked.visitor.name[:256],
        at=now,
    )
