"""`finops costs`: what the scanned resources cost a month, by AWS service, kind, region or account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from finops.domain.money import (
    CURRENCY,
    DEFAULT_HOURS_PER_MONTH,
    annual_from_monthly,
    as_text,
    daily_from_monthly,
    to_cents,
)
from finops.domain.quantity import counted
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore, DailyCost
from finops.store.inventory import InventoryStore
from finops_operator.cli.command import Command
from finops_operator.cli.focus_export import export_focus, heads_of
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Column, Format, emit, field, money_field, note
from finops_operator.cli.selection import Selection, selections
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import end_with_gaps
from finops_operator.plugins.loaded import load_kinds

_LOOKBACK_DAYS: Final = 31


class By(StrEnum):
    """What costs are added up by."""

    SERVICE = "service"
    KIND = "kind"
    REGION = "region"
    ACCOUNT = "account"


def _run(
    by: Annotated[By, typer.Option("--by", help="What to add up by.", case_sensitive=False)] = By.SERVICE,
    policy: Annotated[
        str, typer.Option("--policy", metavar="NAMESPACE/NAME", help="Only what this ScanPolicy selects.")
    ] = "",
    focus: Annotated[
        bool, typer.Option("--focus", help="Instead, print the charges of the last scan's day in FOCUS 1.2, as CSV.")
    ] = False,
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Show monthly costs at list prices, as of the last complete scan of each part. Exit code 3 with gaps.

    Everything that was seen counts, also what policies leave out by their selectors; `policies` in the data says how
    much of a line each of them selects. With --policy the total is the one in the policy's status. Resources without a
    price add nothing and are counted in `unpricedResources`; where no resource has a price the cost is null.

    --focus leaves --by out and prints a row for each priced part of each resource: what a day of it costs. Which
    columns are null, and why, is in docs/focus.md.
    """
    today = datetime.now(UTC).date()
    with store_to_read(redis) as store:
        chosen = selections(store, policy)
        if focus:
            _export(store, chosen if policy else (), output)
            return
        if policy:
            latest = _of_policy(chosen[0])
            gaps = list(chosen[0].head.summary.gaps)
        else:
            latest = _latest(CostHistoryStore(store).between(today - timedelta(days=_LOOKBACK_DAYS), today))
            gaps = [gap for head in InventoryStore(store).heads() for gap in head.gaps]
    records = _records(by, latest, chosen)
    columns = _columns(by)
    if output in {Format.TABLE, Format.WIDE}:
        listed = [one for one in records if one["resources"]]
        emit(listed, columns, output)
        _print_totals(records, policy, chosen)
        if len(records) > len(listed):
            note(f"{counted(len(records) - len(listed), by.value)} without any resource: not listed")
    else:
        emit(records, columns, output)
    end_with_gaps(gaps)


def _columns(by: By) -> tuple[Column, ...]:
    return (
        field(by.value),
        money_field("monthlyCost", heading="COST/MONTH"),
        money_field("annualCost", heading="COST/YEAR"),
        field("percentage", right=True, heading="SHARE %"),
        field("resources", right=True),
        field("unpricedResources", right=True, heading="WITHOUT PRICE"),
        money_field("dailyCost", wide=True),
        field("currency", wide=True),
        field("asOf", wide=True),
        field("policies", wide=True),
    )


def _export(store: Store, only: Sequence[Selection], output: Format) -> None:
    heads = heads_of(store, only)
    export_focus(store, heads, only, output)
    end_with_gaps(gap for head in heads for gap in head.gaps)


def _print_totals(records: Iterable[dict[str, Any]], policy: str, policies: Iterable[Selection]) -> None:
    known = [Decimal(one["monthlyCost"]) for one in records if one["monthlyCost"] is not None]
    unpriced = sum(one["unpricedResources"] or 0 for one in records)
    everything = sum(known, Decimal(0))
    left_out = f", not counting {counted(unpriced, 'resource')} without a price" if unpriced else ""
    if not known and not unpriced:
        note("Nothing is known yet: no scan has ended. Run `finops scan`, or name the operator's store with --redis.")
    elif known or not unpriced:
        note(f"total {as_text(to_cents(everything))} {CURRENCY} a month{left_out}")
    else:
        note(f"total unknown: {counted(unpriced, 'resource')} without a price")
    for one in policies:
        part = one.head.summary.monthly_cost
        if not policy and part != everything:
            hours = one.head.hours_per_month
            month = "" if hours == DEFAULT_HOURS_PER_MONTH else f" (in its month of {hours} hours)"
            note(f"policy {one.name} selects {as_text(part)} {CURRENCY} of it{month}: --policy {one.name}")


def _of_policy(policy: Selection) -> list[DailyCost]:
    day = policy.head.summary.completion_time.date()
    return [DailyCost(day, shard.account, shard.region, shard.kind, cost) for shard, cost in policy.head.costs.items()]


def _latest(days: Iterable[DailyCost]) -> list[DailyCost]:
    """Return the last known cost of each account, region and kind."""
    found: dict[tuple[str, str, str], DailyCost] = {}
    for one in days:
        found[one.account, one.region, one.kind] = one
    return list(found.values())


def _records(by: By, costs: Iterable[DailyCost], policies: Iterable[Selection]) -> list[dict[str, Any]]:
    group_of = _grouping(by)
    parts = {one.name: _groups(group_of, _of_policy(one)) for one in policies}
    groups = _groups(group_of, costs)
    sums = {name: _sum(group) for name, group in groups.items()}
    total = sum((one for one in sums.values() if one is not None), Decimal(0))
    return [
        {
            by.value: name,
            "monthlyCost": as_text(monthly),
            "resources": sum(one.cost.resources for one in groups[name]),
            "unpricedResources": _unpriced(groups[name]),
            "percentage": None if monthly is None else f"{100 * monthly / total:.1f}" if total else "0.0",
            "dailyCost": None if monthly is None else as_text(daily_from_monthly(monthly)),
            "annualCost": None if monthly is None else as_text(annual_from_monthly(monthly)),
            "currency": CURRENCY,
            # The oldest of the figures that were added.
            "asOf": min(one.day for one in groups[name]).isoformat(),
            "policies": {policy: as_text(_sum(part.get(name, ()))) for policy, part in parts.items()},
        }
        for name, monthly in sorted(sums.items(), key=lambda item: (-(item[1] or 0), item[0]))
    ]


def _grouping(by: By) -> Callable[[DailyCost], str]:
    """Return what a cost is added up under; a kind that this release does not know is a service of its own."""
    if by is By.SERVICE:
        services = {kind.id: kind.service for kind in load_kinds().values()}
        return lambda cost: services.get(cost.kind, cost.kind)
    return lambda cost: str(getattr(cost, by.value))


def _groups(group_of: Callable[[DailyCost], str], costs: Iterable[DailyCost]) -> dict[str, list[DailyCost]]:
    groups: dict[str, list[DailyCost]] = {}
    for one in costs:
        groups.setdefault(group_of(one), []).append(one)
    return groups


def _sum(costs: Collection[DailyCost]) -> Decimal | None:
    """Return the sum of what is known, None when no resource of any of them has a price."""
    known = [one.cost.known_cost for one in costs if one.cost.known_cost is not None]
    return to_cents(sum(known, Decimal(0))) if known or not costs else None


def _unpriced(costs: Collection[DailyCost]) -> int | None:
    """Return how many resources have no price, None when that was not counted everywhere."""
    counts = [one.cost.unpriced for one in costs]
    return None if None in counts else sum(one or 0 for one in counts)


COMMAND: Final = Command("costs", _run)
