"""`finops resources`: the inventory of the last scans, with cost and utilization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from finops.domain.resource import Gap
from finops.errors import InvalidInput
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.utilization import UtilizationStore
from finops_operator.catalog import plugins
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Column, Format, Record, emit, field, note
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import end_with_gaps
from finops_operator.plugins import ResourceKind
from finops_operator.scan_report import resource_to_json
from finops_operator.stages.price import MemoizedPrices, cost_of


def _type(record: Record) -> object:
    attributes: Mapping[str, Any] = record["attributes"]
    return attributes.get("instance_type") or attributes.get("volume_type")


_COLUMNS: Final = (
    field("kind"),
    field("id"),
    field("name"),
    Column("type", _type),
    field("state"),
    field("account"),
    field("region"),
    field("monthlyCost", right=True),
    field("cpuMaximum", path="utilization.cpuPercent.maximum", right=True),
    field("coverage", path="utilization.cpuPercent.coverage", right=True, wide=True),
    field("hourlyCost", right=True, wide=True),
    field("annualCost", right=True, wide=True),
    field("priceSource", path="price.source", wide=True),
    field("priceAsOf", path="price.asOf", wide=True),
    field("priceMissing", wide=True),
    field("created", wide=True),
    field("tags", wide=True),
)


def _run(
    output: Output = Format.TABLE,
    kind: Annotated[str, typer.Option("--kind", metavar="ID", help="Only of this kind, such as ec2-instance.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="DIGITS", help="Only of this account.")] = "",
    region: Annotated[str, typer.Option("--region", metavar="CODE", help="Only in this region.")] = "",
    hours: Annotated[
        int, typer.Option("--hours-per-month", min=672, max=744, help="Hours of a month for what is billed hourly.")
    ] = 730,
    redis: Redis = "",
) -> None:
    """List the resources of the last scans. Exit code 3 when some could not be seen."""
    kinds = plugins().kinds
    if kind and kind not in kinds:
        raise InvalidInput(f"{kind!r} is no kind", field="--kind", hint=f"known: {', '.join(sorted(kinds))}")
    with store_to_read(redis) as store:
        heads = [
            head
            for head in InventoryStore(store).heads()
            if kind in {"", head.shard.kind}
            and account in {"", head.shard.account}
            and region in {"", head.shard.region}
        ]
        emit(_records(store, heads, kinds, Decimal(hours)), _COLUMNS, output)
    if not heads:
        note("the store holds no such resources; has a scan ended?")
    gaps: list[Gap] = [gap for head in heads for gap in head.gaps]
    end_with_gaps(gaps)


def _records(
    store: Store, heads: list[ShardHead], kinds: Mapping[str, ResourceKind], hours: Decimal
) -> Iterator[dict[str, Any]]:
    inventory, utilization, prices = (
        InventoryStore(store),
        UtilizationStore(store),
        MemoizedPrices(plugins().price_sources),
    )
    for head in heads:
        known = kinds.get(head.shard.kind)
        if known is None:
            # Written by a newer version; the schema check let it pass, so it is merely not ours to price.
            continue
        for page in inventory.pages(head.shard, head.generation):
            measured = utilization.summaries(head.shard, [one.id for one in page])
            for one in page:
                cost = cost_of(one, known.billed_parts, prices.lookup, hours)
                yield resource_to_json(one, cost, measured.get(one.id))


COMMAND: Final = Command("resources", _run)
