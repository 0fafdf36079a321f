"""`finops explain ID`: one recommendation with everything it rests on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from finops.domain.price import Cost
from finops.domain.recommendation import Recommendation
from finops.domain.resource import Shard
from finops.errors import InvalidInput
from finops.store.connection import Store
from finops.store.recommendations import RecommendationStore, recommendation_to_json
from finops.store.resource_costs import ResourceCostStore
from finops_operator.cli.command import Command
from finops_operator.cli.explaining import evidence_lines, head_of, hours_priced, other_types, price_lines
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Format, emit, emit_one, field
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.tables import Fit
from finops_operator.plugins.loaded import load_checks

_SHORTEST: Final = 4
"""Characters of an id below which it is more likely a slip."""
_FOLDED: Final = frozenset({"value", "description", "source", "price", "differences"})
_HEAD: Final = (field("recommendation"), field("value", fit=Fit.FOLD))


def _run(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="A recommendation's id or the beginning of it, or a resource's id.")
    ],
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Show what a recommendation rests on: evidence, thresholds, prices with source and date, alternatives.

    Says why it is not ready to approve, if it is not. A resource's id shows all advice about it, as a list.
    """
    with store_to_read(redis) as store:
        found = list(_find(RecommendationStore(store), identifier))
        costs = [_cost(store, one) for one in found]
    if not found:
        raise InvalidInput(
            f"no recommendation and no resource with advice is called {identifier!r}",
            field="ID",
            hint="`finops recommendations --all` lists the ids; advice goes when a scan no longer finds it",
        )
    records = [_explained(one) for one in found]
    if output in {Format.TABLE, Format.WIDE}:
        for at, (record, cost) in enumerate(zip(records, costs, strict=True)):
            sys.stdout.write("\n" if at else "")
            _print(record, cost, output)
    elif len(records) == 1 and records[0]["id"].startswith(identifier) and output is not Format.CSV:
        emit_one(records[0], output)
    else:
        emit(records, [field(name) for name in records[0]], output)


def _find(recommendations: RecommendationStore, identifier: str) -> Iterator[Recommendation]:
    """Yield what is meant: one recommendation by its whole id, else by a beginning, else all about a resource.

    Raises:
        InvalidInput: several recommendations begin so.
    """
    policies = recommendations.policies()
    exact = [one for policy in policies if (one := recommendations.get(policy, identifier)) is not None]
    if exact:
        yield from exact
        return
    every = [one for policy in policies for one in recommendations.stream(policy)]
    begun = [one for one in every if len(identifier) >= _SHORTEST and one.id.startswith(identifier)]
    if len(begun) > 1:
        ids = ", ".join(one.id for one in begun)
        raise InvalidInput(f"{identifier} begins {len(begun)} ids", field="ID", hint=f"write more of {ids}")
    yield from begun or (one for one in every if identifier in {one.resource.id, one.resource.arn})


def _cost(store: Store, one: Recommendation) -> Cost:
    """Return what the resource costs in the policy's month, by the last scan's prices."""
    namespace, _, name = one.policy.partition("/")
    head = RecommendationStore(store).head((namespace, name))
    hours = Decimal(head.hours_per_month if head is not None else 730)
    shard = Shard(one.resource.account, one.resource.region, one.resource.kind)
    return ResourceCostStore(store).many(shard, [one.resource.id], hours)[one.resource.id]


def _explained(one: Recommendation) -> dict[str, Any]:
    record = recommendation_to_json(one)
    check = load_checks().get(one.check)
    if check is not None:
        record["title"] = check.title
        record["documentation"] = check.documentation
        record["thresholds"] = [
            {"name": spec.name, "default": f"{spec.default:f}", "unit": spec.unit, "description": spec.description}
            for spec in check.parameters
        ]
    return record


def _print(record: Mapping[str, Any], cost: Cost, output: Format) -> None:
    head = ({"recommendation": name, "value": value} for name, value in head_of(record) if value)
    emit(head, _HEAD, output)
    _section("evidence", evidence_lines(record), output)
    month = "prices, a month of the policy's hours" if hours_priced(cost) else "prices"
    _section(month, price_lines(cost), output)
    _section("thresholds (defaults)", record.get("thresholds", ()), output)
    _section("alternatives", other_types(record), output)


def _section(title: str, rows: Any, output: Format) -> None:
    listed = list(rows)
    if not listed:
        return
    sys.stdout.write(f"\n{title}\n")
    names = list(dict.fromkeys(key for row in listed for key in row))
    fits = {name: Fit.FOLD for name in names if name in _FOLDED}
    emit(listed, [field(name, fit=fits.get(name, Fit.WHOLE)) for name in names], output)


COMMAND: Final = Command("explain", _run)
