"""What narrows, orders and pages every list of resources, and the rows of the classic endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from finops.domain.money import annual_from_monthly
from finops.domain.price import Attributed, Cost
from finops.domain.tags import owner_of
from finops.domain.utilization import MetricSummary, Utilization
from finops_web.answers import Cursor, Limit, Page, number, page_of, success
from finops_web.context import Asked
from finops_web.readings.resources import HOURS, ResourceRow, sum_of


class Sort(StrEnum):
    """What a list of resources is ordered by; cost is falling, the rest rising."""

    COST = "cost"
    NAME = "name"
    ID = "id"
    KIND = "kind"
    ACCOUNT = "account"
    REGION = "region"
    STATE = "state"


_TAGS: Final = 20
_DAY_SECONDS: Final = 86_400
_AMOUNT: Final = r"^([0-9]{1,12}(\.[0-9]{1,6})?)?$"
_SORTS: Final[Mapping[Sort, Callable[[ResourceRow], str]]] = {
    Sort.NAME: lambda row: row.resource.name.lower(),
    Sort.ID: lambda row: row.resource.id,
    Sort.KIND: lambda row: row.resource.kind,
    Sort.ACCOUNT: lambda row: row.resource.account,
    Sort.REGION: lambda row: row.resource.region,
    Sort.STATE: lambda row: row.resource.state,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of resources is narrowed to; an empty text narrows nothing."""

    kind: str = ""
    account: str = ""
    region: str = ""
    state: str = ""
    owner: str = ""
    tag: tuple[str, ...] = ()
    find: str = ""
    minimum: Decimal | None = None
    hours: int = int(HOURS)
    sort: Sort = Sort.COST
    cursor: str = ""
    limit: int = 100

    def matches(self, row: ResourceRow) -> bool:
        """Return whether a row is asked for."""
        one = row.resource
        return (
            self.kind in {"", one.kind}
            and self.account in {"", one.account}
            and self.region in {"", one.region}
            and self.state in {"", one.state}
            and (not self.owner or owner_of(one.tags) == self.owner)
            and all(_has(one.tags, wanted) for wanted in self.tag)
            and (not self.find or self.find.lower() in f"{one.name}\n{one.id}\n{row.arn}".lower())
            and (self.minimum is None or (row.monthly is not None and row.monthly >= self.minimum))
        )

    def of(self, kind: str) -> Filter:
        """Return this filter for one kind, whatever the address says of kinds."""
        return replace(self, kind=kind)

    def apply(self, rows: Sequence[ResourceRow]) -> Sequence[ResourceRow]:
        """Return what is asked for, in order; with costs for a month of `hours`."""
        if self.hours != HOURS:
            rows = [row.over(Decimal(self.hours)) for row in rows]
        found = [row for row in rows if self.matches(row)] if self.active else rows
        key = _SORTS.get(self.sort)
        return found if key is None else sorted(found, key=key)

    @property
    def active(self) -> dict[str, str]:
        """Return what narrows the list, by the names of the address's parameters."""
        named = {
            "kind": self.kind,
            "account": self.account,
            "region": self.region,
            "state": self.state,
            "owner": self.owner,
            "tag": ", ".join(self.tag),
            "find": self.find,
            "min_cost": "" if self.minimum is None else f"{self.minimum:f}",
        }
        return {name: value for name, value in named.items() if value}


def _has(tags: Mapping[str, str], wanted: str) -> bool:
    key, given, value = wanted.partition("=")
    return key in tags and (not given or tags[key] == value)


def asked_filter(
    kind: Annotated[str, Query(max_length=64, description="Kind, as a row names it.")] = "",
    account: Annotated[str, Query(max_length=12, description="Account id, twelve digits.")] = "",
    region: Annotated[str, Query(max_length=32, description="Region, such as `eu-west-1`.")] = "",
    state: Annotated[str, Query(max_length=64, description="State in AWS, such as `running`.")] = "",
    owner: Annotated[str, Query(max_length=256, description="Owner as the tags name it.")] = "",
    tag: Annotated[
        list[str] | None, Query(max_length=_TAGS, description="KEY or KEY=VALUE; repeat it to ask for several.")
    ] = None,
    find: Annotated[str, Query(max_length=256, description="Part of a name, id or ARN.")] = "",
    min_cost: Annotated[
        str, Query(pattern=_AMOUNT, description="Only what costs at least so much a month, such as 12.50.")
    ] = "",
    hours_per_month: Annotated[int, Query(ge=672, le=744, description="Hours of a month.")] = int(HOURS),
    sort: Annotated[Sort, Query(description="Order; by cost falling, by the rest rising.")] = Sort.COST,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Filter:
    """Return the filter that an address asks for."""
    return Filter(
        kind=kind.strip(),
        account=account.strip(),
        region=region.strip(),
        state=state.strip(),
        owner=owner.strip(),
        tag=tuple(one for one in (tag or ()) if one),
        find=find.strip(),
        minimum=Decimal(min_cost) if min_cost else None,
        hours=hours_per_month,
        sort=sort,
        cursor=cursor,
        limit=limit,
    )


Asking = Annotated[Filter, Depends(asked_filter)]
"""The parameter by which an endpoint takes the filter of the address."""


def listed(asked: Asked, wanted: Filter, to_json: Callable[[ResourceRow], dict[str, Any]]) -> dict[str, Any]:
    """Return one page of resources in the API's envelope. Raises StoreUnavailable, InvalidInput."""
    rows = wanted.apply(asked.resources())
    page = paged(rows, wanted)
    _, count, unpriced = sum_of(rows)
    trust = asked.trust(count, count - unpriced)
    whole = asked.parts.resources.whole(page.rows)
    return success([to_json(row) for row in whole], as_of=trust.oldest, gaps=trust.gaps, next_page=page.next_page)


def paged(rows: Sequence[ResourceRow], wanted: Filter) -> Page:
    """Return the page of `rows` that is asked for. Raises InvalidInput."""
    return page_of(rows, lambda row: row.arn or row.resource.id, wanted.cursor, wanted.limit)


def classic(row: ResourceRow, *fields: str) -> dict[str, Any]:
    """Return the fields that all classic rows share, and those named of the kind's own facts; unknown ones are null."""
    one, cost = row.resource, row.cost
    shared = {
        "account": one.account,
        "region": one.region,
        "state": one.state,
        "tags": dict(one.tags),
        "created": one.created.isoformat() if one.created else None,
        "hourly_cost": number(cost.hourly),
        "monthly_cost": number(cost.monthly),
        "annual_cost": None if cost.monthly is None else number(annual_from_monthly(cost.monthly)),
        **_attributed(cost),
        "price_missing": list(cost.missing),
        "pushed": row.push is not None,
    }
    return {**{field: one.attributes.get(field) for field in fields}, **shared}


def _attributed(cost: Cost) -> dict[str, float | int | None]:
    """Return what the members of a group cost, in totals as theirs alone, and how many of them are not in it."""
    found = cost.attributed or Attributed()
    return {"attributed_monthly_cost": number(found.monthly), "attributed_unknown": found.unknown}


def average(row: ResourceRow, metric: str) -> float | None:
    """Return a level's average over the scan's window, None when it is unknown, or nothing but a bound is known."""
    return None if row.utilization is None else average_of(row.utilization, metric)


def average_of(use: Utilization, metric: str) -> float | None:
    """Return the mean of a level; where whole days bound what shorter periods were, it is the mean of the days."""
    found = use.best(metric)
    if found is not None and _is_bound(found):
        found = use.metrics.get(metric)
    return None if found is None or _is_bound(found) else found.average


def total(row: ResourceRow, metric: str) -> float | None:
    """Return a counter's sum over the scan's window, None when it is unknown, or nothing but a bound is known."""
    use = row.utilization
    if use is None:
        return None
    found = use.best(metric)
    if found is not None and _is_bound(found):
        found = use.metrics.get(metric)
    return None if found is None or _is_bound(found) else found.total


def measured(row: ResourceRow) -> dict[str, Any]:
    """Return every metric that the scan knows, each with what its figures are of.

    `maximum` and `p99_5` are of the highest values of periods of `period_seconds`, of a counter of their sums,
    `average` is the mean of their averages or sums, `total` the sum over the window from `start` to `end`. Where longer
    points than the periods were read, `read_seconds` says how long these are, and `at_most` names the figures that are
    then the most that the periods can have had.
    """
    use = row.utilization
    if use is None:
        return {}
    found = {name: use.best(name) for name in sorted({*use.metrics, *use.fine})}
    return {name: _measure(use, name, one) for name, one in found.items() if one is not None}


def _measure(use: Utilization, name: str, one: MetricSummary) -> dict[str, Any]:
    exact = average_of(use, name) if one.total is None else None
    bounds = ["maximum", "p99_5"] if one.read_seconds else []
    if _is_bound(one):
        bounds += [*(["average"] if exact is None else []), *(["total"] if one.total is not None else [])]
    return {
        "maximum": one.maximum,
        "p99_5": one.p99_5,
        "average": one.average if exact is None else exact,
        "total": one.total,
        "coverage": round(one.coverage_percent, 2),
        "period_seconds": one.period_seconds,
        "read_seconds": one.read_seconds or one.period_seconds,
        "at_most": bounds,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
    }


def _is_bound(one: MetricSummary) -> bool:
    """Return whether mean and sum are bounds too: those of a level whose hours were read are exact."""
    return one.read_seconds is not None and one.read_seconds >= _DAY_SECONDS
