"""The ScanReport: one scan as JSON, streamed from the store so that it never holds the fleet.

Printed by `finops scan -o json`; shapes are those of the documented interface: money is a decimal string, a missing
price is null, gaps are listed, `notRecommended` only on demand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from finops.crds.part import API_VERSION
from finops.domain.money import annual_from_monthly, as_text, to_cents
from finops.domain.price import Attributed, Cost, CostComponent
from finops.domain.report import Savings, ScanSummary
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops.store.recommendations import recommendation_to_json
from finops_operator.scan.scan import ScanOutcome

_SHOWN: Final = (
    "id",
    "check",
    "action",
    "status",
    "blockedBy",
    "note",
    "destructive",
    "parameters",
    "currentMonthlyCost",
    "newMonthlyCost",
    "monthlySavings",
    "listMonthlySavings",
    "netMonthlySavings",
    "netNote",
    "savingUnknown",
    "effort",
    "restartNeeded",
    "rollbackPossible",
    "evidence",
    "summary",
    "advice",
    "group",
    "counted",
    "alternatives",
    "lastsDays",
)


class TextSink(Protocol):
    """Where the report goes."""

    def write(self, text: str, /) -> object: ...


def write_report(sink: TextSink, outcome: ScanOutcome, *, why: bool = False, indent: int | None = 2) -> None:
    """Write the ScanReport of `outcome`; `why` adds `notRecommended`.

    Raises:
        StoreUnavailable: the store does not answer; what was written so far is no valid JSON.
    """
    head, lists = report_parts(outcome, why=why)
    space = "" if indent is None else "\n" + " " * indent
    separator = "{"
    for key, value in head.items():
        sink.write(f"{separator}{space}{json.dumps(key)}: {json.dumps(value, indent=None)}")
        separator = ","
    for key, items in lists.items():
        sink.write(",")
        _write_list(sink, key, items, space)
    sink.write("}\n" if indent is None else "\n}\n")


def report_parts(
    outcome: ScanOutcome, *, why: bool
) -> tuple[dict[str, Any], Mapping[str, Iterable[Mapping[str, Any]]]]:
    """Return the ScanReport's head and its lists by name, each of which streams from the store while it is read."""
    head: dict[str, Any] = {"apiVersion": API_VERSION, "kind": "ScanReport", **summary_to_json(outcome.summary)}
    gaps = head.pop("gaps")
    lists: dict[str, Iterable[Mapping[str, Any]]] = {
        "resources": _resources(outcome),
        "recommendations": _recommendations(outcome),
    }
    if why:
        lists["notRecommended"] = reasons(outcome)
    return head, {**lists, "gaps": gaps}


def summary_to_json(summary: ScanSummary) -> dict[str, Any]:
    """Return the report's head: policy, times, summary, gaps. Sums of a scan that saw nothing are unknown: null."""
    nothing = bool(summary.complete_failure)
    return {
        "policy": summary.policy,
        "startTime": summary.start_time.isoformat(),
        "completionTime": summary.completion_time.isoformat(),
        "summary": {
            "resources": summary.resources,
            "monthlyCost": None if nothing else as_text(summary.known_monthly_cost),
            "unpricedResources": summary.unpriced_resources,
            "unknownResources": summary.unknown_resources,
            "potentialMonthlySavings": None if nothing else as_text(summary.potential_monthly_savings),
            "currency": summary.currency,
            "recommendations": summary.recommendations,
            "savings": _unknown_savings() if nothing else savings_to_json(summary.savings),
            "savingsOnce": _unknown_savings() if nothing else savings_once_to_json(summary.savings),
            "gaps": len(summary.gaps),
            "apiCalls": dict(summary.api_calls),
            "estimatedApiCost": as_text(summary.estimated_api_cost),
            "completeFailure": summary.complete_failure or None,
        },
        "gaps": [gap.to_json() for gap in summary.gaps],
    }


def savings_to_json(savings: Savings) -> dict[str, str | None]:
    """Return the three figures by status; they are never added."""
    return {
        "actionable": as_text(savings.actionable.monthly_savings),
        "advice": as_text(savings.advice.monthly_savings),
        "blocked": as_text(savings.blocked.monthly_savings),
    }


def savings_once_to_json(savings: Savings) -> dict[str, str | None]:
    """Return what comes once, by status: of acts that AWS undoes by itself. No part of the monthly figures."""
    return {
        "actionable": as_text(savings.actionable.once_savings),
        "advice": as_text(savings.advice.once_savings),
        "blocked": as_text(savings.blocked.once_savings),
    }


def _unknown_savings() -> dict[str, str | None]:
    return dict.fromkeys(("actionable", "advice", "blocked"))


def resource_to_json(resource: Resource, cost: Cost, utilization: Utilization | None) -> dict[str, Any]:
    """Return one resource as the interface spells it."""
    price = cost.price
    return {
        "kind": resource.kind,
        "id": resource.id,
        "arn": resource.arn,
        "name": resource.name,
        "account": resource.account,
        "region": resource.region,
        "state": resource.state,
        "tags": dict(resource.tags),
        "created": resource.created.isoformat() if resource.created else None,
        "hourlyCost": as_text(cost.hourly),
        "monthlyCost": as_text(cost.monthly),
        "knownMonthlyCost": as_text(cost.known_monthly),
        "monthlyCostByUse": as_text(cost.monthly_by_use),
        "annualCost": None if cost.monthly is None else as_text(annual_from_monthly(cost.monthly)),
        **_attributed(cost),
        "price": {"source": price.source, "asOf": price.as_of.isoformat(), "unit": price.unit} if price else None,
        "priceMissing": list(cost.missing),
        "costParts": [_part(one) for one in cost.components],
        "utilization": _utilization(utilization),
        "unknownUtilization": dict(utilization.unknown) if utilization else {},
        "attributes": dict(resource.attributes),
    }


def _attributed(cost: Cost) -> dict[str, str | int | None]:
    """Return what the members of a group cost, and how many of them are not in it; null for what is no group."""
    found = cost.attributed or Attributed()
    return {"attributedMonthlyCost": as_text(found.monthly), "attributedUnknown": found.unknown}


def _part(part: CostComponent) -> dict[str, Any]:
    """Return one priced part; with `usedInHours` its quantity is the measured use of so many hours, not a month's."""
    return {
        "dimension": part.dimension,
        "quantity": f"{part.quantity:f}",
        "unit": part.price.unit,
        "unitPrice": f"{part.price.amount:f}",
        "monthlyCost": as_text(to_cents(part.monthly)),
        "byUse": part.by_use,
        "usedInHours": None if part.used_in_hours is None else f"{part.used_in_hours:f}",
    }


def _utilization(utilization: Utilization | None) -> dict[str, Any]:
    if utilization is None:
        return {}
    names = sorted({*utilization.metrics, *utilization.fine})
    return {name: _metric(summary) for name in names if (summary := utilization.best(name)) is not None}


def _metric(summary: MetricSummary) -> dict[str, Any]:
    return {
        "maximum": summary.maximum,
        "p99_5": summary.p99_5,
        "average": summary.average,
        "total": summary.total,
        "coverage": round(summary.coverage_percent, 2),
        "periodSeconds": summary.period_seconds,
        "start": summary.start.isoformat(),
        "end": summary.end.isoformat(),
    }


def _resources(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    brief = outcome.brief
    for shard, generation in outcome.shards:
        for page in brief.stores.inventory.pages(shard, generation):
            chosen = [one for one in page if brief.selects(one)]
            ids = [one.id for one in chosen]
            measured = brief.stores.utilization.summaries(shard, ids)
            costs = brief.stores.costs.many(shard, ids, brief.hours_per_month)
            for resource in chosen:
                yield resource_to_json(resource, costs[resource.id], measured.get(resource.id))


def _recommendations(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    for one in outcome.brief.stores.recommendations.stream(outcome.brief.policy, outcome.brief.generation):
        record = recommendation_to_json(one)
        ref = record["resource"]
        shown: Mapping[str, Any] = {key: record[key] for key in _SHOWN}
        yield {**shown, "resource": {key: ref[key] for key in ("kind", "id", "arn", "account", "region")}}


def reasons(outcome: ScanOutcome) -> Iterator[dict[str, Any]]:
    """Yield why a check recommends nothing, for each resource and check: check, resource, reason."""
    brief = outcome.brief
    for shard, generation in outcome.shards:
        checks = [item.check.id for item in brief.enabled if shard.kind in item.check.kinds]
        for page in brief.stores.inventory.pages(shard, generation):
            wanted = [(check, one.id) for one in page if brief.selects(one) for check in checks]
            for reason in brief.stores.recommendations.reasons(brief.policy, brief.generation, wanted):
                yield {"check": reason.check, "resource": reason.resource_id, "reason": reason.reason}


def _write_list(sink: TextSink, key: str, items: Iterable[Mapping[str, Any]], space: str) -> None:
    sink.write(f"{space}{json.dumps(key)}: [")
    separator = ""
    for item in items:
        sink.write(f"{separator}{space}{space and '  '}{json.dumps(item)}")
        separator = ","
    sink.write(f"{space}]" if separator else "]")
