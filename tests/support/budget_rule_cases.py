"""Every rule of Budget with an object it accepts and one it refuses."""

from __future__ import annotations

from typing import Any, Final

from tests.support.rule_case import CHANNEL, NOW, RuleCase, condition_cases, status, value_case

_ALERT: Final[dict[str, Any]] = {"basis": "Actual", "percent": 80, "time": NOW}
_MONEY: Final = "is not an amount of money"


def _alert(cost: str) -> dict[str, Any]:
    return status(alerts=[{**_ALERT, "cost": cost}])


BUDGET = (
    value_case("Budget", "spec.amount", "is a budget of nothing", "0.01", "0.00"),
    value_case("Budget", "spec.amount", _MONEY, "500", "-5"),
    value_case("Budget", "spec.scope.accounts[]", "is not an AWS account id", "123456789012", "12345678901a"),
    value_case("Budget", "spec.scope.regions[]", "is not an AWS region", "eu-west-1", "Europe"),
    value_case("Budget", "spec.scope.services[]", "is not the id of a kind of resource", "ec2-instance", "EC2"),
    value_case("Budget", "spec.notify.slack.channel", *CHANNEL),
    *condition_cases("Budget"),
    *(
        value_case("Budget", f"status.{field}", _MONEY, "66.82", "many")
        for field in ("actual", "knownCost", "forecast")
    ),
    value_case("Budget", "status.month", "is not a month", "2026-11", "2026-13"),
    value_case("Budget", "status.through", "is not a day", "2026-11-28", "yesterday"),
    RuleCase("Budget", "status.alerts[].cost", _MONEY, _alert("400.00"), _alert("-400.00")),
)
