"""A status holds ten alerts, however often a budget's thresholds are changed within a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.crds.budget import Budget
from finops.domain.budget import MonthSoFar, judge
from finops_operator.rules.budget_status import judged

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MONTH = MonthSoFar(Decimal(240), NOW.date(), 0, 0)
TEN = {"actualPercent": [1, 2, 3, 4, 5], "forecastPercent": [1, 2, 3, 4, 5]}


def _budget(status: dict[str, Any], **alerts: list[int]) -> Budget:
    return Budget.model_validate(
        {
            "metadata": {"name": "b", "namespace": "team-a", "uid": "u"},
            "spec": {"amount": "250.00", "alerts": alerts},
            "status": status,
        }
    )


def _status(budget: Budget, now: datetime) -> dict[str, Any]:
    asked = budget.spec.alerts
    found = judge(budget.spec.amount, MONTH, Decimal(744), asked.actual_percent, asked.forecast_percent)
    return judged(budget, found, MONTH, (), NOW.date(), now).to_dict()


def test_an_eleventh_alert_of_changed_thresholds_takes_the_place_of_the_oldest_no_longer_asked_for() -> None:
    full = _status(_budget({}, **TEN), NOW)
    assert len(full["alerts"]) == 10

    changed = _status(_budget(full, actualPercent=[3, 4, 5, 6, 7], forecastPercent=[1, 2, 3, 4, 5]), LATER)

    kept = [(one["basis"], one["percent"]) for one in changed["alerts"]]
    forecast = [("Forecast", one) for one in range(1, 6)]
    assert kept == [*(("Actual", one) for one in (3, 4, 5)), *forecast, ("Actual", 6), ("Actual", 7)]


def test_former_thresholds_stay_in_the_status_while_there_is_room() -> None:
    first = _status(_budget({}, actualPercent=[80], forecastPercent=[]), NOW)

    changed = _status(_budget(first, actualPercent=[90], forecastPercent=[]), LATER)

    assert [one["percent"] for one in changed["alerts"]] == [80, 90]
