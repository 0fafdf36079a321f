"""`finops explain ID`: one recommendation with everything it rests on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from finops.domain.recommendation import Recommendation
from finops.errors import InvalidInput
from finops.store.connection import Store
from finops.store.recommendations import RecommendationStore, recommendation_to_json
from finops_operator.cli.command import Command
from finops_operator.cli.options import Output, Redis
from finops_operator.cli.output import Format, emit, emit_one, field
from finops_operator.cli.store_access import store_to_read
from finops_operator.plugins.check import Check
from finops_operator.plugins.loaded import plugins


def _run(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A recommendation's id, or a resource's.")],
    output: Output = Format.TABLE,
    redis: Redis = "",
) -> None:
    """Show what a recommendation rests on: evidence, thresholds, prices with source and date, alternatives.

    A resource's id shows all advice about it, as a list.
    """
    with store_to_read(redis) as store:
        found = list(_find(store, identifier))
    if not found:
        raise InvalidInput(
            f"no recommendation and no resource with advice is called {identifier!r}",
            field="ID",
            hint="`finops recommendations` lists the ids; advice goes when a scan no longer finds it",
        )
    checks = plugins().checks
    records = [_explained(one, checks) for one in found]
    if output in {Format.TABLE, Format.WIDE}:
        for record in records:
            _print(record, output)
    elif found[0].id == identifier and len(records) == 1 and output is not Format.CSV:
        emit_one(records[0], output)
    else:
        emit(records, [field(name) for name in records[0]], output)


def _find(store: Store, identifier: str) -> Iterator[Recommendation]:
    recommendations = RecommendationStore(store)
    policies = recommendations.policies()
    exact = [one for policy in policies if (one := recommendations.get(policy, identifier)) is not None]
    if exact:
        yield from exact
        return
    for policy in policies:
        for one in recommendations.stream(policy):
            if identifier in {one.resource.id, one.resource.arn}:
                yield one


def _explained(one: Recommendation, checks: Mapping[str, Check[Any]]) -> dict[str, Any]:
    record = recommendation_to_json(one)
    check = checks.get(one.check)
    if check is not None:
        record["title"] = check.title
        record["documentation"] = check.documentation
        record["thresholds"] = [
            {"name": spec.name, "default": f"{spec.default:f}", "unit": spec.unit, "description": spec.description}
            for spec in check.parameters
        ]
    return record


def _print(record: Mapping[str, Any], output: Format) -> None:
    resource = record["resource"]
    head = {
        "recommendation": record["id"],
        "policy": record["policy"],
        "why": record["summary"],
        "resource": f"{resource['kind']} {resource['id']}",
        "name": resource["name"],
        "where": f"{resource['account']} {resource['region']}",
        "check": f"{record['check']} ({record.get('title', '')})",
        "action": record["action"] or "advice only",
        "parameters": record["parameters"],
        "monthly cost now": record["currentMonthlyCost"],
        "monthly cost then": record["newMonthlyCost"],
        "monthly savings": record["monthlySavings"],
        "prices": f"{record['priceSource']}, as of {record['priceAsOf']}",
        "effort": record["effort"],
        "restart needed": record["restartNeeded"],
        "rollback possible": record["rollbackPossible"],
        "advice": record["advice"],
        "documentation": record.get("documentation", ""),
    }
    emit_one({key: value for key, value in head.items() if value not in ("", None, {})}, output)
    _section("evidence", ({"field": key, "value": value} for key, value in record["evidence"].items()), output)
    _section("thresholds (defaults)", iter(record.get("thresholds", ())), output)
    _section("alternatives", iter(record["alternatives"]), output)


def _section(title: str, rows: Iterator[Mapping[str, Any]], output: Format) -> None:
    listed = list(rows)
    if not listed:
        return
    sys.stdout.write(f"\n{title}\n")
    names = dict.fromkeys(key for row in listed for key in row)
    emit(listed, [field(name) for name in names], output)


COMMAND: Final = Command("explain", _run)
