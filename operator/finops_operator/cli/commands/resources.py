"""`finops resources`: the inventory of the last scans, with cost and utilization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from finops.domain.resource import Gap
from finops.errors import InvalidInput
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.utilization import UtilizationStore
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Format, emit, field, note
from finops_operator.cli.selection import Selection, Tally, selections
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import end_with_gaps
from finops_operator.plugins.kind import ResourceKind
from finops_operator.plugins.loaded import plugins
from finops_operator.scan.price import MemoizedPrices, cost_of
from finops_operator.scan.report import resource_to_json

_COLUMNS: Final = (
    field("kind"),
    field("id"),
    field("name"),
    field("type"),
    field("state"),
    field("account"),
    field("region"),
    field("monthlyCost", right=True),
    field("peak", path="peak.maximum", right=True),
    field("peakOf", path="peak.metric", wide=True),
    field("coverage", path="peak.coverage", right=True, wide=True),
    field("hourlyCost", right=True, wide=True),
    field("annualCost", right=True, wide=True),
    field("priceSource", path="price.source", wide=True),
    field("priceAsOf", path="price.asOf", wide=True),
    field("priceMissing", wide=True),
    field("created", wide=True),
    field("tags", wide=True),
    field("policies", wide=True),
)
_HOURS: Final = 730


def _run(
    output: Output = Format.TABLE,
    kind: Annotated[str, typer.Option("--kind", metavar="ID", help="Only of this kind.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="DIGITS", help="Only of this account.")] = "",
    region: Annotated[str, typer.Option("--region", metavar="CODE", help="Only in this region.")] = "",
    policy: Annotated[
        str, typer.Option("--policy", metavar="NAMESPACE/NAME", help="Only what this ScanPolicy selects.")
    ] = "",
    hours: Annotated[
        int | None,
        typer.Option(
            "--hours-per-month",
            min=672,
            max=744,
            help="Hours of a month for what is billed hourly. Default: the policy's with --policy, else 730.",
        ),
    ] = None,
    redis: Redis = "",
) -> None:
    """List the resources of the last scans. Exit code 3 when some could not be seen.

    Everything that was seen is listed, also what policies leave out by their selectors, such as resources with the tag
    finops.dev/ignore. `policies` in the data names those that select a resource; --policy lists what one counts.
    """
    kinds = plugins().kinds
    if kind and kind not in kinds:
        raise InvalidInput(f"{kind!r} is no kind", field="--kind", hint=f"known: {', '.join(sorted(kinds))}")
    with store_to_read(redis) as store:
        policies = selections(store, policy)
        heads = [
            head
            for head in InventoryStore(store).heads()
            if kind in {"", head.shard.kind}
            and account in {"", head.shard.account}
            and region in {"", head.shard.region}
            and (not policy or any(one.covers(head.shard) for one in policies))
        ]
        chosen = hours or (policies[0].head.hours_per_month if policy else _HOURS)
        tally = Tally(policies)
        listing = _Listing(store, kinds, Decimal(chosen), policies, only_selected=bool(policy))
        emit(listing.records(heads, tally), _COLUMNS, output)
    if not heads:
        note("the store holds no such resources; has a scan ended?")
    elif output in {Format.TABLE, Format.WIDE}:
        for sentence in tally.sentences():
            note(sentence)
    gaps: list[Gap] = [gap for head in heads for gap in head.gaps]
    end_with_gaps(gaps)


@dataclass(frozen=True, slots=True)
class _Listing:
    """How resources are read, priced and told; `policies` are those that are named beside them."""

    store: Store
    kinds: Mapping[str, ResourceKind[Any]]
    hours: Decimal
    policies: tuple[Selection, ...]
    only_selected: bool

    def records(self, heads: Iterable[ShardHead], tally: Tally) -> Iterator[dict[str, Any]]:
        """Yield the records of all resources, a page of them in memory, and count them in `tally`."""
        inventory, utilization = InventoryStore(self.store), UtilizationStore(self.store)
        lookup = MemoizedPrices(plugins().price_sources).lookup
        for head in heads:
            known = self.kinds.get(head.shard.kind)
            if known is None:
                # Written by a newer version; the schema check let it pass, so it is merely not ours to price.
                continue
            for page in inventory.pages(head.shard, head.generation):
                measured = utilization.summaries(head.shard, [one.id for one in page])
                for one in page:
                    by = [policy.name for policy in self.policies if policy.selects(head.shard, one)]
                    if self.only_selected and not by:
                        continue
                    cost = cost_of(one, known.billed_parts, lookup, self.hours)
                    tally.add(cost.monthly, by)
                    shown = resource_to_json(one, cost, measured.get(one.id))
                    yield {**shown, "type": known.type_of(one), "peak": _peak(known, shown), "policies": by}


def _peak(kind: ResourceKind[Any], shown: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the highest value of the kind's first metric, None for a kind that has none or when it is not known."""
    first = next(iter(kind.metrics), None)
    found = shown["utilization"].get(first.name) if first is not None else None
    if first is None or found is None:
        return None
    return {"metric": first.name, "maximum": found["maximum"], "coverage": found["coverage"]}


COMMAND: Final = Command("resources", _run)
