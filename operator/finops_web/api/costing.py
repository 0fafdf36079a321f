"""GET /api/costing/…: what everything costs, in total, by kind, region, account, service and tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from finops.domain.money import annual_from_monthly, daily_from_monthly, to_cents
from finops_web.answers import number, success
from finops_web.context import Asked, Visit
from finops_web.listing import Asking, Filter
from finops_web.readings.resources import ResourceRow, grouped, sum_of

ROUTER = APIRouter(tags=["costing"])
_CLASSIC: Final = ("ec2-instance", "load-balancer", "auto-scaling-group", "ebs-volume", "rds-instance")
"""Kinds that the classic API always has in its breakdown; a client of it finds them with 0 where there is none."""
_VOWELS: Final = frozenset("aeiou")


@ROUTER.get("/api/costing/current")
def current(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """Return the totals and each kind's share; with unpriced resources they are at least that much.

    `timestamp` is as of when they are, `asOf` of the answer: null where nothing was scanned or pushed yet.
    """
    rows = _rows(asked, wanted)
    cost, count, unpriced = sum_of(rows)
    breakdown = {
        name_of(kind): _part(amount, number_, cost, unpriced=few) for kind, amount, number_, few in grouped(rows, _kind)
    }
    breakdown = {name_of(kind): _part(Decimal(0), 0, cost) for kind in _CLASSIC} | breakdown
    trust = asked.trust(count, count - unpriced)
    data = {
        "summary": {
            "totalMonthlyCost": number(cost),
            "totalDailyCost": None if cost is None else number(daily_from_monthly(cost, Decimal(wanted.hours))),
            "totalAnnualCost": None if cost is None else number(annual_from_monthly(cost)),
            "resources": count,
            "unpricedResources": unpriced,
        },
        "breakdown": breakdown,
        "timestamp": trust.oldest.isoformat() if trust.oldest else None,
    }
    return success(data, as_of=trust.oldest, gaps=trust.gaps)


@ROUTER.get("/api/costing/by-region")
def by_region(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """Return the monthly cost of each region."""
    return _grouped(asked, wanted, "region", lambda row: row.resource.region)


@ROUTER.get("/api/costing/by-service")
def by_service(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """Return the monthly cost of each kind of resource."""
    return _grouped(asked, wanted, "service", _kind)


@ROUTER.get("/api/costing/by-account")
def by_account(asked: Visit, wanted: Asking) -> dict[str, Any]:
    """Return the monthly cost of each account."""
    return _grouped(asked, wanted, "account", lambda row: row.resource.account)


@ROUTER.get("/api/costing/by-tag/{key}")
def by_tag(
    asked: Visit, wanted: Asking, key: Annotated[str, Path(max_length=128, description="Key of the tag.")]
) -> dict[str, Any]:
    """Return the monthly cost of each value of a tag; resources without the tag stand under an empty value."""
    return _grouped(asked, wanted, "value", lambda row: row.resource.tags.get(key, ""))


def _rows(asked: Asked, wanted: Filter) -> Sequence[ResourceRow]:
    return wanted.apply(asked.resources())


def _grouped(asked: Asked, wanted: Filter, name: str, key: Callable[[ResourceRow], str]) -> dict[str, Any]:
    rows = _rows(asked, wanted)
    total, _, _ = sum_of(rows)
    data = [
        {name: group, **_part(cost, count, total, unpriced=unpriced), "unpriced": unpriced}
        for group, cost, count, unpriced in grouped(rows, key)
    ]
    return _success(asked, rows, data)


def _success(asked: Asked, rows: Sequence[ResourceRow], data: Any) -> dict[str, Any]:
    _, count, unpriced = sum_of(rows)
    trust = asked.trust(count, count - unpriced)
    return success(data, as_of=trust.oldest, gaps=trust.gaps)


def _part(cost: Decimal | None, count: int, total: Decimal | None, *, unpriced: int = 0) -> dict[str, Any]:
    """Return a line; each percentage is rounded alone, as integrations compare it with the classic sheet's.

    Groups alone add nothing to a total in which their members are: that is known, and zero.
    """
    if cost is None and count and not unpriced:
        cost = Decimal(0)
    percentage = None if cost is None or total is None else to_cents(100 * cost / total) if total else Decimal(0)
    return {"cost": number(cost), "count": count, "percentage": number(percentage)}


def _kind(row: ResourceRow) -> str:
    return row.resource.kind


def name_of(kind: str) -> str:
    """Return the name of a kind in the breakdown: `ebs-volume` is `ebsVolumes`, `ecr-repository` `ecrRepositories`."""
    head, *rest = kind.split("-")
    if rest and head == _plural(rest[0]):
        head, *rest = rest
    *words, last = (head, *(part.capitalize() for part in rest))
    return f"{''.join(words)}{_plural(last)}"


def _plural(word: str) -> str:
    if word[-1:] == "y" and word[-2:-1] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
