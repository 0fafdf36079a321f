"""Cost Explorer's coverage by commitments, which moto does not have: what the estate declares of a day, for each day.

An account of which nothing is declared has no data. What the double does not know (other filters, groups, days of the
future) is refused. Source: Cost Explorer API reference, GetReservationCoverage and GetSavingsPlansCoverage.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.commitment_specs import CoveredSpec
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_JSON = (("content-type", "application/x-amz-json-1.1"),)
_PARAMETERS = frozenset({"TimePeriod", "Granularity", "Filter", "Metrics"})
_PLACES = Decimal("0.0000000001")


def _reserved(call: Call) -> Answer:
    held, months = _asked(call, "Hour")
    hours = (
        sum((one.reserved_hours for one in held), Decimal(0)),
        sum((one.on_demand_hours for one in held), Decimal(0)),
    )
    return _answer(
        {
            "CoveragesByTime": [
                {"TimePeriod": period, "Groups": [], "Total": {"CoverageHours": _hours(*hours, days)}}
                for period, days in months
            ],
            "Total": {"CoverageHours": _hours(*hours, sum(days for _, days in months))},
        }
    )


def _hours(reserved: Decimal, on_demand: Decimal, days: int) -> dict[str, str]:
    total = reserved + on_demand
    return {
        "OnDemandHours": f"{on_demand * days}",
        "ReservedHours": f"{reserved * days}",
        "TotalRunningHours": f"{total * days}",
        "CoverageHoursPercentage": _percent(reserved, total),
    }


def _planned(call: Call) -> Answer:
    held, months = _asked(call, "SpendCoveredBySavingsPlans")
    covered = sum((one.plans_spend for one in held), Decimal(0))
    left = sum((one.on_demand_spend for one in held), Decimal(0))
    rows = [
        {
            "Attributes": {},
            "Coverage": {
                "SpendCoveredBySavingsPlans": f"{covered * days}",
                "OnDemandCost": f"{left * days}",
                "TotalCost": f"{(covered + left) * days}",
                "CoveragePercentage": _percent(covered, covered + left),
            },
            "TimePeriod": period,
        }
        for period, days in months
    ]
    return _answer({"SavingsPlansCoverages": rows})


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{(part * 100 / whole if whole else Decimal(0)).quantize(_PLACES)}"


def _answer(members: Mapping[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(members).encode())


def _asked(call: Call, metric: str) -> tuple[Sequence[CoveredSpec], Sequence[tuple[dict[str, str], int]]]:
    """Return what is declared of the account, and the months asked about with their days. Raises AwsError."""
    asked = call.parameters
    if unknown := set(asked) - _PARAMETERS:
        raise AwsError("ValidationException", f"the AWS double does not know {', '.join(sorted(unknown))}")
    if asked.get("Granularity") != "MONTHLY" or asked.get("Metrics", [metric]) != [metric]:
        raise AwsError("ValidationException", f"the AWS double has {metric} by months alone")
    if (filtered := asked.get("Filter")) is not None and filtered != _of_account(call.account):
        raise AwsError("ValidationException", "the AWS double filters by the account itself alone")
    start, end = (date.fromisoformat(asked["TimePeriod"][name]) for name in ("Start", "End"))
    if not start < end <= call.estate.clock.now().date():
        raise AwsError("ValidationException", "Start date must be before end date, and no end date in the future")
    held = call.estate.further.commitments.covered.get(call.account, [])
    if not held:
        raise AwsError("DataUnavailableException", "Data is not available. Please try to adjust the time period.")
    return held, list(_months(start, end))


def _of_account(account: str) -> Mapping[str, Any]:
    return {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [account]}}


def _months(start: date, end: date) -> Iterator[tuple[dict[str, str], int]]:
    """Yield each calendar month between the days, as far as it lies there, with its number of days."""
    while start < end:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = min(following, end)
        yield {"Start": start.isoformat(), "End": last.isoformat()}, (last - start).days
        start = last


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("ce", "GetReservationCoverage"): _reserved,
    ("ce", "GetSavingsPlansCoverage"): _planned,
}
