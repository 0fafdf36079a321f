"""GET /budgets: how the month stands against each budget, what is not known of it, and which alerts were sent."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.budget import BudgetState
from finops_web.api.budgets import BudgetsAsked, budget_to_json
from finops_web.context import Visit
from finops_web.readings.budgets import budgets_of, message_of, scope_to_words, state_of
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, csv_of, render, with_gaps

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/budgets", "Budgets", "Spend", 47)
_CSV: Final = (
    *("namespace", "name", "state", "month", "through", "amount", "currency", "actual", "actualPercent"),
    *("knownCost", "forecast", "forecastPercent", "forecastAtLeast", "unpricedResources", "missingDays"),
    *("unseen", "message"),
)


@ROUTER.get("/budgets")
def budgets(asked: Visit, request: Request, wanted: BudgetsAsked) -> Response:
    """Show the budgets."""
    policies = asked.policies()
    read = budgets_of(asked.visitor, {one.namespace for one in policies})
    shown = wanted.apply(read.found)
    return render(
        asked,
        request,
        "budgets.html",
        title="Budgets",
        trust=trust_in(policies, 0, 0, asked.parts.clock.now(), read.gaps),
        rows=[
            {
                "budget": one,
                "state": state_of(one),
                "scope": scope_to_words(one),
                "message": message_of(one),
            }
            for one in shown
        ],
        hidden=len(read.found) - len(shown),
        closed=len(read.gaps),
        wanted=wanted,
        states=[one.value for one in BudgetState],
        namespaces=sorted({one.metadata.namespace or "" for one in read.found}),
        accounts=sorted({name for one in read.found for name in one.spec.scope.accounts}),
        regions=sorted({name for one in read.found for name in one.spec.scope.regions}),
        services=sorted({name for one in read.found for name in one.spec.scope.services}),
    )


@ROUTER.get("/budgets.json")
def budgets_json(asked: Visit, wanted: BudgetsAsked) -> Response:
    """Return the budgets as data."""
    read = budgets_of(asked.visitor, asked.namespaces())
    return with_gaps(JSONResponse([budget_to_json(one) for one in wanted.apply(read.found)]), read.gaps)


@ROUTER.get("/budgets.csv")
def budgets_csv(asked: Visit, wanted: BudgetsAsked) -> Response:
    """Return the budgets for a spreadsheet."""
    read = budgets_of(asked.visitor, asked.namespaces())
    rows: list[dict[str, Any]] = [budget_to_json(one) for one in wanted.apply(read.found)]
    return with_gaps(csv_of(_CSV, rows, "budgets"), read.gaps)
