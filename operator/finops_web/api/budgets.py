"""GET /api/budgets: how the month stands against each budget, as the operator judged it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from finops.crds.budget import Budget
from finops.domain.budget import BudgetState
from finops_web.answers import Cursor, Limit, number, page_of, success
from finops_web.context import Visit
from finops_web.forms import one_of
from finops_web.readings.budgets import BudgetFilter, budgets_of, message_of, scope_to_json, state_of
from finops_web.readings.policies import trust_in

ROUTER = APIRouter(tags=["costing"])


def asked_budgets(
    state: Annotated[
        str,
        Query(
            description="WithinBudget, AlertReached, Exceeded or Unknown.",
            json_schema_extra={"enum": ["", *BudgetState]},
        ),
    ] = "",
    namespace: Annotated[str, Query(max_length=63, description="Namespace of the budget.")] = "",
    account: Annotated[str, Query(max_length=12, description="Account id that the budget covers.")] = "",
    region: Annotated[str, Query(max_length=32, description="Region that the budget covers.")] = "",
    service: Annotated[str, Query(max_length=64, description="Kind of resource that the budget covers.")] = "",
    tag: Annotated[str, Query(max_length=400, description="Tag of the budget: `key` or `key=value`.")] = "",
) -> BudgetFilter:
    """Return which budgets an address asks for. Raises InvalidInput: there is no such state."""
    wanted = one_of("state", state, BudgetState)
    return BudgetFilter(wanted, namespace.strip(), account.strip(), region.strip(), service.strip(), tag.strip())


BudgetsAsked = Annotated[BudgetFilter, Depends(asked_budgets)]
"""The parameter by which an endpoint takes which budgets the address asks for."""


@ROUTER.get("/api/budgets")
def budgets(asked: Visit, wanted: BudgetsAsked, cursor: Cursor = "", limit: Limit = 100) -> dict[str, Any]:
    """List budgets, what needs attention first; `actual` and `forecast` are null while a part of them is unknown.

    Where nothing lacks but prices `forecast` is a lower bound, and `forecastAtLeast` says so. What was pushed is in no
    budget.
    """
    policies = asked.policies()
    read = budgets_of(asked.visitor, {one.namespace for one in policies})
    found = wanted.apply(read.found)
    page = page_of(found, lambda one: one.metadata.uid or "", cursor, limit)
    trust = trust_in(policies, 0, 0, asked.parts.clock.now(), read.gaps)
    rows = [budget_to_json(one) for one in page.rows]
    return success(rows, as_of=trust.oldest, gaps=trust.gaps, next_page=page.next_page)


def budget_to_json(one: Budget) -> dict[str, Any]:
    """Return a budget and how it stands; money in its currency, `knownCost` is what the cost is at least."""
    spec, status = one.spec, one.status
    return {
        "namespace": one.metadata.namespace,
        "name": one.metadata.name,
        "state": state_of(one),
        "month": status.month,
        "through": status.through,
        "amount": number(spec.amount),
        "currency": spec.currency.value,
        "actual": number(status.actual),
        "actualPercent": status.actual_percent,
        "knownCost": number(status.known_cost),
        "forecast": number(status.forecast),
        "forecastPercent": status.forecast_percent,
        "forecastAtLeast": status.forecast_at_least,
        "unpricedResources": status.unpriced_resources,
        "missingDays": status.missing_days,
        "unseen": status.unseen,
        "scope": scope_to_json(one),
        "thresholds": {
            "actualPercent": list(spec.alerts.actual_percent),
            "forecastPercent": list(spec.alerts.forecast_percent),
        },
        "alerts": [
            {
                "basis": alert.basis.value,
                "percent": alert.percent,
                "cost": number(alert.cost),
                "time": alert.time.isoformat(),
            }
            for alert in status.alerts
        ],
        "message": message_of(one),
    }
