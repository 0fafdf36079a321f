"""`finops costs`: what the scanned resources cost a month, by AWS service, kind, region, account or a tag."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from finops.domain.focus.columns import Version
from finops.domain.money import (
    CURRENCY,
    DEFAULT_HOURS_PER_MONTH,
    annual_from_monthly,
    as_text,
    daily_from_monthly,
    shares,
    to_cents,
)
from finops.domain.quantity import counted
from finops.domain.report import ShardCost
from finops.domain.resource import Gap
from finops.errors import InvalidInput
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore, DailyCost
from finops.store.inventory import InventoryStore
from finops_operator.cli.command import Command
from finops_operator.cli.covered import coverage_notes
from finops_operator.cli.focus_export import FocusExport, export_focus, heads_of
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Column, Format, emit, field, money_field, note
from finops_operator.cli.selection import Selection, selections
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import end_with_gaps
from finops_operator.cli.tagged_costs import Tagged, tagged_costs
from finops_operator.plugins.loaded import load_kinds

_LOOKBACK_DAYS: Final = 31
_ABSENT: Final = "(not tagged)"


class By(StrEnum):
    """What costs are added up by."""

    SERVICE = "service"
    KIND = "kind"
    REGION = "region"
    ACCOUNT = "account"


def _run(
    by: Annotated[By, typer.Option("--by", help="What to add up by.", case_sensitive=False)] = By.SERVICE,
    tag: Annotated[str, typer.Option("--tag", metavar="KEY", help="Add up by the values of this tag instead.")] = "",
    policy: Annotated[
        str, typer.Option("--policy", metavar="NAMESPACE/NAME", help="Only what this ScanPolicy selects.")
    ] = "",
    focus: Annotated[
        bool, typer.Option("--focus", help="Instead, print the charges of the last scan's day in FOCUS, as CSV.")
    ] = False,
    focus_version: Annotated[
        Version, typer.Option("--focus-version", help="Of FOCUS; 1.2 is what AWS itself exports.")
    ] = Version.V1_2,
    parquet: Annotated[
        Path | None,
        typer.Option("--parquet", metavar="FILE", help="Write the charges of --focus as Parquet into a file."),
    ] = None,
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Show monthly costs at list prices, as of the last complete scan of each part. Exit code 3 with gaps.

    Everything that was seen counts, also what policies leave out by their selectors; `policies` in the data says how
    much of a line each of them selects. With --policy the total is the one in the policy's status. A resource of
    which a part has no price adds its other parts and is counted in `unpricedResources`: it is at least that. Where
    nothing has a price it is null.

    --tag reads the resources that the last scans left, in months of 730 hours; what does not carry the tag has a line
    of its own, whose value is null.

    Costs are at list prices; where a policy asks AWS for it (spec.pricing.commitmentCoverage), a line for each account
    says how much of its use Reserved Instances and Savings Plans paid for.

    --focus leaves --by out and prints a row for each priced part of each resource: what a day of it costs. Which
    columns are null, and why, is in docs/focus.md.
    """
    export = _wanted(FocusExport(focus_version, output, parquet), focus=focus)
    with store_to_read(redis) as store:
        chosen = selections(store, policy)
        if export is not None:
            _export(store, chosen if policy else (), export)
            return
        costs = _by_tag(store, chosen, tag, policy) if tag else _by_place(store, chosen, by, policy)
        covered = coverage_notes(store, _accounts(costs)) if output in {Format.TABLE, Format.WIDE} else ()
    _show(costs, policy, chosen, output)
    for line in covered:
        note(line)
    end_with_gaps(costs.gaps)


@dataclass(frozen=True, slots=True)
class _Costs:
    """What is shown.

    Attributes:
        noun: what costs are added up by, for people.
        key: its name in the data.
        parts: by policy, the same of what it selects.
        hours: what a month counts.
    """

    noun: str
    key: str
    groups: Tagged
    parts: Mapping[str, Tagged]
    gaps: Sequence[Gap]
    hours: Decimal = DEFAULT_HOURS_PER_MONTH


def _by_place(store: Store, chosen: Sequence[Selection], by: By, policy: str) -> _Costs:
    hours = DEFAULT_HOURS_PER_MONTH
    if policy:
        latest, hours = _of_policy(chosen[0]), Decimal(chosen[0].head.hours_per_month)
        gaps = list(chosen[0].head.summary.gaps)
    else:
        today = datetime.now(UTC).date()
        latest = _latest(CostHistoryStore(store).between(today - timedelta(days=_LOOKBACK_DAYS), today))
        gaps = [gap for head in InventoryStore(store).heads() for gap in head.gaps]
    group_of = _grouping(by)
    parts = {one.name: _groups(group_of, _of_policy(one)) for one in chosen}
    return _Costs(by.value, by.value, _groups(group_of, latest), parts, gaps, hours)


def _by_tag(store: Store, chosen: Sequence[Selection], tag: str, policy: str) -> _Costs:
    heads = heads_of(store, chosen if policy else ())
    groups = tagged_costs(store, heads, chosen if policy else (), tag)
    parts = {one.name: tagged_costs(store, heads, (one,), tag) for one in chosen}
    return _Costs(f"tag {tag}", "value", groups, parts, [gap for head in heads for gap in head.gaps])


def _accounts(costs: _Costs) -> set[str]:
    return {one.account for group in costs.groups.values() for one in group}


def _show(costs: _Costs, policy: str, chosen: Sequence[Selection], output: Format) -> None:
    records, columns = _records(costs), _columns(costs)
    if output not in {Format.TABLE, Format.WIDE}:
        emit(records, columns, output)
        return
    listed = [one for one in records if one["resources"]]
    emit(({**one, costs.key: _ABSENT if one[costs.key] is None else one[costs.key]} for one in listed), columns, output)
    _print_totals(records, policy, chosen)
    if len(records) > len(listed):
        note(f"{counted(len(records) - len(listed), costs.noun)} without any resource: not listed")


def _columns(costs: _Costs) -> tuple[Column, ...]:
    return (
        field(costs.key, heading=costs.noun.upper()),
        money_field("monthlyCost", heading="COST/MONTH"),
        money_field("annualCost", heading="COST/YEAR"),
        field("percentage", right=True, heading="SHARE %"),
        field("resources", right=True),
        field("unpricedResources", right=True, heading="NOT FULLY PRICED"),
        field("groups", right=True, wide=True),
        money_field("dailyCost", wide=True),
        field("currency", wide=True),
        field("asOf", wide=True),
        field("policies", wide=True),
    )


def _wanted(export: FocusExport, *, focus: bool) -> FocusExport | None:
    if not focus and export.parquet is not None:
        raise InvalidInput("only charges are written as Parquet", field="--parquet", hint="add --focus")
    return export if focus else None


def _export(store: Store, only: Sequence[Selection], wanted: FocusExport) -> None:
    heads = heads_of(store, only)
    export_focus(store, heads, only, wanted)
    end_with_gaps(gap for head in heads for gap in head.gaps)


def _print_totals(records: Iterable[dict[str, Any]], policy: str, policies: Iterable[Selection]) -> None:
    known = [Decimal(one["monthlyCost"]) for one in records if one["monthlyCost"] is not None]
    unpriced = sum(one["unpricedResources"] or 0 for one in records)
    everything = sum(known, Decimal(0))
    least, why = ("at least ", f": {counted(unpriced, 'resource')} not fully priced") if unpriced else ("", "")
    if not known and not unpriced and any(one["groups"] for one in records):
        note("no total: a group costs what its members cost, and none of these is listed here")
    elif not known and not unpriced:
        note("Nothing is known yet: no scan has ended. Run `finops scan`, or name the operator's store with --redis.")
    elif known or not unpriced:
        note(f"total {least}{as_text(to_cents(everything))} {CURRENCY} a month{why}")
    else:
        note(f"total unknown: {counted(unpriced, 'resource')} without any price")
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


def _records(costs: _Costs) -> list[dict[str, Any]]:
    groups = costs.groups
    sums = {name: _sum(group) for name, group in groups.items()}
    known = {name: one for name, one in sums.items() if one is not None}
    share = dict(zip(known, shares(list(known.values())), strict=True))
    return [
        {
            costs.key: name,
            "monthlyCost": as_text(monthly),
            "resources": sum(one.cost.resources for one in groups[name]),
            "unpricedResources": _unpriced(groups[name]),
            "groups": sum(one.cost.groups for one in groups[name]),
            "percentage": None if monthly is None else f"{share[name]:.1f}",
            "dailyCost": None if monthly is None else as_text(daily_from_monthly(monthly, costs.hours)),
            "annualCost": None if monthly is None else as_text(annual_from_monthly(monthly)),
            "currency": CURRENCY,
            # The oldest of the figures that were added.
            "asOf": min(one.day for one in groups[name]).isoformat(),
            "policies": {policy: as_text(_sum(part.get(name, ()))) for policy, part in costs.parts.items()},
        }
        for name, monthly in sorted(sums.items(), key=lambda item: (-(item[1] or 0), item[0] or ""))
    ]


def _grouping(by: By) -> Callable[[DailyCost], str]:
    """Return what a cost is added up under; a kind that this release does not know is a service of its own."""
    if by is By.SERVICE:
        services = {kind.id: kind.service for kind in load_kinds().values()}
        return lambda cost: services.get(cost.kind, cost.kind)
    return lambda cost: str(getattr(cost, by.value))


def _groups(group_of: Callable[[DailyCost], str], costs: Iterable[DailyCost]) -> Tagged:
    groups: Tagged = {}
    for one in costs:
        groups.setdefault(group_of(one), []).append(one)
    return groups


def _sum(costs: Collection[DailyCost]) -> Decimal | None:
    """Return the sum of what is known, None when no resource of any of them has a price of its own."""
    # A region without such resources costs nothing, which says nothing of those that have no price elsewhere.
    whole = reduce(ShardCost.with_all_of, (one.cost for one in costs), ShardCost())
    return None if whole.own_cost is None else to_cents(whole.own_cost)


def _unpriced(costs: Collection[DailyCost]) -> int | None:
    """Return how many resources have no price, None when that was not counted everywhere."""
    counts = [one.cost.unpriced for one in costs]
    return None if None in counts else sum(one or 0 for one in counts)


COMMAND: Final = Command("costs", _run)
