"""`finops resources`: the inventory of the last scans, with cost and utilization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any, Final, TypeAlias

import typer

from finops.domain.price import Cost, missing_in_words
from finops.domain.resource import Resource
from finops.domain.tags import owner_of
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.recommendations import RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.utilization import UtilizationStore
from finops_operator.cli import filters
from finops_operator.cli.advice import Advice, advice_by_arn
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Format, emit, field, money_field, note
from finops_operator.cli.selection import Selection, Tally, selections
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import end_with_gaps, stored_checks
from finops_operator.cli.tables import Fit
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import load_checks, load_kinds
from finops_operator.scan.report import resource_to_json

_COLUMNS: Final = (
    money_field("monthlyCost", heading="COST/MONTH"),
    field("kind"),
    field("name", fit=Fit.CUT),
    field("id"),
    field("region"),
    field("state"),
    field("type", wide=True),
    field("account", wide=True),
    field("peak", path="peak.maximum", right=True, wide=True),
    field("peakOf", path="peak.metric", wide=True),
    field("coverage", path="peak.coverage", right=True, wide=True),
    field("hourlyCost", right=True, wide=True),
    money_field("monthlyCostByUse", wide=True),
    money_field("annualCost", wide=True),
    money_field("attributedMonthlyCost", wide=True),
    field("priceSource", path="price.source", wide=True),
    field("priceAsOf", path="price.asOf", wide=True),
    field("priceMissing", wide=True, words=missing_in_words),
    field("created", wide=True),
    field("tags", wide=True),
    field("policies", wide=True),
)
_HOURS: Final = 730
_PolicyOption: TypeAlias = Annotated[
    str, typer.Option("--policy", metavar="NAMESPACE/NAME", help="Only what this ScanPolicy selects.")
]
_HoursOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--hours-per-month",
        min=672,
        max=744,
        help="Hours of a month for what is billed hourly. Default: the policy's with --policy, else 730.",
    ),
]


def _run(
    *,
    output: Output = Format.TABLE,
    policy: _PolicyOption = "",
    account: filters.Account = "",
    region: filters.Region = "",
    kind: filters.Kind = "",
    check: filters.CheckOption = "",
    tag: filters.Tags = None,
    owner: filters.Owner = "",
    status: filters.Status = "",
    min_savings: filters.MinSavings = "",
    sort: filters.SortOption = None,
    limit: filters.Limit = 0,
    hours: _HoursOption = None,
    redis: Redis = "",
) -> None:
    """List the resources of the last scans. Exit code 3 when some could not be seen.

    Everything that was seen is listed, also what policies leave out by their selectors, such as resources with the tag
    finops.dev/ignore. `policies` in the data names those that select a resource; --policy lists what one counts.
    --status is AWS's own word, such as running; --check and --min-savings ask what is recommended for a resource.
    """
    kinds = load_kinds()
    wanted = filters.make_filter(
        account=account,
        region=region,
        kind=kind,
        check=check,
        tags=tag,
        owner=owner,
        status=status,
        min_savings=min_savings,
        known_kinds=kinds,
    )
    with store_to_read(redis) as store:
        filters.require_check(check, load_checks(), lambda: stored_checks(RecommendationStore(store)))
        policies = selections(store, policy)
        heads = _heads(store, wanted, policies if policy else ())
        month = Decimal(hours or (policies[0].head.hours_per_month if policy else _HOURS))
        tally, listing = Tally(policies), _Listing(store, month, policies, wanted, kinds, only_selected=bool(policy))
        rows = listing.rows(heads, tally)
        shown = islice(rows if sort is None else filters.ordered(rows, sort), limit or None)
        emit((row.record for row in shown), _COLUMNS, output)
    if not heads:
        note("Nothing is known of such resources: no scan of them has ended. Run `finops scan`.")
    elif output in {Format.TABLE, Format.WIDE} and not limit:
        for sentence in tally.sentences():
            note(sentence)
    end_with_gaps(gap for head in heads for gap in head.gaps)


def _heads(store: Store, wanted: filters.Filter, only: Sequence[Selection]) -> list[ShardHead]:
    """Return the shards that can hold what is asked for; of `only` these policies, empty for all."""
    return [
        head
        for head in InventoryStore(store).heads()
        if wanted.kind in {"", head.shard.kind}
        and wanted.account in {"", head.shard.account}
        and wanted.region in {"", head.shard.region}
        and (not only or any(one.covers(head.shard) for one in only))
    ]


@dataclass(frozen=True, slots=True)
class _Listing:
    """Which resources are listed and how; `policies` are those that are named beside them."""

    store: Store
    hours: Decimal
    policies: tuple[Selection, ...]
    wanted: filters.Filter
    kinds: Mapping[str, ResourceKind[Any]]
    only_selected: bool

    def rows(self, heads: Iterable[ShardHead], tally: Tally) -> Iterator[filters.Row]:
        """Yield the resources that are asked for, a page of them in memory, and count them in `tally`."""
        inventory, advice = InventoryStore(self.store), self._advice()
        for head in heads:
            for page in inventory.pages(head.shard, head.generation):
                for one, cost, record in self._records(head, page):
                    row = _row(one, cost, record, advice.get(one.arn, Advice()))
                    if self.wanted.matches(row):
                        tally.add(cost, record["policies"])
                        yield row

    def _records(self, head: ShardHead, page: Sequence[Resource]) -> Iterator[tuple[Resource, Cost, dict[str, Any]]]:
        ids = [one.id for one in page]
        measured = UtilizationStore(self.store).summaries(head.shard, ids)
        costs = ResourceCostStore(self.store).many(head.shard, ids, self.hours)
        for one in page:
            by = [policy.name for policy in self.policies if policy.selects(head.shard, one)]
            if by or not self.only_selected:
                shown = resource_to_json(one, costs[one.id], measured.get(one.id))
                kind = self.kinds.get(one.kind)
                yield one, costs[one.id], {**shown, **_by_kind(kind, one, shown), "policies": by}

    def _advice(self) -> Mapping[str, Advice]:
        if not self.wanted.needs_advice:
            return {}
        recommendations = RecommendationStore(self.store)
        return advice_by_arn(recommendations, recommendations.policies())


def _by_kind(kind: ResourceKind[Any] | None, one: Resource, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type and the highest value of the kind's first metric, as the kind declares them.

    Both are None for a kind of a newer version; the peak also where the kind has no metric or it is not known.
    """
    if kind is None:
        return {"type": None, "peak": None}
    first = next(iter(kind.metrics), None)
    found = shown["utilization"].get(first.name) if first is not None else None
    peak = None
    if first is not None and found is not None:
        peak = {"metric": first.name, "maximum": found["maximum"], "coverage": found["coverage"]}
    return {"type": kind.type_of(one), "peak": peak}


def _row(one: Resource, cost: Cost, record: dict[str, Any], advice: Advice) -> filters.Row:
    # A group adds nothing to a total: its members are in it.
    return filters.Row(
        record=record,
        account=one.account,
        region=one.region,
        kind=one.kind,
        id=one.id,
        name=one.name,
        statuses=frozenset({one.state}),
        checks=advice.checks,
        tags=one.tags,
        owner=owner_of(one.tags),
        savings=advice.savings,
        cost=Decimal(0) if cost.of_members else cost.monthly,
    )


COMMAND: Final = Command("resources", _run)
