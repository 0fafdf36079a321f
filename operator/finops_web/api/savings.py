"""GET /api/savings: what acts that ended well save, one row per act, and beside it what others say they saved."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from finops.store.claimed import Claim, ClaimedSavings
from finops.store.realized import StoredSavings
from finops_web.answers import Cursor, Limit, number, page_of, success
from finops_web.context import Asked, Visit
from finops_web.readings.policies import trust_in
from finops_web.readings.requests import requests_of
from finops_web.readings.resources import ResourceRow
from finops_web.readings.savings import hours_saved, so_far

ROUTER = APIRouter(tags=["savings"])
_PRICING: Final[Mapping[Any, str]] = {"": "on-demand", "spot": "spot", "scheduled": "scheduled"}
"""How AWS names an instance's lifecycle → its pricing model; of another resource it is not known here."""


@ROUTER.get("/api/savings")
def savings(
    asked: Visit,
    claimed: Annotated[bool | None, Query(description="true: only what was claimed, false: only our acts.")] = None,
    cursor: Cursor = "",
    limit: Limit = 500,
) -> dict[str, Any]:
    """List realised savings, the latest first, then what `POST /api/savings` recorded, marked `claimed`.

    `money_saved` is what the act was to save a month, `saved_so_far` what scans saw until `seen_until`: for
    `seen_hours`, while nobody knows of `unknown_hours`. All four are null where no scan has seen the resource since.
    `ended` is when it began to save no more, null while it lasts, and `ended_why` says why. `to_come` says whether AWS
    has yet to bring its effect; `unmeasured` why nobody can measure it, empty where it is measured or still may be.
    `saved_so_far` is null as long as nobody knows of a single hour, and negative where an act costs more.

    `state`, `instance_type` and `pricing_model` are those of the resource as the last scan saw it, null where it is
    gone or has none. `estimated_hours_saved` is how many hours a month (of one that AWS starts again: until then) a
    stop takes away, null for every other act.
    """
    rows = [*(() if claimed else _acts(asked)), *(() if claimed is False else _claims(asked))]
    page = page_of(rows, lambda one: str(one[0]), cursor, limit)
    known = _resources(asked, {row["resource_arn"] for _, row in page.rows if not row["claimed"]})
    data = [row if row["claimed"] else {**row, **_of_resource(known.get(row["resource_arn"]))} for _, row in page.rows]
    closed = requests_of(asked.visitor, asked.namespaces()).gaps
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now(), closed)
    return success(data, as_of=trust.oldest, gaps=trust.gaps, next_page=page.next_page)


def _acts(asked: Asked) -> list[tuple[str, dict[str, Any]]]:
    """Return a row per act with what names it; what the inventory knows is still to come."""
    allowed, savings = asked.namespaces(), StoredSavings(asked.parts.store)
    entries, seen = [one for one in savings.read() if one.get("namespace") in allowed], savings.seen()
    now = asked.parts.clock.now()
    rows = [
        {
            "resource_id": one["resource"].rpartition("/")[2] or one["resource"],
            "resource_arn": one["resource"],
            "cloud": "aws",
            "money_saved": number(Decimal(one["saving"])) if one.get("saving") else None,
            "estimated_hours_saved": number(hours_saved(one)),
            "currency": one.get("currency") or "USD",
            "account": one.get("account", ""),
            "region": one.get("region", ""),
            "action": one.get("action", ""),
            "policy": f"{one.get('namespace', '')}/{one.get('policy', '')}",
            "request": one.get("name", ""),
            "date": one.get("time", ""),
            **_so_far(so_far(one, seen.get(one.get("request", "")), now)),
            "claimed": False,
            "claimed_by": None,
        }
        for one in entries
    ]
    return [(f"act {place}", row) for place, row in reversed(list(enumerate(rows)))]


def _claims(asked: Asked) -> list[tuple[str, dict[str, Any]]]:
    stored, now = ClaimedSavings(asked.parts.store), asked.parts.clock.now()
    allowed = asked.parts.visitors.namespaces(asked.token, set(stored.namespaces()))
    found = [(namespace, one) for namespace in sorted(allowed) for one in stored.read(namespace, now)]
    found.sort(key=lambda one: one[1].date, reverse=True)
    return [(f"{namespace} {one.mark}", _claim(one)) for namespace, one in found]


def _claim(one: Claim) -> dict[str, Any]:
    return {
        "resource_id": one.resource_id,
        "resource_arn": None,
        "cloud": one.cloud,
        "money_saved": number(one.money_saved),
        "estimated_hours_saved": number(one.estimated_hours_saved),
        "currency": "USD",
        "account": one.account,
        "region": one.region,
        "action": "",
        "policy": "",
        "request": "",
        "date": one.date.isoformat(),
        **dict.fromkeys(("saved_so_far", "seen_hours", "unknown_hours", "seen_until", "ended")),
        "ended_why": "",
        "to_come": False,
        "unmeasured": "It was claimed: nothing of it was approved, carried out or measured here.",
        "claimed": True,
        "claimed_by": one.by,
        "state": one.state or None,
        "instance_type": one.resource_type or None,
        "pricing_model": one.pricing_model or None,
    }


def _resources(asked: Asked, wanted: set[str]) -> dict[str, ResourceRow]:
    """Return ARN → the resource as the last scan saw it, with its facts."""
    rows = [row for row in asked.resources() if row.push is None and row.arn in wanted] if wanted else []
    return {row.arn: row for row in asked.parts.resources.whole(rows)}


def _of_resource(row: ResourceRow | None) -> dict[str, str | None]:
    if row is None:
        return dict.fromkeys(("state", "instance_type", "pricing_model"))
    facts = row.resource.attributes
    kind = facts.get("instance_type") or facts.get("db_instance_class")
    return {
        "state": row.resource.state or None,
        "instance_type": str(kind) if kind else None,
        "pricing_model": _PRICING.get(facts.get("lifecycle")) if row.resource.kind == "ec2-instance" else None,
    }


def _so_far(found: dict[str, Any]) -> dict[str, Any]:
    saved = found["savedSoFar"]
    return {
        "saved_so_far": None if saved is None else number(saved),
        "seen_hours": found["seenHours"],
        "unknown_hours": found["unknownHours"],
        "seen_until": found["seenUntil"] or None,
        "ended": found["ended"] or None,
        "ended_why": found["endedWhy"],
        "to_come": found["waiting"],
        "unmeasured": found["unmeasured"],
    }
